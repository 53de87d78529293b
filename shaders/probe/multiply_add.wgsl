// multiply_add — x[n,i] ← x[n,i] · factor + addend, 8 · `rounds` times, in registers: what the arithmetic units do at most
// The measure that other kernels' GFLOP/s are held against; no model needs it.
//
//   binding  name    shape   type  access
//   0        params  -       Params uniform
//   1        x       (N, 8)  f32   read_write
//
// Dispatch: (min(⌈N / WORKGROUP_SIZE⌉, 65535), 1, 1), one lane per row, striding.  Workgroup: WORKGROUP_SIZE lanes.
// A lane's eight numbers are independent of each other, so that the next multiply-add need not wait for the last;
// eight steps a round, because a loop's own work costs software adapters more than the arithmetic.
// Numerics: f32, fused or not as the adapter likes; tested to 1e-5 relative after 200 rounds.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  rows: u32,
  rounds: u32,
  factor: f32,
  addend: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> x: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn multiply_add(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let factor = vec4<f32>(params.factor);
  let addend = vec4<f32>(params.addend);
  for (var row = id.x; row < params.rows; row += groups.x * WORKGROUP_SIZE) {
    var low = x[2 * row];
    var high = x[2 * row + 1];
    for (var i = 0u; i < params.rounds; i++) {
      low = fma(low, factor, addend);
      high = fma(high, factor, addend);
      low = fma(low, factor, addend);
      high = fma(high, factor, addend);
      low = fma(low, factor, addend);
      high = fma(high, factor, addend);
      low = fma(low, factor, addend);
      high = fma(high, factor, addend);
      low = fma(low, factor, addend);
      high = fma(high, factor, addend);
      low = fma(low, factor, addend);
      high = fma(high, factor, addend);
      low = fma(low, factor, addend);
      high = fma(high, factor, addend);
      low = fma(low, factor, addend);
      high = fma(high, factor, addend);
    }
    x[2 * row] = low;
    x[2 * row + 1] = high;
  }
}
