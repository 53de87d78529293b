// decode_advance — moves every row that drew a token one step on, or ends it, so that steps run without a read-back
// Follows sample.wgsl; what it writes is what the next embedding, rotary embedding, kv_store, decode_attention and sample
// read.
//
//   binding  name      shape          type  access
//   0        params    -              Params uniform
//   1        sampled   (B, 4)         u32   read         from sample.wgsl; flags 0 leaves the row alone
//   2        token     (B)            u32   read_write   the token that runs next
//   3        position  (B)            u32   read_write   its position in the sequence and in the cache
//   4        entries   (B, 3)         u32   read_write   source row, slot (0xffffffff: inactive), position
//   5        draws     (B, 4)         u32   read_write   logits row (0xffffffff: inactive), rollout id, completion index
//   6        progress  (B, 2)         u32   read_write   tokens that may still be drawn, finish reason
//   7        ring      (steps, B, 4)  u32   read_write   token (0xffffffff: none), bits of log-probability and entropy, reason
//
// Dispatch: (min(ceil(B / WORKGROUP_SIZE), 65535), 1, 1), one lane per row, striding.
// Finish reasons: 0 running, 1 an end token was drawn, 2 no tokens or no cache left, 3 broken logits (no token recorded).
// A row that ends keeps its token and position, which stay valid inputs.
// Numerics: exact integers.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  rows: u32,
  step: u32,
  capacity: u32,
  end_count: u32,
  end_0: u32,
  end_1: u32,
  end_2: u32,
  end_3: u32,
  end_4: u32,
  end_5: u32,
  end_6: u32,
  end_7: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sampled: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> token: array<u32>;
@group(0) @binding(3) var<storage, read_write> position: array<u32>;
@group(0) @binding(4) var<storage, read_write> entries: array<u32>;
@group(0) @binding(5) var<storage, read_write> draws: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> progress: array<vec2<u32>>;
@group(0) @binding(7) var<storage, read_write> ring: array<vec4<u32>>;

const NONE = 0xffffffffu;
const RUNNING = 0u;
const STOP = 1u;
const LENGTH = 2u;
const BROKEN = 3u;

fn is_end(id: u32) -> bool {
  let first = vec4(params.end_0, params.end_1, params.end_2, params.end_3);
  let second = vec4(params.end_4, params.end_5, params.end_6, params.end_7);
  let lanes = vec4(0u, 1u, 2u, 3u);
  return any((first == vec4(id)) & (lanes < vec4(params.end_count)))
    || any((second == vec4(id)) & (lanes + 4u < vec4(params.end_count)));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn decode_advance(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var b = id.x; b < params.rows; b += groups.x * WORKGROUP_SIZE) {
    let drawn = sampled[b];
    var record = vec4(NONE, 0u, 0u, RUNNING);
    if (drawn.w != 0u) {
      let next = position[b] + 1;
      let remaining = max(progress[b].x, 1u) - 1;
      var reason = RUNNING;
      if (drawn.w != 1u) {
        reason = BROKEN;
      } else if (is_end(drawn.x)) {
        reason = STOP;
      } else if (remaining == 0u || next >= params.capacity) {
        reason = LENGTH;
      }
      progress[b] = vec2(remaining, reason);
      if (reason == RUNNING) {
        token[b] = drawn.x;
        position[b] = next;
        entries[3 * b + 2] = next;
        draws[b] = vec4(b, draws[b].yz, draws[b].w + 1);
      } else {
        entries[3 * b + 1] = NONE;
        draws[b].x = NONE;
      }
      record = select(vec4(drawn.xyz, reason), vec4(NONE, 0u, 0u, reason), reason == BROKEN);
    }
    ring[params.step * params.rows + b] = record;
  }
}
