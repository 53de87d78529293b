// embedding_half — embedding.wgsl from a table in f16: y[n,c] = table[ids[n] − first, c] where 0 ≤ ids[n] − first < V
// For a width divisible by 4; rows of y whose id is another stay as they are.  Backward: embedding_backward.wgsl
// Stored4: four numbers as f16 or as pairs of f16 in words; src/kernels/stored.ts puts it and widen before this text.
//
//   binding  name    shape     type       access
//   0        params  -         Params     uniform
//   1        table   (V, C/4)  Stored4    read
//   2        ids     (N)       u32        read
//   3        y       (N, C/4)  vec4<f32>  read_write
//
// Dispatch: (columns, rows, 1), striding both ways, as row_grid.ts says: eight vec4 a lane, rows of C/4 cut or joined.
//   Workgroup: WORKGROUP_SIZE lanes, default 64.
// Numerics: exact; an adapter without f16 subnormals may take what is under 2⁻¹⁴ for zero.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  rows: u32,
  width: u32,
  vocab: u32,
  first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<Stored4>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn embedding_half(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let quads = params.width / 4;
  for (var row = id.y; row < params.rows; row += groups.y) {
    // An id below `first` wraps round to a large one.
    let token = ids[row] - params.first;
    if (token < params.vocab) {
      for (var c = id.x; c < quads; c += groups.x * WORKGROUP_SIZE) {
        y[row * quads + c] = widen(table[token * quads + c]);
      }
    }
  }
}
