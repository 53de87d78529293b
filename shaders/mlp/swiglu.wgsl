// swiglu — act[n,f] = silu(gate[n,f]) · up[n,f],  silu(g) = g / (1 + exp(−g)); gate and up lie side by side in a row
// Paper: Shazeer 2020, arXiv:2002.05202.  Backward: swiglu_backward.wgsl
//
//   binding  name     shape    type  access
//   0        params   -        Params uniform
//   1        gate_up  (N, 2F)  f32   read         gate first, then up
//   2        act      (N, F)   f32   read_write
//
// Dispatch: (columns, rows, 1), striding both ways, as row_grid.ts says: eight elements a lane, rows of F cut or joined.
//   Workgroup: WORKGROUP_SIZE lanes, default 64.
// Numerics: f32; tested to 1e-5 relative (WGSL bounds exp loosely).

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  rows: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gate_up: array<f32>;
@group(0) @binding(2) var<storage, read_write> act: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn swiglu(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var row = id.y; row < params.rows; row += groups.y) {
    let base = row * params.width;
    for (var f = id.x; f < params.width; f += groups.x * WORKGROUP_SIZE) {
      let at = 2 * base + f;
      let gate = gate_up[at];
      act[base + f] = gate / (1.0 + exp(-gate)) * gate_up[at + params.width];
    }
  }
}
