// embedding_backward — dtable[v,c] (+)= Σ_{n: ids[n] = first + v} dy[n,c], rows of each token listed by the host (see embedding_plan.ts)
// Paper: token embedding of the Transformer, Vaswani et al. 2017, arXiv:1706.03762.  Forward: embedding.wgsl
// The table holds V rows from token id `first` on, as in the forward pass; the plan is that of the whole vocabulary.
//
//   binding  name     shape            type  access
//   0        params   -                Params uniform
//   1        offsets  (first + V + 1)  u32   read         where each token's list starts in `rows`
//   2        rows     (N)              u32   read         the rows that hold the token, ascending
//   3        dy       (N, C)           f32   read
//   4        dtable   (V, C)           f32   read_write
//
// Dispatch: (⌈C / WORKGROUP_SIZE⌉, min(V, 1024), 1), striding; (1, 1024, 1) for a large vocabulary, most of which is skipped.
//   Workgroup: WORKGROUP_SIZE lanes, default 64.
// Numerics: f32, rows in ascending order whatever the grid, so the same bits every time; tested to 1e-5 of the largest entry.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  vocab: u32,
  width: u32,
  rows: u32,
  accumulate: u32,
  first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(2) var<storage, read> rows: array<u32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dtable: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn embedding_backward(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var token = id.y; token < params.vocab; token += groups.y) {
    let start = offsets[params.first + token];
    let end = offsets[params.first + token + 1];
    // Most of a large vocabulary does not occur in a batch: its rows cost two reads, not a rewrite.
    if (params.accumulate != 0 && start == end) {
      continue;
    }
    for (var c = id.x; c < params.width; c += groups.x * WORKGROUP_SIZE) {
      var sum = 0.0;
      for (var at = start; at < end; at++) {
        sum += dy[rows[at] * params.width + c];
      }
      if (params.accumulate != 0) {
        sum += dtable[token * params.width + c];
      }
      dtable[token * params.width + c] = sum;
    }
  }
}
