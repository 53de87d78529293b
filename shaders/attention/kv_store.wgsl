// kv_store — cache_k[slot,g,position] = key head g of row `source`, cache_v likewise, for every entry
// Follows the key-value cache of incremental decoding (Shazeer 2019, arXiv:1911.02150).  Reader: decode_attention.wgsl
// Stored4: four numbers as f32, as f16 or as pairs of f16 in words; src/kernels/stored.ts puts it and narrow before this text.
//
//   binding  name     shape            type    access
//   0        params   -                Params uniform
//   1        qkv      (N, H+2K, D)     f32     read         H query heads, K key heads, K value heads
//   2        entries  (E, 3)           u32     read         source row, slot, position; skipped where one is out of range
//   3        cache_k  (slots, K, S, D) Stored4 read_write
//   4        cache_v  (slots, K, S, D) Stored4 read_write
//
// Dispatch: (min(ceil(E·K·D/4 / WORKGROUP_SIZE), 65535), 1, 1), one lane per vec4, striding.  D is a multiple of 4.
// One row may fan out to many slots, so that a group of completions shares one prefill; no two entries may share a
// slot and a position.
// Numerics: f32 keeps its bits; f16 is one of the two neighbours, and what is beyond ±65504 becomes that.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  entries: u32,
  rows: u32,
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
  slots: u32,
  capacity: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> entries: array<u32>;
@group(0) @binding(3) var<storage, read_write> cache_k: array<Stored4>;
@group(0) @binding(4) var<storage, read_write> cache_v: array<Stored4>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn kv_store(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let quads = params.head_dim / 4;
  let width = params.kv_heads * quads;
  let count = params.entries * width;
  for (var i = id.x; i < count; i += groups.x * WORKGROUP_SIZE) {
    let entry = i / width;
    let key_head = (i % width) / quads;
    let quad = i % quads;
    let source = entries[3 * entry];
    let slot = entries[3 * entry + 1];
    let position = entries[3 * entry + 2];
    if (source < params.rows && slot < params.slots && position < params.capacity) {
      let row = source * (params.heads + 2 * params.kv_heads) * quads;
      let to = ((slot * params.kv_heads + key_head) * params.capacity + position) * quads + quad;
      cache_k[to] = narrow(qkv[row + (params.heads + key_head) * quads + quad]);
      cache_v[to] = narrow(qkv[row + (params.heads + params.kv_heads + key_head) * quads + quad]);
    }
  }
}
