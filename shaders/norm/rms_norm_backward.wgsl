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
// Dispatch: (min(⌈N / LANES_ROW⌉, 65535), 1, 1), one workgroup per block of rows, striding.
//   Workgroup: LANES_COLUMN × LANES_ROW lanes; the lanes of a row share its columns.
// Numerics: f32; every lane sums every LANES_COLUMN-th column, then all sums in order; tested to 1e-5 of the largest entry.

override LANES_COLUMN: u32 = 8;
override LANES_ROW: u32 = 8;

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

var<workgroup> partial: array<f32, LANES_COLUMN * LANES_ROW>;

@compute @workgroup_size(LANES_COLUMN, LANES_ROW)
fn rms_norm_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) lane: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let first = lane.y * LANES_COLUMN;
  for (var block = group.x * LANES_ROW; block < params.rows; block += groups.x * LANES_ROW) {
    let row = block + lane.y;
    let base = row * params.width;
    var sum = 0.0;
    if (row < params.rows) {
      for (var c = lane.x; c < params.width; c += LANES_COLUMN) {
        sum += dy[base + c] * weight[c] * x[base + c];
      }
    }
    partial[first + lane.x] = sum;
    // All lanes of a row must have written their sums before any adds them up.
    workgroupBarrier();
    if (row < params.rows) {
      var total = 0.0;
      for (var i = 0u; i < LANES_COLUMN; i++) {
        total += partial[first + i];
      }
      let scale = rrms[row];
      let pull = total / f32(params.width) * scale * scale;
      for (var c = lane.x; c < params.width; c += LANES_COLUMN) {
        var d = scale * (dy[base + c] * weight[c] - x[base + c] * pull);
        if (params.accumulate != 0) {
          d += dx[base + c];
        }
        dx[base + c] = d;
      }
    }
    // The next block overwrites the sums that other lanes may still read.
    workgroupBarrier();
  }
}
