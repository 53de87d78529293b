// clip_coefficient — norm = sqrt(Σ partials),  coefficient = min(1, max_norm / (norm + 1e-6)); 0 where norm is not finite
// Paper: gradient clipping by global norm, Pascanu et al. 2013, arXiv:1211.5063.  First stage: grad_norm.wgsl
//
//   binding  name      shape    type  access
//   0        params    -        Params uniform
//   1        partials  (COUNT)  f32   read
//   2        norm      (2)      f32   read_write   the norm before clipping, and the coefficient that adamw reads
//
// Dispatch: (1, 1, 1).  Workgroup: WORKGROUP_SIZE lanes, power of two, default 64.
// Numerics: f32, tree reduction in a fixed order; tested to 1e-5 relative.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  count: u32,
  max_norm: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> norm: array<f32>;

var<workgroup> sums: array<f32, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn clip_coefficient(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < params.count; i += WORKGROUP_SIZE) {
    sum += partials[i];
  }
  sums[lane] = sum;
  for (var half = WORKGROUP_SIZE / 2; half > 0; half /= 2) {
    // The other half's sums must be written before they are added.
    workgroupBarrier();
    if (lane < half) {
      sums[lane] += sums[lane + half];
    }
  }
  if (lane == 0) {
    let total = sqrt(sums[0]);
    norm[0] = total;
    // Exponent bits all ones are infinity or NaN; comparisons with NaN are not to be relied on in WGSL.
    let finite = (bitcast<u32>(total) & 0x7f800000u) != 0x7f800000u;
    norm[1] = select(0.0, min(1.0, params.max_norm / (total + 1e-6)), finite);
  }
}
