// head_tile — folds one tile of logits into four numbers a row: max, S = Σ exp(z − max), Σ exp(z − max)·(z − max), z[target]
// Paper: online softmax, Milakov & Gimelshein 2018, arXiv:1805.02867.  Then: head_finish.wgsl.  Backward: head_tile_backward.wgsl
//
//   binding  name     shape      type  access
//   0        params   -          Params uniform
//   1        logits   (M, TILE)  f32   read         columns tile_start … of the row, before temperature
//   2        targets  (M)        u32   read
//   3        state    (M, 4)     f32   read_write   overwritten by the first tile
//
// Dispatch: (min(⌈M / rows a workgroup⌉, 65535), 1, 1), striding.  Workgroup: WORKGROUP_SIZE lanes, power of two, in teams
// of one row each: as few lanes as leave each no more than COLUMNS_PER_LANE columns, so narrow tiles pass no barrier.
// Numerics: f32, teams joined as trees in a fixed order; z = logit · inverse_temperature; tested, with head_finish, to 1e-5
// relative and absolute however the vocabulary is split. A logit of −inf has probability 0; NaN makes its row NaN.

override WORKGROUP_SIZE: u32 = 32;
override COLUMNS_PER_LANE: u32 = 32;

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

// What a lane has seen of its row: the first three numbers of the state.
var<workgroup> partial: array<vec3<f32>, WORKGROUP_SIZE>;

// The two sums of `part` as seen from the maximum `high`.
fn shifted(part: vec3<f32>, high: f32) -> vec2<f32> {
  let gap = part.x - high;
  let scale = exp(gap);
  // Where nothing is left, the gap may be infinite and must not be multiplied.
  return vec2<f32>(part.y * scale, select((part.z + part.y * gap) * scale, 0.0, scale == 0.0));
}

fn join(a: vec3<f32>, b: vec3<f32>) -> vec3<f32> {
  let high = max(a.x, b.x);
  return vec3<f32>(high, shifted(a, high) + shifted(b, high));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn head_tile(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  var team = 1u;
  while (team < WORKGROUP_SIZE && team * COLUMNS_PER_LANE < params.tile_width) {
    team *= 2;
  }
  let rows_per_group = WORKGROUP_SIZE / team;
  let member = lane % team;
  for (var first_row = group.x * rows_per_group; first_row < params.rows; first_row += groups.x * rows_per_group) {
    let row = first_row + lane / team;
    let base = row * params.tile_width;
    var seen = vec3<f32>(LOWEST, 0.0, 0.0);
    if (row < params.rows) {
      for (var v = member; v < params.tile_width; v += team) {
        seen.x = max(seen.x, logits[base + v] * params.inverse_temperature);
      }
      for (var v = member; v < params.tile_width; v += team) {
        let gap = logits[base + v] * params.inverse_temperature - seen.x;
        let e = exp(gap);
        // Not every adapter's exp passes NaN on: by its bits it is put into the sum as it is.
        seen.y += select(e, gap, (bitcast<u32>(gap) & 0x7fffffffu) > 0x7f800000u);
        seen.z += select(e * gap, 0.0, e == 0.0);
      }
    }
    if (team > 1) {
      // The next row's sums overwrite those that the team's other members may still read.
      workgroupBarrier();
      partial[lane] = seen;
      for (var half = team / 2; half > 0; half /= 2) {
        // The other half's sums must be written before they are joined.
        workgroupBarrier();
        if (member < half) {
          partial[lane] = join(partial[lane], partial[lane + half]);
        }
      }
      seen = partial[lane];
    }
    if (member == 0 && row < params.rows) {
      var hit = 0.0;
      if (params.first == 0) {
        let before = state[row];
        seen = join(before.xyz, seen);
        hit = before.w;
      }
      let t = targets[row];
      if (t >= params.tile_start && t - params.tile_start < params.tile_width) {
        hit = logits[base + t - params.tile_start] * params.inverse_temperature;
      }
      state[row] = vec4<f32>(seen, hit);
    }
  }
}
