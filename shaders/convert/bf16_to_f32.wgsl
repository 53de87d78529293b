// bf16_to_f32 — y[2i] = f32(low half of packed[i]),  y[2i+1] = f32(high half)
// bfloat16 is the upper half of an f32.  Back: f32_to_bf16.wgsl
//
//   binding  name    shape        type  access
//   0        params  -            Params uniform
//   1        packed  (COUNT / 2)  u32   read         rounded up
//   2        y       (COUNT)      u32   read_write   the bits of f32
//
// Dispatch: (min(⌈COUNT / 2 / WORKGROUP_SIZE⌉, 65535), 1, 1), striding.  Workgroup: WORKGROUP_SIZE lanes, default 64.
// Numerics: integers only; exact, every bit of a NaN included.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> packed: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn bf16_to_f32(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let words = (params.count + 1) / 2;
  for (var i = id.x; i < words; i += groups.x * WORKGROUP_SIZE) {
    let word = packed[i];
    y[2 * i] = word << 16;
    if (2 * i + 1 < params.count) {
      y[2 * i + 1] = word & 0xffff0000u;
    }
  }
}
