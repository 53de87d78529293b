// attention_delta — delta[n,h] = Σ_d dout[n,h,d] · out[n,h,d]
// Paper: Dao 2023, arXiv:2307.08691 (the row sums that the softmax's backward subtracts).  Forward: attention.wgsl
//
//   binding  name    shape      type  access
//   0        params  -          Params uniform
//   1        dout    (N, H, D)  f32   read
//   2        out     (N, H, D)  f32   read
//   3        delta   (N, H)     f32   read_write
//
// Dispatch: (min(ceil(N·H / WORKGROUP_SIZE), 65535), 1, 1), one lane per row and head, striding.
// D is a multiple of 4.
// Numerics: f32, four partial sums; tested to 1e-5 of Σ|dout·out|.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  rows: u32,
  heads: u32,
  head_dim: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dout: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> out: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> delta: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn attention_delta(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let quads = params.head_dim / 4;
  let count = params.rows * params.heads;
  for (var i = id.x; i < count; i += groups.x * WORKGROUP_SIZE) {
    var sum = vec4(0.0);
    for (var d = 0u; d < quads; d++) {
      sum += dout[i * quads + d] * out[i * quads + d];
    }
    delta[i] = (sum.x + sum.y) + (sum.z + sum.w);
  }
}
