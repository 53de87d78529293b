// gather_rows — y[m,c] = x[index[m], c]: only these rows go on to the head
// Paper: none; row selection.  Backward: scatter_rows.wgsl
//
//   binding  name    shape   type  access
//   0        params  -       Params uniform
//   1        x       (N, C)  f32   read
//   2        index   (M)     u32   read
//   3        y       (M, C)  f32   read_write
//
// Dispatch: (columns, rows, 1), striding both ways, as row_grid.ts says: eight elements a lane, rows of C cut or joined.
//   Workgroup: WORKGROUP_SIZE lanes, default 64.
// Numerics: a copy; exact. An index of N or more reads as zeros.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  rows: u32,
  width: u32,
  source_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn gather_rows(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var m = id.y; m < params.rows; m += groups.y) {
    let base = m * params.width;
    let row = index[m];
    if (row < params.source_rows) {
      for (var c = id.x; c < params.width; c += groups.x * WORKGROUP_SIZE) {
        y[base + c] = x[row * params.width + c];
      }
    } else {
      for (var c = id.x; c < params.width; c += groups.x * WORKGROUP_SIZE) {
        y[base + c] = 0.0;
      }
    }
  }
}
