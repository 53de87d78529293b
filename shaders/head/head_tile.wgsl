// head_tile — folds one tile of logits into four numbers a row: max, Σ exp(z − max), Σ exp(z − max)·z, z[target]
// Paper: online softmax, Milakov & Gimelshein 2018, arXiv:1805.02867.  Then: head_finish.wgsl.  Backward: head_tile_backward.wgsl
//
//   binding  name    shape      type  access
//   0        params  -          Params uniform
//   1        logits  (M, TILE)  f32   read         columns tile_start … of the row, before temperature
//   2        targets (M)        u32   read
//   3        state   (M, 4)     f32   read_write   overwritten by the first tile
//
// Dispatch: (min(M, 65535), 1, 1), one workgroup per row, striding.  Workgroup: WORKGROUP_SIZE lanes, power of two.
// Numerics: f32, tree reduction in a fixed order; z = logit · inverse_temperature; tested to 1e-5 relative.

override WORKGROUP_SIZE: u32 = 32;

struct Params {
  rows: u32,
  tile_width: u32,
  tile_start: u32,
  first: u32,
  inverse_temperature: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<u32>;
@group(0) @binding(3) var<storage, read_write> state: array<vec4<f32>>;

const LOWEST = -3.4028234e38;

// Maximum, Σ exp(z − max), Σ exp(z − max)·z of what a lane has seen.
var<workgroup> partial: array<vec3<f32>, WORKGROUP_SIZE>;

fn join(a: vec3<f32>, b: vec3<f32>) -> vec3<f32> {
  let high = max(a.x, b.x);
  let left = exp(a.x - high);
  let right = exp(b.x - high);
  return vec3<f32>(high, a.y * left + b.y * right, a.z * left + b.z * right);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn head_tile(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var row = group.x; row < params.rows; row += groups.x) {
    let base = row * params.tile_width;
    var high = LOWEST;
    for (var v = lane; v < params.tile_width; v += WORKGROUP_SIZE) {
      high = max(high, logits[base + v] * params.inverse_temperature);
    }
    var sum = 0.0;
    var weighted = 0.0;
    for (var v = lane; v < params.tile_width; v += WORKGROUP_SIZE) {
      let z = logits[base + v] * params.inverse_temperature;
      let e = exp(z - high);
      sum += e;
      weighted += e * z;
    }
    partial[lane] = vec3<f32>(high, sum, weighted);
    for (var half = WORKGROUP_SIZE / 2; half > 0; half /= 2) {
      // The other half's sums must be written before they are joined.
      workgroupBarrier();
      if (lane < half) {
        partial[lane] = join(partial[lane], partial[lane + half]);
      }
    }
    if (lane == 0) {
      var total = partial[0];
      var hit = 0.0;
      if (params.first == 0) {
        let before = state[row];
        total = join(before.xyz, total);
        hit = before.w;
      }
      let t = targets[row];
      if (t >= params.tile_start && t - params.tile_start < params.tile_width) {
        hit = logits[base + t - params.tile_start] * params.inverse_temperature;
      }
      state[row] = vec4<f32>(total, hit);
    }
    // The next row overwrites the sums that lane 0 still reads.
    workgroupBarrier();
  }
}
