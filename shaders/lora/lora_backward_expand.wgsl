// lora_backward_expand — db[row_t + o, j] (+)= scale · sum_n dy[n, start_t + o] · hidden[n, t·R + j];  adds if accumulate
// Paper: Hu et al. 2021, arXiv:2106.09685.  Forward: lora_expand.wgsl.  Sizes of any kind; both operands read in place.
//
//   binding  name     shape           type  access
//   0        params   -               Params uniform
//   1        dy       (N, y_stride)   f32   read
//   2        hidden   (N, modules·R)  f32   read
//   3        db       (widths, R)     f32   read_write   the modules' gradients, one below the other
//
// Dispatch: (blocks of columns × ranks, modules, 1), striding over both.  A lane makes 4 × 4 results in registers.
//   Workgroup: WORKGROUP_SIZE lanes, of which LANES_RANK lie side by side along the rank.
// Numerics: f32, summed over n in order; tested to 4·ε·√N of the largest result.

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
  accumulate: u32,
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
@group(0) @binding(2) var<storage, read> hidden: array<f32>;
@group(0) @binding(3) var<storage, read_write> db: array<f32>;

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
fn lora_backward_expand(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let rank = params.rank;
  let block_outputs = WORKGROUP_SIZE / LANES_RANK * TILE;
  let block_ranks = LANES_RANK * TILE;
  let across = (rank + block_ranks - 1) / block_ranks;
  for (var t = group.y; t < params.modules; t += groups.y) {
    let place = place_of(t);
    let blocks = across * ((place.width + block_outputs - 1) / block_outputs);
    for (var block = group.x; block < blocks; block += groups.x) {
      let o0 = block / across * block_outputs + lane / LANES_RANK * TILE;
      let j0 = block % across * block_ranks + lane % LANES_RANK * TILE;
      if (o0 >= place.width || j0 >= rank) {
        continue;
      }
      // Lanes that hang over the edge read the last column or rank again and store nothing for it.
      let j1 = min(j0 + 1, rank - 1);
      let j2 = min(j0 + 2, rank - 1);
      let j3 = min(j0 + 3, rank - 1);
      // Zeros spelled out, see linear_vec4.wgsl.
      var sums = array<vec4<f32>, TILE>();
      for (var n = 0u; n < params.rows; n++) {
        let base = (n * params.modules + t) * rank;
        let row = vec4<f32>(hidden[base + j0], hidden[base + j1], hidden[base + j2], hidden[base + j3]);
        for (var r = 0u; r < TILE; r++) {
          sums[r] += dy[n * params.y_stride + place.start + min(o0 + r, place.width - 1)] * row;
        }
      }
      for (var r = 0u; r < TILE; r++) {
        for (var c = 0u; c < TILE; c++) {
          if (o0 + r < place.width && j0 + c < rank) {
            let at = (place.row + o0 + r) * rank + j0 + c;
            db[at] = params.scale * sums[r][c] + select(0.0, db[at], params.accumulate != 0);
          }
        }
      }
    }
  }
}
