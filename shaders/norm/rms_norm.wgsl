// rms_norm — y[n,c] = x[n,c] · rrms[n] · weight[c],  rrms[n] = 1 / sqrt(mean_c(x²) + eps)
// Paper: Zhang & Sennrich 2019, arXiv:1910.07467.  Backward: rms_norm_backward.wgsl
//
//   binding  name    shape   type  access
//   0        params  -       Params uniform
//   1        x       (N, C)  f32   read
//   2        weight  (C)     f32   read
//   3        y       (N, C)  f32   read_write
//   4        rrms    (N)     f32   read_write   kept for the backward pass
//
// Dispatch: (min(N, 65535), 1, 1), one workgroup per row, striding.  Workgroup: WORKGROUP_SIZE lanes, power of two.
// Numerics: f32 accumulation, tree reduction in a fixed order; tested to 1e-6 relative (C ≤ 8192).

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  rows: u32,
  width: u32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> rrms: array<f32>;

var<workgroup> partial: array<f32, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn rms_norm(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var row = group.x; row < params.rows; row += groups.x) {
    let base = row * params.width;
    var sum = 0.0;
    for (var c = lane; c < params.width; c += WORKGROUP_SIZE) {
      let value = x[base + c];
      sum += value * value;
    }
    partial[lane] = sum;
    for (var half = WORKGROUP_SIZE / 2; half > 0; half /= 2) {
      // The other half's partial sums must be written before they are added.
      workgroupBarrier();
      if (lane < half) {
        partial[lane] += partial[lane + half];
      }
    }
    // Every lane reads the total that lane 0 finished.
    workgroupBarrier();
    let scale = inverseSqrt(partial[0] / f32(params.width) + params.eps);
    for (var c = lane; c < params.width; c += WORKGROUP_SIZE) {
      y[base + c] = x[base + c] * scale * weight[c];
    }
    if (lane == 0) {
      rrms[row] = scale;
    }
    // The next row overwrites the partial sums that other lanes may still read.
    workgroupBarrier();
  }
}
