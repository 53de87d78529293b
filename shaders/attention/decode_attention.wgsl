// decode_attention — out[b,h] = Σ_j p[j] · v[j],  p = softmax_j(scale · q·k[j]),  0 ≤ j ≤ position of entry b
// Paper: Dao et al. 2022, arXiv:2205.14135 (online softmax), over the cache that kv_store.wgsl fills.
// Stored4: four numbers as f32, as f16 or as pairs of f16 in words; src/kernels/stored.ts puts it and widen before this text.
//
//   binding  name     shape            type    access
//   0        params   -                Params uniform
//   1        qkv      (N, H+2K, D)     f32     read         the query of entry b is in its source row
//   2        entries  (B, 3)           u32     read         source row, slot, position; inactive where out of range
//   3        cache_k  (slots, K, S, D) Stored4 read
//   4        cache_v  (slots, K, S, D) Stored4 read
//   5        out      (B, H, D)        f32     read_write   zero for inactive entries
//
// Dispatch: (H, min(B, 65535), 1), one workgroup per entry and head, striding.
// Workgroup: WORKGROUP_SIZE lanes, at most 64 and at least D/4.  D is a multiple of 4.
// A tile of WORKGROUP_SIZE positions at a time: lanes first own positions, then vec4 of columns.
// Numerics: keys and values widened exactly, then f32 in a fixed order; tested to 1e-5 relative.

override WORKGROUP_SIZE: u32 = 32;

struct Params {
  rows: u32,
  source_rows: u32,
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
  slots: u32,
  capacity: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> entries: array<u32>;
@group(0) @binding(3) var<storage, read> cache_k: array<Stored4>;
@group(0) @binding(4) var<storage, read> cache_v: array<Stored4>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4<f32>>;

const LOWEST = -1e30;

var<workgroup> scores: array<f32, WORKGROUP_SIZE>;
var<workgroup> totals: array<f32, WORKGROUP_SIZE>;
var<workgroup> sums: array<vec4<f32>, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn decode_attention(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let quads = params.head_dim / 4;
  let parts = WORKGROUP_SIZE / quads;
  let part = lane / quads;
  let quad = lane % quads;
  let head = group.x;
  let key_head = head / (params.heads / params.kv_heads);
  for (var b = group.y; b < params.rows; b += groups.y) {
    let source = entries[3 * b];
    let slot = entries[3 * b + 1];
    let position = entries[3 * b + 2];
    let occupied = source < params.source_rows && slot < params.slots && position < params.capacity;
    let length = select(0u, position + 1, occupied);
    let query = (source * (params.heads + 2 * params.kv_heads) + head) * quads;
    let base = (slot * params.kv_heads + key_head) * params.capacity * quads;
    var peak = LOWEST;
    var total = 0.0;
    var sum = vec4(0.0);
    for (var first = 0u; first < length; first += WORKGROUP_SIZE) {
      let count = min(WORKGROUP_SIZE, length - first);
      for (var t = lane; t < count; t += WORKGROUP_SIZE) {
        var score = 0.0;
        for (var d = 0u; d < quads; d++) {
          score += dot(qkv[query + d], widen(cache_k[base + (first + t) * quads + d]));
        }
        scores[t] = score * params.scale;
      }
      // Every lane needs the largest score of the tile.
      workgroupBarrier();
      var higher = peak;
      for (var t = 0u; t < count; t++) {
        higher = max(higher, scores[t]);
      }
      let decay = exp(peak - higher);
      peak = higher;
      total *= decay;
      sum *= decay;
      for (var t = part; t < select(0u, count, part < parts); t += parts) {
        let p = exp(scores[t] - peak);
        total += p;
        sum += p * widen(cache_v[base + (first + t) * quads + quad]);
      }
      // The next tile overwrites the scores.
      workgroupBarrier();
    }
    totals[lane] = total;
    sums[lane] = sum;
    // The first part adds what the others gathered.
    workgroupBarrier();
    if (lane < quads) {
      for (var other = 1u; other < parts; other++) {
        total += totals[other * quads + quad];
        sum += sums[other * quads + quad];
      }
      out[(b * params.heads + head) * quads + quad] = sum * select(0.0, 1.0 / total, length > 0);
    }
    // The next row overwrites the sums.
    workgroupBarrier();
  }
}
