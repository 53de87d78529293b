// embedding — y[n,c] = table[ids[n] − first, c] where 0 ≤ ids[n] − first < V; other rows of y stay as they are
// Paper: token embedding of the Transformer, Vaswani et al. 2017, arXiv:1706.03762.  Backward: embedding_backward.wgsl
// The table holds V rows from token id `first` on: a table in several parts takes a dispatch each, and together they fill y.
//
//   binding  name    shape   type  access
//   0        params  -       Params uniform
//   1        table   (V, C)  f32   read
//   2        ids     (N)     u32   read
//   3        y       (N, C)  f32   read_write
//
// Dispatch: (columns, rows, 1), striding both ways, as row_grid.ts says: eight elements a lane, rows of C cut or joined.
//   Workgroup: WORKGROUP_SIZE lanes, default 64.
// Numerics: a copy; exact.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  rows: u32,
  width: u32,
  vocab: u32,
  first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn embedding(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var row = id.y; row < params.rows; row += groups.y) {
    let base = row * params.width;
    // An id below `first` wraps round to a large one.
    let token = ids[row] - params.first;
    if (token < params.vocab) {
      for (var c = id.x; c < params.width; c += groups.x * WORKGROUP_SIZE) {
        y[base + c] = table[token * params.width + c];
      }
    }
  }
}
