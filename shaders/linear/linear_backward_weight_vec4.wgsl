// linear_backward_weight_vec4 — linear_backward_weight.wgsl for inputs and outputs divisible by 4, 8 × 8 results a lane
//
//   binding  name    shape     type       access
//   0        params  -         Params     uniform
//   1        dy      (N, O/4)  vec4<f32>  read
//   2        x       (N, I/4)  vec4<f32>  read
//   3        dw      (O, I/4)  vec4<f32>  read_write
//
// Dispatch: one workgroup per block of outputs × inputs, striding.
//   Workgroup: WORKGROUP_SIZE lanes, of which LANES_INPUT lie side by side along the inputs.
// Numerics: f32, summed over n in order; tested to 4·ε·√N of the largest result.

override WORKGROUP_SIZE: u32 = 32;
override LANES_INPUT: u32 = 4;

const TILE_OUTPUTS = 8u;
const TILE_INPUTS = 8u;

struct Params {
  rows: u32,
  outputs: u32,
  inputs: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dw: array<vec4<f32>>;

/// Column i is a · b[i]: the i-th of four outputs, four inputs wide.
fn outer(a: vec4<f32>, b: vec4<f32>) -> mat4x4<f32> {
  return mat4x4<f32>(a * b.x, a * b.y, a * b.z, a * b.w);
}

fn store_row(o: u32, k: u32, sum: vec4<f32>) {
  if (o >= params.outputs || k >= params.inputs) {
    return;
  }
  let at = (o * params.inputs + k) / 4;
  var result = sum;
  if (params.accumulate != 0) {
    result += dw[at];
  }
  dw[at] = result;
}

fn store(o: u32, k: u32, sums: mat4x4<f32>) {
  store_row(o, k, sums[0]);
  store_row(o + 1, k, sums[1]);
  store_row(o + 2, k, sums[2]);
  store_row(o + 3, k, sums[3]);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn linear_backward_weight_vec4(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let inputs = params.inputs / 4;
  let outputs = params.outputs / 4;
  let block_outputs = WORKGROUP_SIZE / LANES_INPUT * TILE_OUTPUTS;
  let block_inputs = LANES_INPUT * TILE_INPUTS;
  let across = (params.inputs + block_inputs - 1) / block_inputs;
  let blocks = across * ((params.outputs + block_outputs - 1) / block_outputs);
  for (var block = group.x; block < blocks; block += groups.x) {
    let o0 = block / across * block_outputs + lane / LANES_INPUT * TILE_OUTPUTS;
    let k0 = block % across * block_inputs + lane % LANES_INPUT * TILE_INPUTS;
    if (o0 >= params.outputs || k0 >= params.inputs) {
      continue;
    }
    // Lanes that hang over the edge read the last outputs or inputs again and store nothing for them.
    let dy_low = o0 / 4;
    let dy_high = min(dy_low + 1, outputs - 1);
    let x_low = k0 / 4;
    let x_high = min(x_low + 1, inputs - 1);
    var low_low = mat4x4<f32>();
    var low_high = mat4x4<f32>();
    var high_low = mat4x4<f32>();
    var high_high = mat4x4<f32>();
    for (var n = 0u; n < params.rows; n++) {
      let upstream_low = dy[n * outputs + dy_low];
      let upstream_high = dy[n * outputs + dy_high];
      let row_low = x[n * inputs + x_low];
      let row_high = x[n * inputs + x_high];
      low_low += outer(row_low, upstream_low);
      low_high += outer(row_high, upstream_low);
      high_low += outer(row_low, upstream_high);
      high_high += outer(row_high, upstream_high);
    }
    store(o0, k0, low_low);
    store(o0, k0 + 4, low_high);
    store(o0 + 4, k0, high_low);
    store(o0 + 4, k0 + 4, high_high);
  }
}
