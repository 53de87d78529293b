// clipped_surrogate — term[m] = −min(min(ρ, CAP)·A, clamp(ρ, LOW, HIGH)·A),  ρ = exp(logprob[m] − old_logprob[m])
// Paper: Schulman et al. 2017, arXiv:1707.06347; separate bounds: arXiv:2503.14476; cap (dual clip): arXiv:1912.09729.
// Backward: in the same pass, grad = weight · ∂term/∂logprob.
//
//   binding  name         shape   type  access
//   0        params       -       Params uniform
//   1        logprob      (M)     f32   read         by the weights being trained
//   2        old_logprob  (M)     f32   read         by the policy that sampled
//   3        advantage    (M)     f32   read
//   4        weight       (M)     f32   read         0: no gradient and no loss, even from NaN
//   5        grad         (M)     f32   read_write   ∂loss/∂logprob
//   6        stats        (M, 4)  f32   read_write   weight·term, ρ, −1 | 0 | +1 (clipped low | not | high), log ρ
//
// Dispatch: (min(⌈M / WORKGROUP_SIZE⌉, 65535), 1, 1), striding.  Workgroup: WORKGROUP_SIZE lanes, default 64.
// Numerics: log ρ is clamped to ±20 before exp, so that every output is finite; tested to 1e-5 relative.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  tokens: u32,
  clip_low: f32,
  clip_high: f32,
  ratio_cap: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logprob: array<f32>;
@group(0) @binding(2) var<storage, read> old_logprob: array<f32>;
@group(0) @binding(3) var<storage, read> advantage: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> grad: array<f32>;
@group(0) @binding(6) var<storage, read_write> stats: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn clipped_surrogate(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var m = id.x; m < params.tokens; m += groups.x * WORKGROUP_SIZE) {
    let w = weight[m];
    let log_ratio = logprob[m] - old_logprob[m];
    let ratio = exp(clamp(log_ratio, -20.0, 20.0));
    let a = advantage[m];
    let plain = min(ratio, params.ratio_cap) * a;
    let clipped = clamp(ratio, params.clip_low, params.clip_high) * a;
    // The gradient flows through whichever side the minimum takes, unless a bound holds that side constant.
    let inside = ratio >= params.clip_low && ratio <= params.clip_high;
    let moves = select(inside, ratio <= params.ratio_cap, plain <= clipped);
    grad[m] = select(0.0, -w * ratio * a, moves && w != 0.0);
    let low = ratio < params.clip_low && a < 0.0;
    let high = ratio > params.clip_high && a > 0.0;
    let term = select(0.0, -w * min(plain, clipped), w != 0.0);
    stats[m] = vec4<f32>(term, ratio, f32(high) - f32(low), log_ratio);
  }
}
