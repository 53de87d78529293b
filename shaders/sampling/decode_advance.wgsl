// decode_advance — appends each sampled token to the ring and moves its row one position on, or ends it
// Paper: none; the bookkeeping of continuous batching (Orca, OSDI 2022) on the GPU, so that steps need no read-back.
//
//   binding  name       shape       type       access
//   0        params     -           Params     uniform
//   1        token      (B)         u32        read         just sampled
//   2        logprob    (B)         f32        read
//   3        ends       (ENDS)      u32        read         ids that end a completion
//   4        ids        (B)         u32        read_write   the token the next step embeds
//   5        positions  (B)         u32        read_write   its position in the sequence
//   6        entries    (B, 3)      u32        read_write   row of logits, slot, position
//   7        produced   (B)         u32        read_write   tokens drawn so far
//   8        ring       (STEPS, B)  vec2<u32>  read_write   token and the bits of its log-probability; 0xffffffff where none
//
// Dispatch: (min(⌈rows / WORKGROUP_SIZE⌉, 65535), 1, 1), striding.  Workgroup: WORKGROUP_SIZE lanes, default 64.
// Numerics: integers; exact. A row that ends gets slot 0xffffffff and is left out from then on.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  first_row: u32,
  rows: u32,
  batch: u32,
  step: u32,
  ends: u32,
  max_tokens: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> token: array<u32>;
@group(0) @binding(2) var<storage, read> logprob: array<f32>;
@group(0) @binding(3) var<storage, read> ends: array<u32>;
@group(0) @binding(4) var<storage, read_write> ids: array<u32>;
@group(0) @binding(5) var<storage, read_write> positions: array<u32>;
@group(0) @binding(6) var<storage, read_write> entries: array<u32>;
@group(0) @binding(7) var<storage, read_write> produced: array<u32>;
@group(0) @binding(8) var<storage, read_write> ring: array<vec2<u32>>;

const LEFT_OUT = 0xffffffffu;

@compute @workgroup_size(WORKGROUP_SIZE)
fn decode_advance(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var i = id.x; i < params.rows; i += groups.x * WORKGROUP_SIZE) {
    let row = params.first_row + i;
    let place = params.step * params.batch + row;
    let slot = entries[3 * row + 1];
    if (slot == LEFT_OUT) {
      ring[place] = vec2<u32>(LEFT_OUT, 0);
      continue;
    }
    let drawn = token[row];
    ring[place] = vec2<u32>(drawn, bitcast<u32>(logprob[row]));
    let position = entries[3 * row + 2] + 1;
    let count = produced[row] + 1;
    var over = count >= params.max_tokens;
    for (var e = 0u; e < params.ends; e++) {
      over = over || drawn == ends[e];
    }
    ids[row] = drawn;
    positions[row] = position;
    produced[row] = count;
    // From here on a row's logits are its own row of the decode step.
    entries[3 * row] = row;
    entries[3 * row + 1] = select(slot, LEFT_OUT, over);
    entries[3 * row + 2] = position;
  }
}
