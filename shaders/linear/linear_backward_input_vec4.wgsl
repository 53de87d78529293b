// linear_backward_input_vec4 — linear_backward_input.wgsl for inputs and outputs divisible by 4, 16 × 8 results a lane
// Two blocks of eight rows, as in linear_vec4.wgsl.
// Stored4: four weights as f32, as f16 or as pairs of f16 in words; src/kernels/stored.ts puts it and widen before this text.
//
//   binding  name    shape     type       access
//   0        params  -         Params     uniform
//   1        dy      (N, O/4)  vec4<f32>  read
//   2        w       (O, I/4)  Stored4    read
//   3        dx      (N, I/4)  vec4<f32>  read_write
//
// Dispatch: one workgroup per block of rows × inputs, striding.
//   Workgroup: WORKGROUP_SIZE lanes, of which LANES_INPUT lie side by side along the inputs.
// Numerics: weights widened exactly, then f32, four products at a time, in order of o; tested to 4·ε·√O of the largest
//   result. An adapter without f16 subnormals may take weights in f16 under 2⁻¹⁴ for zero.

override WORKGROUP_SIZE: u32 = 32;
override LANES_INPUT: u32 = 4;

const BLOCK = 8u;
const TILE_ROWS = 16u;
const TILE_INPUTS = 8u;

struct Params {
  rows: u32,
  outputs: u32,
  inputs: u32,
  accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> w: array<Stored4>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;

/// Four weights of each of four rows.
fn four_rows(at: u32, stride: u32) -> mat4x4<f32> {
  return mat4x4<f32>(widen(w[at]), widen(w[at + stride]), widen(w[at + 2 * stride]), widen(w[at + 3 * stride]));
}

fn store(n: u32, k: u32, sum: vec4<f32>) {
  if (n < params.rows && k < params.inputs) {
    let at = (n * params.inputs + k) / 4;
    var result = sum;
    if (params.accumulate != 0) {
      result += dx[at];
    }
    dx[at] = result;
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn linear_backward_input_vec4(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let inputs = params.inputs / 4;
  let outputs = params.outputs / 4;
  let block_rows = WORKGROUP_SIZE / LANES_INPUT * TILE_ROWS;
  let block_inputs = LANES_INPUT * TILE_INPUTS;
  let across = (params.inputs + block_inputs - 1) / block_inputs;
  let blocks = across * ((params.rows + block_rows - 1) / block_rows);
  for (var block = group.x; block < blocks; block += groups.x) {
    let n0 = block / across * block_rows + lane / LANES_INPUT * TILE_ROWS;
    let k0 = block % across * block_inputs + lane % LANES_INPUT * TILE_INPUTS;
    if (n0 >= params.rows || k0 >= params.inputs) {
      continue;
    }
    // Lanes that hang over the edge read the last row or inputs again and store nothing for them.
    let low = k0 / 4;
    let high = min(low + 1, inputs - 1);
    let last = (params.rows - 1) * outputs;
    // Zeros spelled out, see linear_vec4.wgsl.
    var upper_low = array<vec4<f32>, BLOCK>();
    var upper_high = array<vec4<f32>, BLOCK>();
    var lower_low = array<vec4<f32>, BLOCK>();
    var lower_high = array<vec4<f32>, BLOCK>();
    for (var o = 0u; o < outputs; o++) {
      let base = 4 * o * inputs;
      let a = base + low;
      let b = base + high;
      let w_low = four_rows(a, inputs);
      let w_high = four_rows(b, inputs);
      for (var r = 0u; r < BLOCK; r++) {
        let upstream = dy[min((n0 + r) * outputs, last) + o];
        upper_low[r] += w_low * upstream;
        upper_high[r] += w_high * upstream;
      }
      for (var r = 0u; r < BLOCK; r++) {
        let upstream = dy[min((n0 + BLOCK + r) * outputs, last) + o];
        lower_low[r] += w_low * upstream;
        lower_high[r] += w_high * upstream;
      }
    }
    for (var r = 0u; r < BLOCK; r++) {
      store(n0 + r, k0, upper_low[r]);
      store(n0 + r, k0 + 4, upper_high[r]);
      store(n0 + BLOCK + r, k0, lower_low[r]);
      store(n0 + BLOCK + r, k0 + 4, lower_high[r]);
    }
  }
}
