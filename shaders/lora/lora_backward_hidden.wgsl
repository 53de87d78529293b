// lora_backward_hidden — dhidden[n, t·R + j] = scale · sum_o dy[n, start_t + o] · b[row_t + o, j],  sizes of any kind
// Paper: Hu et al. 2021, arXiv:2106.09685.  Forward: lora_expand.wgsl.  Reads b in place, never transposed.
// From dhidden, the linear layer's own backward kernels make da = dhiddenᵀ·x and dx += dhidden·a.
//
//   binding  name     shape           type  access
//   0        params   -               Params uniform
//   1        dy       (N, y_stride)   f32   read
//   2        b        (widths, R)     f32   read         the modules' matrices, one below the other
//   3        dhidden  (N, modules·R)  f32   write
//
// Dispatch: (blocks of rows × ranks, modules, 1), striding over both.  A lane makes 4 × 4 results in registers.
//   Workgroup: WORKGROUP_SIZE lanes, of which LANES_RANK lie side by side along the rank.
// Numerics: f32, summed over o in order; tested to 4·ε·√width of the largest result.

override WORKGROUP_SIZE: u32 = 32;
override LANES_RANK: u32 = 2;

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
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> dhidden: array<f32>;

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
fn lora_backward_hidden(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let rank = params.rank;
  let block_rows = WORKGROUP_SIZE / LANES_RANK * TILE;
  let block_ranks = LANES_RANK * TILE;
  let across = (rank + block_ranks - 1) / block_ranks;
  let blocks = across * ((params.rows + block_rows - 1) / block_rows);
  for (var t = group.y; t < params.modules; t += groups.y) {
    let place = place_of(t);
    for (var block = group.x; block < blocks; block += groups.x) {
      let n0 = block / across * block_rows + lane / LANES_RANK * TILE;
      let j0 = block % across * block_ranks + lane % LANES_RANK * TILE;
      if (n0 >= params.rows || j0 >= rank) {
        continue;
      }
      // Lanes that hang over the edge read the last row or rank again and store nothing for it.
      let j1 = min(j0 + 1, rank - 1);
      let j2 = min(j0 + 2, rank - 1);
      let j3 = min(j0 + 3, rank - 1);
      // Zeros spelled out, see linear_vec4.wgsl.
      var sums = array<vec4<f32>, TILE>();
      for (var o = 0u; o < place.width; o++) {
        let base = (place.row + o) * rank;
        let weights = vec4<f32>(b[base + j0], b[base + j1], b[base + j2], b[base + j3]);
        for (var r = 0u; r < TILE; r++) {
          sums[r] += dy[min(n0 + r, params.rows - 1) * params.y_stride + place.start + o] * weights;
        }
      }
      for (var r = 0u; r < TILE; r++) {
        for (var c = 0u; c < TILE; c++) {
          if (n0 + r < params.rows && j0 + c < rank) {
            dhidden[((n0 + r) * params.modules + t) * rank + j0 + c] = params.scale * sums[r][c];
          }
        }
      }
    }
  }
}
