// lora_expand — y[n, start_t + o] += scale · sum_j hidden[n, t·R + j] · b[row_t + o, j],  sizes of any kind
// Paper: Hu et al. 2021, arXiv:2106.09685; hidden = x·aᵀ.  Backward: lora_backward_hidden.wgsl, lora_backward_expand.wgsl
// One to three modules t of a fused linear layer, whose columns of y must not overlap; other columns stay as they are.
//
//   binding  name     shape           type  access
//   0        params   -               Params uniform
//   1        hidden   (N, modules·R)  f32   read
//   2        b        (widths, R)     f32   read         the modules' matrices, one below the other
//   3        y        (N, y_stride)   f32   read_write
//
// Dispatch: (blocks of rows × columns, modules, 1), striding over both.  A lane makes 4 × 4 results in registers.
//   Workgroup: WORKGROUP_SIZE lanes, of which LANES_OUTPUT lie side by side along the columns.
// Numerics: f32, summed over j in order; tested to 4·ε·√R of the largest result.

override WORKGROUP_SIZE: u32 = 32;
override LANES_OUTPUT: u32 = 4;

const TILE = 4u;

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
@group(0) @binding(1) var<storage, read> hidden: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

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
fn lora_expand(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let rank = params.rank;
  let block_rows = WORKGROUP_SIZE / LANES_OUTPUT * TILE;
  let block_outputs = LANES_OUTPUT * TILE;
  for (var t = group.y; t < params.modules; t += groups.y) {
    let place = place_of(t);
    let across = (place.width + block_outputs - 1) / block_outputs;
    let blocks = across * ((params.rows + block_rows - 1) / block_rows);
    for (var block = group.x; block < blocks; block += groups.x) {
      let n0 = block / across * block_rows + lane / LANES_OUTPUT * TILE;
      let o0 = block % across * block_outputs + lane % LANES_OUTPUT * TILE;
      if (n0 >= params.rows || o0 >= place.width) {
        continue;
      }
      // Lanes that hang over the edge read the last row or column again and store nothing for it.
      let last = place.width - 1;
      let b0 = (place.row + o0) * rank;
      let b1 = (place.row + min(o0 + 1, last)) * rank;
      let b2 = (place.row + min(o0 + 2, last)) * rank;
      let b3 = (place.row + min(o0 + 3, last)) * rank;
      // Zeros spelled out, see linear_vec4.wgsl.
      var sums = array<vec4<f32>, TILE>();
      for (var j = 0u; j < rank; j++) {
        let column = vec4<f32>(b[b0 + j], b[b1 + j], b[b2 + j], b[b3 + j]);
        for (var r = 0u; r < TILE; r++) {
          sums[r] += hidden[(min(n0 + r, params.rows - 1) * params.modules + t) * rank + j] * column;
        }
      }
      for (var r = 0u; r < TILE; r++) {
        for (var c = 0u; c < TILE; c++) {
          if (n0 + r < params.rows && o0 + c < place.width) {
            y[(n0 + r) * params.y_stride + place.start + o0 + c] += params.scale * sums[r][c];
          }
        }
      }
    }
  }
}
