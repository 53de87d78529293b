// f32_to_bf16 — packed[i] = bf16(x[2i]) | bf16(x[2i+1]) << 16, rounded to nearest, ties to even
// bfloat16 is the upper half of an f32.  Back: bf16_to_f32.wgsl
//
//   binding  name    shape        type  access
//   0        params  -            Params uniform
//   1        x       (COUNT)      u32   read         the bits of f32
//   2        packed  (COUNT / 2)  u32   read_write   rounded up; the upper half of an odd last word is zero
//
// Dispatch: (min(⌈COUNT / 2 / WORKGROUP_SIZE⌉, 65535), 1, 1), striding.  Workgroup: WORKGROUP_SIZE lanes, default 64.
// Numerics: integers only, so subnormals survive adapters that flush them; a NaN stays a NaN; exact.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> packed: array<u32>;

fn round_to_bf16(word: u32) -> u32 {
  if ((word & 0x7fffffffu) > 0x7f800000u) {
    // A payload that lies in the dropped half alone would become infinity.
    return (word >> 16) | 0x40u;
  }
  return (word + 0x7fffu + ((word >> 16) & 1u)) >> 16;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn f32_to_bf16(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let words = (params.count + 1) / 2;
  for (var i = id.x; i < words; i += groups.x * WORKGROUP_SIZE) {
    var word = round_to_bf16(x[2 * i]);
    if (2 * i + 1 < params.count) {
      word |= round_to_bf16(x[2 * i + 1]) << 16;
    }
    packed[i] = word;
  }
}
