// rms_norm_weight_backward — dweight[c] (+)= Σ_n dy[n,c] · x[n,c] · rrms[n]
// Paper: Zhang & Sennrich 2019, arXiv:1910.07467.  Forward: rms_norm.wgsl.  The input's half: rms_norm_backward.wgsl
//
//   binding  name     shape   type  access
//   0        params   -       Params uniform
//   1        x        (N, C)  f32   read
//   2        rrms     (N)     f32   read
//   3        dy       (N, C)  f32   read
//   4        dweight  (C)     f32   read_write
//
// Dispatch: (ceil(C / LANES_COLUMN), 1, 1), striding.  Workgroup: LANES_COLUMN × LANES_ROW lanes, LANES_ROW a power of two.
// Numerics: f32; each lane sums every LANES_ROW-th row, then a tree in a fixed order; tested to 1e-5 of the largest entry.

override LANES_COLUMN: u32 = 8;
override LANES_ROW: u32 = 8;

struct Params {
  rows: u32,
  width: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> rrms: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dweight: array<f32>;

var<workgroup> partial: array<f32, LANES_COLUMN * LANES_ROW>;

@compute @workgroup_size(LANES_COLUMN, LANES_ROW)
fn rms_norm_weight_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let lane = local.y * LANES_COLUMN + local.x;
  for (var block = group.x; block * LANES_COLUMN < params.width; block += groups.x) {
    let c = block * LANES_COLUMN + local.x;
    var sum = 0.0;
    if (c < params.width) {
      for (var row = local.y; row < params.rows; row += LANES_ROW) {
        sum += dy[row * params.width + c] * x[row * params.width + c] * rrms[row];
      }
    }
    partial[lane] = sum;
    for (var half = LANES_ROW / 2; half > 0; half /= 2) {
      // The other half's partial sums must be written before they are added.
      workgroupBarrier();
      if (local.y < half) {
        partial[lane] += partial[lane + half * LANES_COLUMN];
      }
    }
    if (local.y == 0 && c < params.width) {
      if (params.accumulate != 0) {
        sum = partial[lane] + dweight[c];
      } else {
        sum = partial[lane];
      }
      dweight[c] = sum;
    }
    // The next block overwrites the sums that row 0 of lanes still reads.
    workgroupBarrier();
  }
}
