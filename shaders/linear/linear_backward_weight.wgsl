// linear_backward_weight — dw[o,k] (+)= sum_n dy[n,o] · x[n,k], sizes of any kind; adds to dw if accumulate
// Forward: linear.wgsl.  Both operands are read in place.
//
//   binding  name    shape   type  access
//   0        params  -       Params uniform
//   1        dy      (N, O)  f32   read
//   2        x       (N, I)  f32   read
//   3        dw      (O, I)  f32   read_write
//
// Dispatch: one workgroup per block of outputs × inputs, striding.  A lane makes 4 × 4 results in registers.
//   Workgroup: WORKGROUP_SIZE lanes, of which LANES_INPUT lie side by side along the inputs.
// Numerics: f32, summed over n in order; tested to 4·ε·√N of the largest result.

override WORKGROUP_SIZE: u32 = 32;
override LANES_INPUT: u32 = 4;

const TILE = 4u;

struct Params {
  rows: u32,
  outputs: u32,
  inputs: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn linear_backward_weight(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let inputs = params.inputs;
  let block_outputs = WORKGROUP_SIZE / LANES_INPUT * TILE;
  let block_inputs = LANES_INPUT * TILE;
  let across = (inputs + block_inputs - 1) / block_inputs;
  let blocks = across * ((params.outputs + block_outputs - 1) / block_outputs);
  for (var block = group.x; block < blocks; block += groups.x) {
    let o0 = block / across * block_outputs + lane / LANES_INPUT * TILE;
    let k0 = block % across * block_inputs + lane % LANES_INPUT * TILE;
    if (o0 >= params.outputs || k0 >= inputs) {
      continue;
    }
    // Lanes that hang over the edge read the last output or input again and store nothing for it.
    let k1 = min(k0 + 1, inputs - 1);
    let k2 = min(k0 + 2, inputs - 1);
    let k3 = min(k0 + 3, inputs - 1);
    // Zeros spelled out, see linear_vec4.wgsl.
    var sums = array<vec4<f32>, TILE>();
    for (var n = 0u; n < params.rows; n++) {
      let base = n * inputs;
      let row = vec4<f32>(x[base + k0], x[base + k1], x[base + k2], x[base + k3]);
      for (var r = 0u; r < TILE; r++) {
        sums[r] += dy[n * params.outputs + min(o0 + r, params.outputs - 1)] * row;
      }
    }
    for (var r = 0u; r < TILE; r++) {
      for (var c = 0u; c < TILE; c++) {
        if (o0 + r < params.outputs && k0 + c < inputs) {
          let at = (o0 + r) * inputs + k0 + c;
          dw[at] = sums[r][c] + select(0.0, dw[at], params.accumulate != 0);
        }
      }
    }
  }
}
