// sequence_surrogate — term[m] = −min(s·A, clamp(s, LOW, HIGH)·A),  s = exp(mean log ratio of b) for every token m of b
// Paper: GSPO, arXiv:2507.18071.  Before it: sequence_ratio.wgsl.
// Backward: in the same pass and through s: grad[m] = (s / tokens of b) · Σ over the sequence of weight · ∂term/∂s.
//
//   binding  name           shape   type  access
//   0        params         -       Params uniform
//   1        offsets        (B+1)   u32   read         where each completion starts in the arrays of M
//   2        log_ratio      (M)     f32   read         of sequence_ratio
//   3        ratio          (B, 2)  f32   read         of sequence_ratio: mean log ratio, tokens
//   4        advantage      (M)     f32   read         may differ from token to token
//   5        weight         (M)     f32   read         0 takes the token out, even NaN
//   6        scaled_weight  (M)     f32   read         weight times importance; the weight itself without importance
//   7        grad           (M)     f32   read_write   ∂loss/∂logprob
//   8        stats          (M, 4)  f32   read_write   weight·term, s, −1 | 0 | +1 (clipped low | not | high), log ρ
//
// Dispatch: (min(B, 65535), 1, 1), one workgroup per sequence, striding.  Workgroup: WORKGROUP_SIZE lanes, power of two.
// Numerics: log s is clamped to ±20 before exp; tree reduction in a fixed order; tested to 1e-5 relative.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  sequences: u32,
  // M; offsets bound every loop, the host checks buffer sizes by it.
  tokens: u32,
  clip_low: f32,
  clip_high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(2) var<storage, read> log_ratio: array<f32>;
@group(0) @binding(3) var<storage, read> ratio: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read> advantage: array<f32>;
@group(0) @binding(5) var<storage, read> weight: array<f32>;
@group(0) @binding(6) var<storage, read> scaled_weight: array<f32>;
@group(0) @binding(7) var<storage, read_write> grad: array<f32>;
@group(0) @binding(8) var<storage, read_write> stats: array<vec4<f32>>;

// Sums of weight · ∂term/∂s.
var<workgroup> partial: array<f32, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn sequence_surrogate(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var b = group.x; b < params.sequences; b += groups.x) {
    let start = offsets[b];
    let end = offsets[b + 1];
    let s = exp(clamp(ratio[b].x, -20.0, 20.0));
    let bounded = clamp(s, params.clip_low, params.clip_high);
    let inside = s >= params.clip_low && s <= params.clip_high;
    var sum = 0.0;
    for (var m = start + lane; m < end; m += WORKGROUP_SIZE) {
      if (weight[m] == 0.0) {
        stats[m] = vec4<f32>(0.0, 1.0, 0.0, 0.0);
        continue;
      }
      let w = scaled_weight[m];
      let a = advantage[m];
      // The gradient flows through s unless the minimum takes the bounded side outside the bounds.
      sum += select(0.0, -w * a, inside || s * a <= bounded * a);
      let low = s < params.clip_low && a < 0.0;
      let high = s > params.clip_high && a > 0.0;
      stats[m] = vec4<f32>(-w * min(s * a, bounded * a), s, f32(high) - f32(low), log_ratio[m]);
    }
    partial[lane] = sum;
    for (var half = WORKGROUP_SIZE / 2; half > 0; half /= 2) {
      // The other half's partial sums must be written before they are added.
      workgroupBarrier();
      if (lane < half) {
        partial[lane] += partial[lane + half];
      }
    }
    // Every lane reads the total that lane 0 finished.
    workgroupBarrier();
    let slope = s * partial[0] / max(ratio[b].y, 1.0);
    for (var m = start + lane; m < end; m += WORKGROUP_SIZE) {
      grad[m] = select(slope, 0.0, weight[m] == 0.0);
    }
    // The next sequence overwrites the partial sums that other lanes may still read.
    workgroupBarrier();
  }
}
