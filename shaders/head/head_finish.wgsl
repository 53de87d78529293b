// head_finish — lse = max + ln S,  logprob = z[target] − lse,  entropy = ln S − Σ p·(z − max),  from the state of head_tile.wgsl
// Paper: Shannon entropy in nats of softmax(z).  Backward: head_tile_backward.wgsl
//
//   binding  name     shape   type  access
//   0        params   -       Params uniform
//   1        state    (M, 4)  f32   read         max, S, Σ exp(z − max)·(z − max), z[target]
//   2        logprob  (M)     f32   read_write
//   3        entropy  (M)     f32   read_write
//   4        lse      (M)     f32   read_write   kept for the backward pass
//
// Dispatch: (min(⌈M / WORKGROUP_SIZE⌉, 65535), 1, 1), striding.  Workgroup: WORKGROUP_SIZE lanes, default 64.
// Numerics: f32; tested to 1e-5 absolute and relative. A sum of NaN gives NaN in all three.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> state: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> logprob: array<f32>;
@group(0) @binding(3) var<storage, read_write> entropy: array<f32>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn head_finish(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  for (var row = id.x; row < params.rows; row += groups.x * WORKGROUP_SIZE) {
    let s = state[row];
    // Not every adapter's log and max pass NaN on: by its bits it is carried past them.
    let broken = (bitcast<u32>(s.y) & 0x7fffffffu) > 0x7f800000u;
    let total = select(log(s.y), s.y, broken);
    lse[row] = s.x + total;
    // Differences from the maximum first: both terms are then of the size of the result.
    logprob[row] = (s.w - s.x) - total;
    entropy[row] = select(max(0.0, total - s.z / s.y), s.y, broken);
  }
}
