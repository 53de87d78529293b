// sequence_stats — summary[first + b] = sums and extremes over the tokens of sequence b, for the metrics of a step
// After: the surrogate kernels, whose stats it reduces; 64 bytes a sequence are read back instead of 20 a token.
//
//   column  0 loss            1 tokens         2 clipped low     3 clipped high
//           4 Σ ρ             5 min ρ          6 max ρ           7 Σ k3(log ρ) = Σ (ρ − log ρ − 1)
//           8 Σ kl            9 Σ |log ρ|     10 max |log ρ|    11 Σ entropy
//          12 Σ importance   13 min           14 max            15 0
//
//   binding  name        shape    type  access
//   0        params      -        Params uniform
//   1        offsets     (B+1)    u32   read         where each completion starts in the arrays of M
//   2        weight      (M)      f32   read         tokens of weight 0 are not counted
//   3        stats       (M, 4)   f32   read         of a surrogate kernel
//   4        kl          (M)      f32   read         any buffer of M when has_kl = 0
//   5        importance  (M)      f32   read         any buffer of M when has_importance = 0
//   6        entropy     (M)      f32   read         of the policy at each token, nats
//   7        summary     (≥ first + B, 16)  f32  read_write
//
// Dispatch: (min(B, 65535), 1, 1), one workgroup per sequence, striding.  Workgroup: WORKGROUP_SIZE lanes, power of two.
// Numerics: f32 accumulation, tree reduction in a fixed order; k3 by its series below |log ρ| = 0.25; 1e-5 relative.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  sequences: u32,
  // M; offsets bound every loop, the host checks buffer sizes by it.
  tokens: u32,
  first: u32,
  has_kl: u32,
  has_importance: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> stats: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> kl: array<f32>;
@group(0) @binding(5) var<storage, read> importance: array<f32>;
@group(0) @binding(6) var<storage, read> entropy: array<f32>;
@group(0) @binding(7) var<storage, read_write> summary: array<vec4<f32>>;

// 64 bytes, so that 256 lanes fit the guaranteed workgroup memory.
struct Totals {
  // loss, tokens, clipped low, clipped high
  counts: vec4<f32>,
  // Σ ρ, Σ k3, Σ kl, Σ |log ρ|
  sums: vec4<f32>,
  // Σ entropy, Σ importance, min ρ, min importance
  mixed: vec4<f32>,
  // max ρ, max |log ρ|, max importance
  highs: vec3<f32>,
}

const NONE = Totals(vec4<f32>(0.0), vec4<f32>(0.0), vec4<f32>(0.0, 0.0, 3.0e38, 3.0e38), vec3<f32>(0.0));

var<workgroup> partial: array<Totals, WORKGROUP_SIZE>;

fn joined(a: Totals, b: Totals) -> Totals {
  return Totals(
    a.counts + b.counts,
    a.sums + b.sums,
    vec4<f32>(a.mixed.xy + b.mixed.xy, min(a.mixed.zw, b.mixed.zw)),
    max(a.highs, b.highs),
  );
}

// exp(d) − d − 1
fn k3_of(d: f32) -> f32 {
  let series = d * d / 2.0 * (1.0 + d / 3.0 * (1.0 + d / 4.0 * (1.0 + d / 5.0 * (1.0 + d / 6.0 * (1.0 + d / 7.0 * (1.0 + d / 8.0))))));
  return select(exp(clamp(d, -20.0, 20.0)) - d - 1.0, series, abs(d) < 0.25);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn sequence_stats(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var b = group.x; b < params.sequences; b += groups.x) {
    let end = offsets[b + 1];
    var mine = NONE;
    for (var m = offsets[b] + lane; m < end; m += WORKGROUP_SIZE) {
      if (weight[m] == 0.0) {
        continue;
      }
      let token = stats[m];
      let gap = abs(token.w);
      var r = 0.0;
      if (params.has_importance != 0) {
        r = importance[m];
      }
      var divergence = 0.0;
      if (params.has_kl != 0) {
        divergence = kl[m];
      }
      mine = joined(mine, Totals(
        vec4<f32>(token.x, 1.0, f32(token.z < 0.0), f32(token.z > 0.0)),
        vec4<f32>(token.y, k3_of(token.w), divergence, gap),
        vec4<f32>(entropy[m], r, token.y, r),
        vec3<f32>(token.y, gap, r),
      ));
    }
    partial[lane] = mine;
    for (var half = WORKGROUP_SIZE / 2; half > 0; half /= 2) {
      // The other half's partial totals must be written before they are joined.
      workgroupBarrier();
      if (lane < half) {
        partial[lane] = joined(partial[lane], partial[lane + half]);
      }
    }
    if (lane == 0) {
      let all = partial[0];
      let row = (params.first + b) * 4;
      summary[row] = all.counts;
      summary[row + 1] = vec4<f32>(all.sums.x, all.mixed.z, all.highs.x, all.sums.y);
      summary[row + 2] = vec4<f32>(all.sums.z, all.sums.w, all.highs.y, all.mixed.x);
      summary[row + 3] = vec4<f32>(all.mixed.y, all.mixed.w, all.highs.z, 0.0);
    }
    // The next sequence overwrites the partial totals that lane 0 may still read.
    workgroupBarrier();
  }
}
