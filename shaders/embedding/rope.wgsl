// rope — (a, b) ← (a·cos − b·sin, b·cos + a·sin) for the halves a, b of every query and key head, in place
// Paper: Su et al. 2021, arXiv:2104.09864; halves rotated as Hugging Face does.  Backward: rope_backward.wgsl
//
//   binding  name       shape         type       access
//   0        params     -             Params     uniform
//   1        positions  (N)           u32        read
//   2        table      (P, D/2, 2)   vec2<f32>  read         cosine and sine by position and pair
//   3        qkv        (N, H+2K, D)  f32        read_write   queries, keys; values stay
//
// Dispatch: (min(⌈N / rows a workgroup⌉, 65535), 1, 1), striding.  Workgroup: WORKGROUP_SIZE lanes, default 64, LANES_PAIR
//   of them for a row: each turns its pairs in all heads by one angle.  LANES_PAIR divides WORKGROUP_SIZE.
// Numerics: f32, angles from a table made in f64; tested to 1e-6 of the largest entry. Positions beyond P read the last.

override WORKGROUP_SIZE: u32 = 64;
override LANES_PAIR: u32 = 16;

struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
  max_positions: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> positions: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> qkv: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn rope(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let pairs = params.head_dim / 2;
  let heads = params.heads + params.kv_heads;
  let stride = (heads + params.kv_heads) * params.head_dim;
  for (var row = id.x / LANES_PAIR; row < params.rows; row += groups.x * (WORKGROUP_SIZE / LANES_PAIR)) {
    let angles = min(positions[row], params.max_positions - 1) * pairs;
    for (var pair = id.x % LANES_PAIR; pair < pairs; pair += LANES_PAIR) {
      let turn = table[angles + pair];
      var first = row * stride + pair;
      for (var head = 0u; head < heads; head++) {
        let a = qkv[first];
        let b = qkv[first + pairs];
        qkv[first] = a * turn.x - b * turn.y;
        qkv[first + pairs] = b * turn.x + a * turn.y;
        first += params.head_dim;
      }
    }
  }
}
