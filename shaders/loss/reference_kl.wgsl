// reference_kl — adds β·k3 to a loss,  k3[m] = exp(d) − d − 1,  d = ref_logprob[m] − logprob[m]
// Paper: GRPO, arXiv:2402.03300, equation 4.  With corrected = 1, k3 is multiplied by ρ = exp(logprob − old_logprob),
// gradient included.  After: clipped_surrogate.wgsl, truncated_reinforce.wgsl or sequence_surrogate.wgsl.
//
//   binding  name         shape   type  access
//   0        params       -       Params uniform
//   1        logprob      (M)     f32   read         by the weights being trained
//   2        old_logprob  (M)     f32   read         by the policy that sampled
//   3        ref_logprob  (M)     f32   read         by the frozen reference
//   4        weight       (M)     f32   read         0 takes the token out, even NaN
//   5        grad         (M)     f32   read_write   weight·β·∂kl/∂logprob is added
//   6        stats        (M, 4)  f32   read_write   weight·β·kl is added to the first column
//   7        kl           (M)     f32   read_write   k3, or ρ·k3 when corrected
//
// Dispatch: (min(⌈M / WORKGROUP_SIZE⌉, 65535), 1, 1), striding.  Workgroup: WORKGROUP_SIZE lanes, default 64.
// Numerics: k3 by its series below |d| = 0.25, where the closed form cancels; d and log ρ clamped to ±20; 1e-5 relative.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  tokens: u32,
  beta: f32,
  corrected: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logprob: array<f32>;
@group(0) @binding(2) var<storage, read> old_logprob: array<f32>;
@group(0) @binding(3) var<storage, read> ref_logprob: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> grad: array<f32>;
@group(0) @binding(6) var<storage, read_write> stats: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> kl: array<f32>;

// exp(d) − 1
fn expm1(d: f32) -> f32 {
  let series = d * (1.0 + d / 2.0 * (1.0 + d / 3.0 * (1.0 + d / 4.0 * (1.0 + d / 5.0 * (1.0 + d / 6.0 * (1.0 + d / 7.0))))));
  return select(exp(d) - 1.0, series, abs(d) < 0.25);
}

// exp(d) − d − 1
fn k3_of(d: f32) -> f32 {
  let series = d * d / 2.0 * (1.0 + d / 3.0 * (1.0 + d / 4.0 * (1.0 + d / 5.0 * (1.0 + d / 6.0 * (1.0 + d / 7.0 * (1.0 + d / 8.0))))));
  return select(exp(d) - d - 1.0, series, abs(d) < 0.25);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn reference_kl(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var m = id.x; m < params.tokens; m += groups.x * WORKGROUP_SIZE) {
    let w = weight[m];
    if (w == 0.0) {
      kl[m] = 0.0;
      continue;
    }
    let d = clamp(ref_logprob[m] - logprob[m], -20.0, 20.0);
    var value = k3_of(d);
    var slope = -expm1(d);
    if (params.corrected != 0) {
      let ratio = exp(clamp(logprob[m] - old_logprob[m], -20.0, 20.0));
      slope = ratio * (value + slope);
      value *= ratio;
    }
    kl[m] = value;
    grad[m] += w * params.beta * slope;
    stats[m].x += w * params.beta * value;
  }
}
