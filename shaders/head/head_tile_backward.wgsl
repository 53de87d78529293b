// head_tile_backward — dlogit[m,v] = grad[m] · inverse_temperature · (1[v = target] − exp(z[m,v] − lse[m])), in place
// Paper: gradient of the log-softmax.  Forward: head_tile.wgsl, head_finish.wgsl
//
//   binding  name    shape      type  access
//   0        params  -          Params uniform
//   1        lse     (M)        f32   read
//   2        targets (M)        u32   read
//   3        grad    (M)        f32   read         dLoss/dlogprob
//   4        logits  (M, TILE)  f32   read_write   logits in, their gradient out
//
// Dispatch: (min(⌈M·TILE / WORKGROUP_SIZE⌉, 65535), 1, 1), striding.  Workgroup: WORKGROUP_SIZE lanes, default 64.
// Numerics: f32; tested to 1e-5 of the row's gradient. A row of gradient 0 gets zeros even where logits are not finite.

override WORKGROUP_SIZE: u32 = 64;

struct Params {
  rows: u32,
  tile_width: u32,
  tile_start: u32,
  inverse_temperature: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> lse: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<u32>;
@group(0) @binding(3) var<storage, read> grad: array<f32>;
@group(0) @binding(4) var<storage, read_write> logits: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn head_tile_backward(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let count = params.rows * params.tile_width;
  for (var i = id.x; i < count; i += groups.x * WORKGROUP_SIZE) {
    let row = i / params.tile_width;
    let v = i % params.tile_width + params.tile_start;
    let g = grad[row] * params.inverse_temperature;
    let p = exp(logits[i] * params.inverse_temperature - lse[row]);
    logits[i] = select(g * (f32(v == targets[row]) - p), 0.0, g == 0.0);
  }
}
