// scatter_rows — y[index[m], c] += x[m,c], every index at most once
// Paper: none; the transpose of gather_rows.wgsl for distinct indices.
//
//   binding  name    shape   type  access
//   0        params  -       Params uniform
//   1        x       (M, C)  f32   read
//   2        index   (M)     u32   read         distinct; an index of N or more is left out
//   3        y       (N, C)  f32   read_write
//
// Dispatch: (min(⌈M·C / WORKGROUP_SIZE⌉, 65535), 1, 1), striding.  Workgroup: WORKGROUP_SIZE lanes, default 64.
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
  let count = params.rows * params.width;
  for (var i = id.x; i < count; i += groups.x * WORKGROUP_SIZE) {
    let row = index[i / params.width];
    if (row < params.target_rows) {
      y[row * params.width + i % params.width] += x[i];
    }
  }
}
