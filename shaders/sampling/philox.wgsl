// philox — words[i,:] = Philox4x32-10(counter[i,:], key): random bits that depend on nothing but counter and key
// Paper: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
// sample.wgsl carries the same function; this kernel is how adapters are checked against the published answers.
//
//   binding  name      shape   type  access
//   0        params    -       Params uniform
//   1        counters  (N, 4)  u32   read
//   2        words     (N, 4)  u32   read_write
//
// Dispatch: (min(ceil(N / WORKGROUP_SIZE), 65535), 1, 1), one lane per counter, striding.
// Numerics: exact integers.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  rows: u32,
  key_low: u32,
  key_high: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> counters: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> words: array<vec4<u32>>;

// The upper 32 bits of a · b, by 16-bit halves.
fn multiply_high(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let cross = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (cross & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (cross >> 16u) + (other >> 16u);
}

fn philox4x32(start: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
  var c = start;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    c = vec4(
      multiply_high(0xcd9e8d57u, c.z) ^ c.y ^ k.x,
      0xcd9e8d57u * c.z,
      multiply_high(0xd2511f53u, c.x) ^ c.w ^ k.y,
      0xd2511f53u * c.x,
    );
    k += vec2(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn philox(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var i = id.x; i < params.rows; i += groups.x * WORKGROUP_SIZE) {
    words[i] = philox4x32(counters[i], vec2(params.key_low, params.key_high));
  }
}
