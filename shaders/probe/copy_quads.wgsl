// copy_quads — y[i] = x[i], four at a time: what the memory moves at most
// The measure that other kernels' GB/s are held against; no model needs it.
//
//   binding  name    shape  type  access
//   0        params  -      Params uniform
//   1        x       (4·Q)  f32   read
//   2        y       (4·Q)  f32   read_write
//
// Dispatch: (min(⌈Q / WORKGROUP_SIZE⌉, 65535), 1, 1), one lane per quad, striding.  Workgroup: WORKGROUP_SIZE lanes.
// Numerics: copies bits.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  quads: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn copy_quads(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var i = id.x; i < params.quads; i += groups.x * WORKGROUP_SIZE) {
    y[i] = x[i];
  }
}
