// importance_weight — scaled_weight[m] = weight[m] · r[m],  r from e[m] = old_logprob[m] − sampler_logprob[m]
// Paper: truncation arXiv:1802.01561; masking arXiv:2510.18855.  r is constant: no gradient flows through it.
//
//   MODE  r[m], with S = exp(Σ e over the sequence), G = exp(mean e over the sequence), bounds [LOW, HIGH]
//   0     clamp(exp(e), LOW, HIGH)                  1     exp(e) inside the bounds, else 0
//   2     clamp(S, LOW, HIGH)                       3     S inside the bounds, else 0
//   4     exp(e) where G is inside the bounds, else 0
//
//   binding  name             shape   type  access
//   0        params           -       Params uniform
//   1        offsets          (B+1)   u32   read         where each completion starts in the arrays of M
//   2        old_logprob      (M)     f32   read         by the trainer's weights when the batch was formed
//   3        sampler_logprob  (M)     f32   read         by the generator
//   4        weight           (M)     f32   read         0 takes the token out, even NaN
//   5        importance       (M)     f32   read_write   r
//   6        scaled_weight    (M)     f32   read_write   what the surrogate kernels take as their weight
//
// Dispatch: (min(B, 65535), 1, 1), one workgroup per sequence, striding.  Workgroup: WORKGROUP_SIZE lanes, power of two.
// Numerics: exponents clamped to ±20; tree reduction in a fixed order; tested to 1e-5 relative.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  sequences: u32,
  // M; offsets bound every loop, the host checks buffer sizes by it.
  tokens: u32,
  mode: u32,
  low: f32,
  high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(2) var<storage, read> old_logprob: array<f32>;
@group(0) @binding(3) var<storage, read> sampler_logprob: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> importance: array<f32>;
@group(0) @binding(6) var<storage, read_write> scaled_weight: array<f32>;

// Sum of e, count of tokens.
var<workgroup> partial: array<vec2<f32>, WORKGROUP_SIZE>;

fn bounded_exp(exponent: f32) -> f32 {
  return exp(clamp(exponent, -20.0, 20.0));
}

fn within(value: f32) -> bool {
  return value >= params.low && value <= params.high;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn importance_weight(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var b = group.x; b < params.sequences; b += groups.x) {
    let start = offsets[b];
    let end = offsets[b + 1];
    var sum = vec2<f32>(0.0);
    for (var m = start + lane; m < end; m += WORKGROUP_SIZE) {
      if (weight[m] != 0.0) {
        sum += vec2<f32>(old_logprob[m] - sampler_logprob[m], 1.0);
      }
    }
    partial[lane] = sum;
    for (var half = WORKGROUP_SIZE / 2; half > 0; half /= 2) {
      // The other half's partial sums must be written before they are added.
      workgroupBarrier();
      if (lane < half) {
        partial[lane] += partial[lane + half];
      }
    }
    // Every lane reads the totals that lane 0 finished.
    workgroupBarrier();
    let total = bounded_exp(partial[0].x);
    let geometric = bounded_exp(partial[0].x / max(partial[0].y, 1.0));
    for (var m = start + lane; m < end; m += WORKGROUP_SIZE) {
      let w = weight[m];
      if (w == 0.0) {
        importance[m] = 0.0;
        scaled_weight[m] = 0.0;
        continue;
      }
      let token = bounded_exp(old_logprob[m] - sampler_logprob[m]);
      var r = 0.0;
      switch (params.mode) {
        case 0u: { r = clamp(token, params.low, params.high); }
        case 1u: { r = select(0.0, token, within(token)); }
        case 2u: { r = clamp(total, params.low, params.high); }
        case 3u: { r = select(0.0, total, within(total)); }
        default: { r = select(0.0, token, within(geometric)); }
      }
      importance[m] = r;
      scaled_weight[m] = w * r;
    }
    // The next sequence overwrites the partial sums that other lanes may still read.
    workgroupBarrier();
  }
}
