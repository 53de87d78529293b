// lora_expand_vec4 — lora_expand.wgsl for rank, starts, widths and y_stride divisible by 4: loads of four, 8 × 4 results
// Why: on software adapters a load costs as much as dozens of multiply-adds, whatever its width.
//
//   binding  name     shape             type       access
//   0        params   -                 Params     uniform
//   1        hidden   (N, modules·R/4)  vec4<f32>  read
//   2        b        (widths, R/4)     vec4<f32>  read         the modules' matrices, one below the other
//   3        y        (N, y_stride/4)   vec4<f32>  read_write
//
// Dispatch: (blocks of rows × columns, modules, 1), striding over both.
//   Workgroup: WORKGROUP_SIZE lanes, of which LANES_OUTPUT lie side by side along the columns.
// Numerics: f32, four products at a time, in order of j; tested to 4·ε·√R of the largest result.

override WORKGROUP_SIZE: u32 = 32;
override LANES_OUTPUT: u32 = 8;

const TILE_ROWS = 8u;

struct Params {
  rows: u32,
  rank: u32,
  y_stride: u32,
  modules: u32,
  start_0: u32,
  width_0: u32,
  start_1: u32,
  width_1: u32,
  start_2: u32,
  width_2: u32,
  scale: f32,
}

struct Place {
  /// The module's first column of y.
  start: u32,
  /// Its columns, and its rows of b.
  width: u32,
  /// Its first row of b.
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> hidden: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

fn place_of(t: u32) -> Place {
  if (t == 0) {
    return Place(params.start_0, params.width_0, 0);
  }
  if (t == 1) {
    return Place(params.start_1, params.width_1, params.width_0);
  }
  return Place(params.start_2, params.width_2, params.width_0 + params.width_1);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn lora_expand_vec4(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let rank = params.rank / 4;
  let block_rows = WORKGROUP_SIZE / LANES_OUTPUT * TILE_ROWS;
  let block_outputs = LANES_OUTPUT * 4;
  for (var t = group.y; t < params.modules; t += groups.y) {
    let place = place_of(t);
    let across = (place.width + block_outputs - 1) / block_outputs;
    let blocks = across * ((params.rows + block_rows - 1) / block_rows);
    for (var block = group.x; block < blocks; block += groups.x) {
      let n0 = block / across * block_rows + lane / LANES_OUTPUT * TILE_ROWS;
      let o0 = block % across * block_outputs + lane % LANES_OUTPUT * 4;
      if (n0 >= params.rows || o0 >= place.width) {
        continue;
      }
      let base = (place.row + o0) * rank;
      // Zeros spelled out, see linear_vec4.wgsl.
      var sums = array<vec4<f32>, TILE_ROWS>();
      for (var j = 0u; j < rank; j++) {
        let at = base + j;
        let columns = mat4x4<f32>(b[at], b[at + rank], b[at + 2 * rank], b[at + 3 * rank]);
        for (var r = 0u; r < TILE_ROWS; r++) {
          // Lanes that hang over the edge read the last row again and store nothing for it.
          sums[r] += hidden[(min(n0 + r, params.rows - 1) * params.modules + t) * rank + j] * columns;
        }
      }
      for (var r = 0u; r < TILE_ROWS; r++) {
        if (n0 + r < params.rows) {
          y[((n0 + r) * params.y_stride + place.start + o0) / 4] += params.scale * sums[r];
        }
      }
    }
  }
}
