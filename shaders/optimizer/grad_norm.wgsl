// grad_norm — partials[start + g] = Σ gradient² over the elements of workgroup g: the first stage of the global norm
// Paper: gradient clipping by global norm, Pascanu et al. 2013, arXiv:1211.5063.  Second stage: clip_coefficient.wgsl
//
//   binding  name      shape        type  access
//   0        params    -            Params uniform
//   1        gradient  (COUNT)      f32   read
//   2        partials  (PARTIALS)   f32   read_write   each shard writes a range of its own, from `start` on
//
// Dispatch: (min(⌈COUNT / 1024⌉, 1024), 1, 1), striding.  Workgroup: WORKGROUP_SIZE lanes, power of two.
// Numerics: f32, tree reduction in a fixed order; tested to 1e-5 relative.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  count: u32,
  start: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> partials: array<f32>;

var<workgroup> sums: array<f32, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn grad_norm(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  var sum = 0.0;
  for (var i = group.x * WORKGROUP_SIZE + lane; i < params.count; i += groups.x * WORKGROUP_SIZE) {
    sum += gradient[i] * gradient[i];
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
    partials[params.start + group.x] = sums[0];
  }
}
