// rms_norm_backward — dx[n,c] (+)= rrms·(g[c] − x[n,c]·rrms²·mean_c(g·x)),  g[c] = dy[n,c]·weight[c],  rrms = rrms[n]
// Paper: Zhang & Sennrich 2019, arXiv:1910.07467.  Forward: rms_norm.wgsl.  The weight's half: rms_norm_weight_backward.wgsl
//
//   binding  name    shape   type  access
//   0        params  -       Params uniform
//   1        x       (N, C)  f32   read
//   2        weight  (C)     f32   read
//   3        rrms    (N)     f32   read
//   4        dy      (N, C)  f32   read
//   5        dx      (N, C)  f32   read_write
//
// Dispatch: (min(N, 65535), 1, 1), one workgroup per row, striding.  Workgroup: WORKGROUP_SIZE lanes, power of two.
// Numerics: f32 accumulation, tree reduction in a fixed order; tested to 1e-5 of the row's largest entry.

override WORKGROUP_SIZE: u32 = 32;

struct Params {
  rows: u32,
  width: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> rrms: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

var<workgroup> partial: array<f32, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn rms_norm_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var row = group.x; row < params.rows; row += groups.x) {
    let base = row * params.width;
    var sum = 0.0;
    for (var c = lane; c < params.width; c += WORKGROUP_SIZE) {
      sum += dy[base + c] * weight[c] * x[base + c];
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
    let scale = rrms[row];
    let pull = partial[0] / f32(params.width) * scale * scale;
    for (var c = lane; c < params.width; c += WORKGROUP_SIZE) {
      var d = scale * (dy[base + c] * weight[c] - x[base + c] * pull);
      if (params.accumulate != 0) {
        d += dx[base + c];
      }
      dx[base + c] = d;
    }
    // The next row overwrites the partial sums that other lanes may still read.
    workgroupBarrier();
  }
}
