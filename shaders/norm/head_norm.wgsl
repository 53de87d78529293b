// head_norm — y = x · rrms · weight for every query and key head of a fused row, values copied; rrms = 1 / sqrt(mean_d(x²) + eps)
// Paper: Qwen3, arXiv:2505.09388 (norm: arXiv:1910.07467).  Backward: head_norm_backward.wgsl, head_norm_weight_backward.wgsl
//
//   binding  name      shape         type  access
//   0        params    -             Params uniform
//   1        x         (N, H+2K, D)  f32   read
//   2        q_weight  (D)           f32   read         heads 0 to H − 1
//   3        k_weight  (D)           f32   read         heads H to H + K − 1
//   4        y         (N, H+2K, D)  f32   read_write
//   5        rrms      (N, H+K)      f32   read_write   kept for the backward pass
//
// Dispatch: (min(⌈N·(H+2K) / WORKGROUP_SIZE⌉, 65535), 1, 1), one lane per head, striding.  Workgroup: WORKGROUP_SIZE lanes.
// Numerics: f32, summed in order of d; tested to 1e-6 relative (D ≤ 256).

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> q_weight: array<f32>;
@group(0) @binding(3) var<storage, read> k_weight: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> rrms: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn head_norm(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let all_heads = params.heads + 2 * params.kv_heads;
  let normed_heads = params.heads + params.kv_heads;
  let count = params.rows * all_heads;
  for (var i = id.x; i < count; i += groups.x * WORKGROUP_SIZE) {
    let head = i % all_heads;
    let base = i * params.head_dim;
    if (head >= normed_heads) {
      for (var d = 0u; d < params.head_dim; d++) {
        y[base + d] = x[base + d];
      }
      continue;
    }
    var sum = 0.0;
    for (var d = 0u; d < params.head_dim; d++) {
      let value = x[base + d];
      sum += value * value;
    }
    let scale = inverseSqrt(sum / f32(params.head_dim) + params.eps);
    rrms[i / all_heads * normed_heads + head] = scale;
    for (var d = 0u; d < params.head_dim; d++) {
      var weight: f32;
      if (head < params.heads) {
        weight = q_weight[d];
      } else {
        weight = k_weight[d];
      }
      y[base + d] = x[base + d] * scale * weight;
    }
  }
}
