// linear — y[n,o] = sum_k x[n,k] · w[o,k]  (+ bias[o] if has_bias)  (+ y[n,o] if accumulate), sizes of any kind
// Weights lie as in Hugging Face: (outputs, inputs).  Backward: linear_backward_input.wgsl, linear_backward_weight.wgsl
// y[n,o] lies at n · y_stride + y_start + o, so that each part of a matrix split by rows fills its columns of one y.
//
//   binding  name    shape   type  access
//   0        params  -       Params uniform
//   1        x       (N, I)  f32   read
//   2        w       (O, I)  f32   read
//   3        bias    (O)     f32   read         any buffer when has_bias is 0
//   4        y       (N, O)  f32   read_write   rows y_stride apart
//
// Dispatch: one workgroup per block of rows × outputs, striding.  A lane makes 4 × 4 results in registers.
//   Workgroup: WORKGROUP_SIZE lanes, of which LANES_OUTPUT lie side by side along the outputs.
// Numerics: f32, summed over k in order; tested to 4·ε·√I of the largest result.

override WORKGROUP_SIZE: u32 = 32;
override LANES_OUTPUT: u32 = 4;

const TILE = 4u;

struct Params {
  rows: u32,
  outputs: u32,
  inputs: u32,
  has_bias: u32,
  accumulate: u32,
  y_stride: u32,
  y_start: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn linear(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let inputs = params.inputs;
  let block_rows = WORKGROUP_SIZE / LANES_OUTPUT * TILE;
  let block_outputs = LANES_OUTPUT * TILE;
  let across = (params.outputs + block_outputs - 1) / block_outputs;
  let blocks = across * ((params.rows + block_rows - 1) / block_rows);
  let last_output = params.outputs - 1;
  for (var block = group.x; block < blocks; block += groups.x) {
    let n0 = block / across * block_rows + lane / LANES_OUTPUT * TILE;
    let o0 = block % across * block_outputs + lane % LANES_OUTPUT * TILE;
    if (n0 >= params.rows || o0 >= params.outputs) {
      continue;
    }
    // Lanes that hang over the edge read the last row or output again and store nothing for it.
    let w0 = o0 * inputs;
    let w1 = min(o0 + 1, last_output) * inputs;
    let w2 = min(o0 + 2, last_output) * inputs;
    let w3 = min(o0 + 3, last_output) * inputs;
    // Zeros spelled out, see linear_vec4.wgsl.
    var sums = array<vec4<f32>, TILE>();
    for (var k = 0u; k < inputs; k++) {
      let column = vec4<f32>(w[w0 + k], w[w1 + k], w[w2 + k], w[w3 + k]);
      for (var r = 0u; r < TILE; r++) {
        sums[r] += x[min(n0 + r, params.rows - 1) * inputs + k] * column;
      }
    }
    for (var r = 0u; r < TILE; r++) {
      for (var c = 0u; c < TILE; c++) {
        let o = o0 + c;
        if (n0 + r < params.rows && o < params.outputs) {
          let at = (n0 + r) * params.y_stride + params.y_start + o;
          var sum = sums[r][c];
          if (params.has_bias != 0) {
            sum += bias[o];
          }
          if (params.accumulate != 0) {
            sum += y[at];
          }
          y[at] = sum;
        }
      }
    }
  }
}
