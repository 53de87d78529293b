// head_norm_backward — dx = rrms·(g − x·rrms²·mean_d(g·x)), g = dy·weight, for query and key heads; dx = dy for values
// Paper: Qwen3, arXiv:2505.09388.  Forward: head_norm.wgsl.  The weights' half: head_norm_weight_backward.wgsl
//
//   binding  name      shape         type  access
//   0        params    -             Params uniform
//   1        x         (N, H+2K, D)  f32   read
//   2        q_weight  (D)           f32   read
//   3        k_weight  (D)           f32   read
//   4        rrms      (N, H+K)      f32   read
//   5        dy        (N, H+2K, D)  f32   read
//   6        dx        (N, H+2K, D)  f32   read_write
//
// Dispatch: (min(⌈N·(H+2K) / WORKGROUP_SIZE⌉, 65535), 1, 1), one lane per head, striding.  Workgroup: WORKGROUP_SIZE lanes.
// Numerics: f32, summed in order of d; tested to 1e-5 of the largest entry (D ≤ 256).

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> q_weight: array<f32>;
@group(0) @binding(3) var<storage, read> k_weight: array<f32>;
@group(0) @binding(4) var<storage, read> rrms: array<f32>;
@group(0) @binding(5) var<storage, read> dy: array<f32>;
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;

fn weight_of(head: u32, d: u32) -> f32 {
  if (head < params.heads) {
    return q_weight[d];
  }
  return k_weight[d];
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn head_norm_backward(
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
        dx[base + d] = dy[base + d];
      }
      continue;
    }
    var sum = 0.0;
    for (var d = 0u; d < params.head_dim; d++) {
      sum += dy[base + d] * weight_of(head, d) * x[base + d];
    }
    let scale = rrms[i / all_heads * normed_heads + head];
    let pull = sum / f32(params.head_dim) * scale * scale;
    for (var d = 0u; d < params.head_dim; d++) {
      dx[base + d] = scale * (dy[base + d] * weight_of(head, d) - x[base + d] * pull);
    }
  }
}
