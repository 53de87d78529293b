// f32_to_f16 — packed[i] = f16(x[2i]) | f16(x[2i+1]) << 16, rounded to nearest, ties to even
// IEEE 754 binary16, without the shader-f16 feature.  Back: f16_to_f32.wgsl
//
//   binding  name    shape        type  access
//   0        params  -            Params uniform
//   1        x       (COUNT)      u32   read         the bits of f32
//   2        packed  (COUNT / 2)  u32   read_write   rounded up; the upper half of an odd last word is zero
//
// Dispatch: (min(⌈COUNT / 2 / WORKGROUP_SIZE⌉, 65535), 1, 1), striding.  Workgroup: WORKGROUP_SIZE lanes, default 64.
// Numerics: integers only (pack2x16float may flush, and what it does beyond 65504 is open); overflow gives infinity,
//   small values subnormals; a NaN stays a NaN; exact.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> packed: array<u32>;

/// Drops `bits` bits of a magnitude, rounding to nearest, ties to even.
fn drop_bits(magnitude: u32, bits: u32) -> u32 {
  return (magnitude + (1u << (bits - 1)) - 1 + ((magnitude >> bits) & 1)) >> bits;
}

fn round_to_f16(word: u32) -> u32 {
  let sign = (word >> 16) & 0x8000u;
  let magnitude = word & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {
    return sign | 0x7e00u;
  }
  if (magnitude >= 0x477ff000u) {
    // 65520, half-way between the largest f16 and the next power of two, and all beyond.
    return sign | 0x7c00u;
  }
  if (magnitude >= 0x38800000u) {
    // Normal in both: rebias the exponent from 127 to 15; a carry out of the mantissa raises it rightly.
    return sign | drop_bits(magnitude - 0x38000000u, 13);
  }
  if (magnitude <= 0x33000000u) {
    // Up to half of the smallest subnormal.
    return sign;
  }
  return sign | drop_bits((magnitude & 0x7fffffu) | 0x800000u, 126 - (magnitude >> 23));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn f32_to_f16(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let words = (params.count + 1) / 2;
  for (var i = id.x; i < words; i += groups.x * WORKGROUP_SIZE) {
    var word = round_to_f16(x[2 * i]);
    if (2 * i + 1 < params.count) {
      word |= round_to_f16(x[2 * i + 1]) << 16;
    }
    packed[i] = word;
  }
}
