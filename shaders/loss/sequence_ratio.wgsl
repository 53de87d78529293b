// sequence_ratio — ratio[b] = (mean over the sequence's tokens m of log ρ[m], tokens),  log ρ = logprob − old_logprob
// Paper: GSPO, arXiv:2507.18071, equation 7 before the exponential.  Used by: sequence_surrogate.wgsl
//
//   binding  name         shape   type  access
//   0        params       -       Params uniform
//   1        offsets      (B+1)   u32   read         where each completion starts in the arrays of M
//   2        logprob      (M)     f32   read         by the weights being trained
//   3        old_logprob  (M)     f32   read         by the policy that sampled
//   4        weight       (M)     f32   read         0 takes the token out, even NaN
//   5        log_ratio    (M)     f32   read_write   log ρ; 0 for tokens taken out
//   6        ratio        (B, 2)  f32   read_write   (0, 0) where every token is taken out
//
// Dispatch: (min(B, 65535), 1, 1), one workgroup per sequence, striding.  Workgroup: WORKGROUP_SIZE lanes, power of two.
// Numerics: f32 accumulation, tree reduction in a fixed order; tested to 1e-6 of the largest log ratio.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  sequences: u32,
  // M; offsets bound every loop, the host checks buffer sizes by it.
  tokens: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(2) var<storage, read> logprob: array<f32>;
@group(0) @binding(3) var<storage, read> old_logprob: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> log_ratio: array<f32>;
@group(0) @binding(6) var<storage, read_write> ratio: array<vec2<f32>>;

// Sum of log ratios, count of tokens.
var<workgroup> partial: array<vec2<f32>, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn sequence_ratio(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var b = group.x; b < params.sequences; b += groups.x) {
    let end = offsets[b + 1];
    var sum = vec2<f32>(0.0);
    for (var m = offsets[b] + lane; m < end; m += WORKGROUP_SIZE) {
      var d = 0.0;
      if (weight[m] != 0.0) {
        d = logprob[m] - old_logprob[m];
        sum += vec2<f32>(d, 1.0);
      }
      log_ratio[m] = d;
    }
    partial[lane] = sum;
    for (var half = WORKGROUP_SIZE / 2; half > 0; half /= 2) {
      // The other half's partial sums must be written before they are added.
      workgroupBarrier();
      if (lane < half) {
        partial[lane] += partial[lane + half];
      }
    }
    if (lane == 0) {
      ratio[b] = vec2<f32>(partial[0].x / max(partial[0].y, 1.0), partial[0].y);
    }
    // The next sequence overwrites the partial sums that lane 0 may still read.
    workgroupBarrier();
  }
}
