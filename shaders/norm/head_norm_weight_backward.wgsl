// head_norm_weight_backward — dweight[d] (+)= sum over n and COUNT heads from `first` on of dy[n,h,d] · x[n,h,d] · rrms[n,h]
// Paper: Qwen3, arXiv:2505.09388.  Forward: head_norm.wgsl.  The input's half: head_norm_backward.wgsl
//
//   binding  name     shape         type  access
//   0        params   -             Params uniform
//   1        x        (N, H+2K, D)  f32   read
//   2        rrms     (N, H+K)      f32   read
//   3        dy       (N, H+2K, D)  f32   read
//   4        dweight  (D)           f32   read_write
//
// Query heads: first 0, count H; key heads: first H, count K.
// Dispatch: (⌈D / LANES_COLUMN⌉, 1, 1), striding.
//   Workgroup: LANES_COLUMN × LANES_ROW lanes, LANES_ROW a power of two.
// Numerics: f32; each lane sums every LANES_ROW-th head row, then a tree in a fixed order; tested to 1e-5 of the largest entry.

override LANES_COLUMN: u32 = 8;
override LANES_ROW: u32 = 8;

struct Params {
  rows: u32,
  heads: u32,
  kv_heads: u32,
  head_dim: u32,
  first: u32,
  count: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> rrms: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dweight: array<f32>;

var<workgroup> partial: array<f32, LANES_COLUMN * LANES_ROW>;

@compute @workgroup_size(LANES_COLUMN, LANES_ROW)
fn head_norm_weight_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) lane: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let all_heads = params.heads + 2 * params.kv_heads;
  let normed_heads = params.heads + params.kv_heads;
  let slot = lane.y * LANES_COLUMN + lane.x;
  for (var block = group.x; block * LANES_COLUMN < params.head_dim; block += groups.x) {
    let d = block * LANES_COLUMN + lane.x;
    var sum = 0.0;
    if (d < params.head_dim) {
      for (var i = lane.y; i < params.rows * params.count; i += LANES_ROW) {
        let row = i / params.count;
        let head = params.first + i % params.count;
        let at = (row * all_heads + head) * params.head_dim + d;
        sum += dy[at] * x[at] * rrms[row * normed_heads + head];
      }
    }
    partial[slot] = sum;
    for (var half = LANES_ROW / 2; half > 0; half /= 2) {
      // The other half's partial sums must be written before they are added.
      workgroupBarrier();
      if (lane.y < half) {
        partial[slot] += partial[slot + half * LANES_COLUMN];
      }
    }
    if (lane.y == 0 && d < params.head_dim) {
      dweight[d] = partial[slot] + select(0.0, dweight[d], params.accumulate != 0);
    }
    // The next block overwrites the sums that the first row of lanes may still read.
    workgroupBarrier();
  }
}
