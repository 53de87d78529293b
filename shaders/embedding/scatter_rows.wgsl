// scatter_rows — y[index[m], c] += x[m,c], every index at most once
// Paper: none; the transpose of gather_rows.wgsl for distinct indices.
//
//   binding  name    shape   type  access
//   0        params  -       Params uniform
//   1        x       (M, C)  f32   read
//   2        index   (M)     u32   read         distinct; an index of N or more is left out
//   3        y       (N, C)  f32   read_write
//
// Dispatch: (columns, rows, 1), striding both ways, as row_grid.ts says: eight elements a lane, rows of C cut or joined.
//   Workgroup: WORKGROUP_SIZE lanes, default 64.
// Numerics: one f32 addition an element, rounded once; tested bit for bit.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  rows: u32,
  width: u32,
  target_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn scatter_rows(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var m = id.y; m < params.rows; m += groups.y) {
    let row = index[m];
    if (row < params.target_rows) {
      for (var c = id.x; c < params.width; c += groups.x * WORKGROUP_SIZE) {
        y[row * params.width + c] += x[m * params.width + c];
      }
    }
  }
}
