// f16_to_f32 — y[2i] = f32(low half of packed[i]),  y[2i+1] = f32(high half)
// IEEE 754 binary16, without the shader-f16 feature.  Back: f32_to_f16.wgsl
//
//   binding  name    shape        type  access
//   0        params  -            Params uniform
//   1        packed  (COUNT / 2)  u32   read         rounded up
//   2        y       (COUNT)      u32   read_write   the bits of f32
//
// Dispatch: (min(⌈COUNT / 2 / WORKGROUP_SIZE⌉, 65535), 1, 1), striding.  Workgroup: WORKGROUP_SIZE lanes, default 64.
// Numerics: integers only, so subnormals survive adapters that flush them; exact.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> packed: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

fn widen(half: u32) -> u32 {
  let sign = (half & 0x8000u) << 16;
  let exponent = (half >> 10) & 0x1fu;
  let mantissa = half & 0x3ffu;
  if (exponent == 0x1fu) {
    return sign | 0x7f800000u | (mantissa << 13);
  }
  if (exponent != 0) {
    return sign | ((exponent + 112) << 23) | (mantissa << 13);
  }
  if (mantissa == 0) {
    return sign;
  }
  // mantissa · 2⁻²⁴ with its leading one at bit `top`: exponent top − 24, the rest moved up to bit 22 and below.
  let top = firstLeadingBit(mantissa);
  return sign | ((top + 103) << 23) | ((mantissa << (23 - top)) & 0x7fffffu);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn f16_to_f32(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let words = (params.count + 1) / 2;
  for (var i = id.x; i < words; i += groups.x * WORKGROUP_SIZE) {
    let word = packed[i];
    y[2 * i] = widen(word & 0xffffu);
    if (2 * i + 1 < params.count) {
      y[2 * i + 1] = widen(word >> 16);
    }
  }
}
