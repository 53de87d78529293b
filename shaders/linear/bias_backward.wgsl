// bias_backward — dbias[o] (+)= sum_n dy[n,o]; adds to dbias if accumulate
// Forward: linear.wgsl with has_bias.
//
//   binding  name    shape   type  access
//   0        params  -       Params uniform
//   1        dy      (N, O)  f32   read
//   2        dbias   (O)     f32   read_write
//
// Dispatch: one workgroup per LANES_OUTPUT columns, striding.
//   Workgroup: LANES_OUTPUT neighbouring columns × LANES_ROW shares of the rows (a power of two).
// Numerics: f32; each lane sums every LANES_ROW-th row in order, then a tree; tested to 1e-5 of the largest result.

override LANES_OUTPUT: u32 = 8;
override LANES_ROW: u32 = 8;

struct Params {
  rows: u32,
  outputs: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dbias: array<f32>;

var<workgroup> partial: array<f32, LANES_OUTPUT * LANES_ROW>;

@compute @workgroup_size(LANES_OUTPUT, LANES_ROW)
fn bias_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) lane: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let slot = lane.y * LANES_OUTPUT + lane.x;
  for (var first = group.x * LANES_OUTPUT; first < params.outputs; first += groups.x * LANES_OUTPUT) {
    let o = first + lane.x;
    var sum = 0.0;
    if (o < params.outputs) {
      for (var n = lane.y; n < params.rows; n += LANES_ROW) {
        sum += dy[n * params.outputs + o];
      }
    }
    partial[slot] = sum;
    for (var half = LANES_ROW / 2; half > 0; half /= 2) {
      // The other half's partial sums must be written before they are added.
      workgroupBarrier();
      if (lane.y < half) {
        partial[slot] += partial[slot + half * LANES_OUTPUT];
      }
    }
    if (lane.y == 0 && o < params.outputs) {
      dbias[o] = partial[slot] + select(0.0, dbias[o], params.accumulate != 0);
    }
    // The next columns overwrite the partial sums that other lanes may still read.
    workgroupBarrier();
  }
}
