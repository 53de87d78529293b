// lora_backward_expand_vec4 — lora_backward_expand.wgsl for rank, starts, widths and y_stride divisible by 4
// Why: loads of four and 8 × 4 results in registers, see lora_expand_vec4.wgsl.
//
//   binding  name     shape             type       access
//   0        params   -                 Params     uniform
//   1        dy       (N, y_stride/4)   vec4<f32>  read
//   2        hidden   (N, modules·R/4)  vec4<f32>  read
//   3        db       (widths, R/4)     vec4<f32>  read_write   the modules' gradients, one below the other
//
// Dispatch: (blocks of columns × ranks, modules, 1), striding over both.
//   Workgroup: WORKGROUP_SIZE lanes, of which LANES_RANK lie side by side along the rank.
// Numerics: f32, summed over n in order; tested to 4·ε·√N of the largest result.

override WORKGROUP_SIZE: u32 = 32;
override LANES_RANK: u32 = 2;

const TILE_OUTPUTS = 8u;

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
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> hidden: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> db: array<vec4<f32>>;

fn place_of(t: u32) -> Place {
  if (t == 0) {
    return Place(params.start_0, params.width_0, 0);
  }
  if (t == 1) {
    return Place(params.start_1, params.width_1, params.width_0);
  }
  return Place(params.start_2, params.width_2, params.width_0 + params.width_1);
}

/// Column i is a · b[i]: the i-th of four columns of y, four ranks wide.
fn outer(a: vec4<f32>, b: vec4<f32>) -> mat4x4<f32> {
  return mat4x4<f32>(a * b.x, a * b.y, a * b.z, a * b.w);
}

fn store_row(at: u32, sum: vec4<f32>) {
  var result = params.scale * sum;
  if (params.accumulate != 0) {
    result += db[at];
  }
  db[at] = result;
}

/// Four rows of db, the first of them at vector `at`.
fn store(at: u32, sums: mat4x4<f32>) {
  let rank = params.rank / 4;
  store_row(at, sums[0]);
  store_row(at + rank, sums[1]);
  store_row(at + 2 * rank, sums[2]);
  store_row(at + 3 * rank, sums[3]);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn lora_backward_expand_vec4(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let rank = params.rank / 4;
  let y_stride = params.y_stride / 4;
  let block_outputs = WORKGROUP_SIZE / LANES_RANK * TILE_OUTPUTS;
  let across = (rank + LANES_RANK - 1) / LANES_RANK;
  for (var t = group.y; t < params.modules; t += groups.y) {
    let place = place_of(t);
    let blocks = across * ((place.width + block_outputs - 1) / block_outputs);
    for (var block = group.x; block < blocks; block += groups.x) {
      let o0 = block / across * block_outputs + lane / LANES_RANK * TILE_OUTPUTS;
      let j = block % across * LANES_RANK + lane % LANES_RANK;
      if (o0 >= place.width || j >= rank) {
        continue;
      }
      // Lanes that hang over the edge read the last columns again and store nothing for them.
      let low = (place.start + o0) / 4;
      let high = (place.start + min(o0 + 4, place.width - 4)) / 4;
      // Zeros spelled out, see linear_vec4.wgsl.
      var sums_low = mat4x4<f32>();
      var sums_high = mat4x4<f32>();
      for (var n = 0u; n < params.rows; n++) {
        let row = hidden[(n * params.modules + t) * rank + j];
        sums_low += outer(row, dy[n * y_stride + low]);
        sums_high += outer(row, dy[n * y_stride + high]);
      }
      store((place.row + o0) * rank + j, sums_low);
      if (o0 + 4 < place.width) {
        store((place.row + o0 + 4) * rank + j, sums_high);
      }
    }
  }
}
