// attention — out[n,h] = Σ_j p[j] · v[j,g],  p = softmax_j(scale · q[n,h]·k[j,g]),  start[n] ≤ j ≤ n,  g = h·K/H
// Paper: Dao et al. 2022, arXiv:2205.14135 (online softmax; Milakov & Gimelshein, arXiv:1805.02867).
// Backward: attention_delta.wgsl, attention_backward_query.wgsl, attention_backward_key_value.wgsl
//
//   binding  name      shape         type  access
//   0        params    -             Params uniform
//   1        qkv       (N, H+2K, D)  f32   read         H query heads, K key heads, K value heads
//   2        segments  (N, 2)        u32   read         first row and end row of the row's sequence; empty = padding
//   3        out       (N, H, D)     f32   read_write   zero on padding rows
//   4        lse       (N, H)        f32   read_write   log Σ_j exp(scale · q·k), kept for the backward pass
//
// Dispatch: (min(ceil(N / (2·WORKGROUP_SIZE)), 65535), H, ceil(D / (4·QUADS))), striding.  A lane owns two rows and
// 4·QUADS columns of a head: wide heads compute their scores once per block of columns, so that registers suffice.
// D is a multiple of 4.  Overrides: QUADS, vec4 of columns a lane, 1 to 8.
// Sums stand in named variables: software adapters turn an indexed array into minutes of compilation.
// Numerics: f32, four keys at a time in a fixed order; tested to 1e-5 relative.

override WORKGROUP_SIZE: u32 = 32;
override QUADS: u32 = 8;

struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> segments: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;

const LOWEST = -1e30;

// Adds Σ_i p[i] · v[i] of one vec4 of columns to the sums of both rows.
fn add(sum: mat2x4<f32>, decay: vec2<f32>, p: mat2x4<f32>, at: vec4<u32>) -> mat2x4<f32> {
  let values = mat4x4(qkv[at.x], qkv[at.y], qkv[at.z], qkv[at.w]);
  return mat2x4(sum[0] * decay.x + values * p[0], sum[1] * decay.y + values * p[1]);
}

// Writes one vec4 of columns of both rows, where they exist.
fn store(sum: mat2x4<f32>, inverse: vec2<f32>, row: u32, head: u32, column: u32) {
  let quads = params.head_dim / 4;
  if (column < quads) {
    out[(row * params.heads + head) * quads + column] = sum[0] * inverse.x;
    if (row + 1 < params.rows) {
      out[((row + 1) * params.heads + head) * quads + column] = sum[1] * inverse.y;
    }
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn attention(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let quads = params.head_dim / 4;
  let head = id.y;
  let key_head = params.heads + head / (params.heads / params.kv_heads);
  let stride = (params.heads + 2 * params.kv_heads) * quads;
  let value_offset = params.kv_heads * quads;
  let column = id.z * QUADS;
  let last = params.rows - 1;
  for (var row = id.x * 2; row < params.rows; row += groups.x * WORKGROUP_SIZE * 2) {
    // A row past the end repeats the last one and is not written.
    let next = min(row + 1, last);
    let segment0 = segments[row];
    let segment1 = segments[next];
    let start0 = select(params.rows, segment0.x, segment0.x < segment0.y);
    let start1 = select(params.rows, segment1.x, segment1.x < segment1.y);
    let query0 = row * stride + head * quads;
    let query1 = next * stride + head * quads;
    var peak = vec2(LOWEST);
    var total = vec2(0.0);
    var sum0 = mat2x4<f32>();
    var sum1 = mat2x4<f32>();
    var sum2 = mat2x4<f32>();
    var sum3 = mat2x4<f32>();
    var sum4 = mat2x4<f32>();
    var sum5 = mat2x4<f32>();
    var sum6 = mat2x4<f32>();
    var sum7 = mat2x4<f32>();
    for (var j = min(start0, start1); j <= next; j += 4) {
      let key_rows = vec4(j) + vec4(0u, 1u, 2u, 3u);
      let base = min(key_rows, vec4(next)) * stride + key_head * quads;
      var s0 = vec4(0.0);
      var s1 = vec4(0.0);
      for (var d = 0u; d < quads; d++) {
        let at = base + d;
        let keys = mat4x4(qkv[at.x], qkv[at.y], qkv[at.z], qkv[at.w]);
        s0 += qkv[query0 + d] * keys;
        s1 += qkv[query1 + d] * keys;
      }
      let seen0 = (key_rows >= vec4(start0)) & (key_rows <= vec4(row));
      let seen1 = (key_rows >= vec4(start1)) & (key_rows <= vec4(next));
      s0 = select(vec4(LOWEST), s0 * params.scale, seen0);
      s1 = select(vec4(LOWEST), s1 * params.scale, seen1);
      let higher = max(peak, vec2(
        max(max(s0.x, s0.y), max(s0.z, s0.w)),
        max(max(s1.x, s1.y), max(s1.z, s1.w)),
      ));
      let decay = exp(peak - higher);
      let p0 = select(vec4(0.0), exp(s0 - higher.x), seen0);
      let p1 = select(vec4(0.0), exp(s1 - higher.y), seen1);
      total = total * decay + vec2(dot(p0, vec4(1.0)), dot(p1, vec4(1.0)));
      peak = higher;
      let p = mat2x4(p0, p1);
      let values = base + value_offset;
      let end = quads - 1;
      sum0 = add(sum0, decay, p, values + min(column, end));
      sum1 = add(sum1, decay, p, values + min(column + 1, end));
      sum2 = add(sum2, decay, p, values + min(column + 2, end));
      sum3 = add(sum3, decay, p, values + min(column + 3, end));
      if (QUADS > 4) {
        sum4 = add(sum4, decay, p, values + min(column + 4, end));
        sum5 = add(sum5, decay, p, values + min(column + 5, end));
        sum6 = add(sum6, decay, p, values + min(column + 6, end));
        sum7 = add(sum7, decay, p, values + min(column + 7, end));
      }
    }
    let known = total > vec2(0.0);
    let inverse = select(vec2(0.0), 1.0 / total, known);
    store(sum0, inverse, row, head, column);
    store(sum1, inverse, row, head, column + 1);
    store(sum2, inverse, row, head, column + 2);
    store(sum3, inverse, row, head, column + 3);
    if (QUADS > 4) {
      store(sum4, inverse, row, head, column + 4);
      store(sum5, inverse, row, head, column + 5);
      store(sum6, inverse, row, head, column + 6);
      store(sum7, inverse, row, head, column + 7);
    }
    if (column == 0) {
      let size = select(vec2(0.0), peak + log(total), known);
      lse[row * params.heads + head] = size.x;
      if (row < last) {
        lse[next * params.heads + head] = size.y;
      }
    }
  }
}
