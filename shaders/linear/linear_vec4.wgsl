// linear_vec4 — linear.wgsl for inputs, outputs, y_stride, y_start divisible by 4: loads of four, 16 × 8 results a lane
// Why: on software adapters a load costs as much as dozens of multiply-adds, whatever its width. Two blocks of eight
// rows, because Mesa's compiler unrolls a loop of eight but keeps a longer one, with its sums in memory.
// Stored4: four weights as f32, as f16 or as pairs of f16 in words; src/kernels/stored.ts puts it and widen before this text.
//
//   binding  name    shape     type       access
//   0        params  -         Params     uniform
//   1        x       (N, I/4)  vec4<f32>  read
//   2        w       (O, I/4)  Stored4    read
//   3        bias    (O)       f32        read         any buffer when has_bias is 0
//   4        y       (N, O/4)  vec4<f32>  read_write   rows y_stride / 4 apart
//
// Dispatch: one workgroup per block of rows × outputs, striding.
//   Workgroup: WORKGROUP_SIZE lanes, of which LANES_OUTPUT lie side by side along the outputs.
// Numerics: weights widened exactly, then f32, four products at a time, in order of k; tested to 4·ε·√I of the largest
//   result. An adapter without f16 subnormals may take weights in f16 under 2⁻¹⁴ for zero.

override WORKGROUP_SIZE: u32 = 32;
override LANES_OUTPUT: u32 = 4;

const BLOCK = 8u;
const TILE_ROWS = 16u;
const TILE_OUTPUTS = 8u;

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
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> w: array<Stored4>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

/// Four weights of each of four rows.
fn four_rows(at: u32, stride: u32) -> mat4x4<f32> {
  return mat4x4<f32>(widen(w[at]), widen(w[at + stride]), widen(w[at + 2 * stride]), widen(w[at + 3 * stride]));
}

/// Four biases, or zeros.
fn bias_of(o: u32) -> vec4<f32> {
  if (params.has_bias == 0) {
    return vec4<f32>();
  }
  return vec4<f32>(bias[o], bias[o + 1], bias[o + 2], bias[o + 3]);
}

fn store(n: u32, o: u32, sum: vec4<f32>) {
  if (n < params.rows && o < params.outputs) {
    let at = (n * params.y_stride + params.y_start + o) / 4;
    var result = sum;
    if (params.accumulate != 0) {
      result += y[at];
    }
    y[at] = result;
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn linear_vec4(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let inputs = params.inputs / 4;
  let block_rows = WORKGROUP_SIZE / LANES_OUTPUT * TILE_ROWS;
  let block_outputs = LANES_OUTPUT * TILE_OUTPUTS;
  let across = (params.outputs + block_outputs - 1) / block_outputs;
  let blocks = across * ((params.rows + block_rows - 1) / block_rows);
  for (var block = group.x; block < blocks; block += groups.x) {
    let n0 = block / across * block_rows + lane / LANES_OUTPUT * TILE_ROWS;
    let o0 = block % across * block_outputs + lane % LANES_OUTPUT * TILE_OUTPUTS;
    if (n0 >= params.rows || o0 >= params.outputs) {
      continue;
    }
    // Lanes that hang over the edge read the last row or outputs again and store nothing for them.
    let low = o0 * inputs;
    let o1 = min(o0 + 4, params.outputs - 4);
    let high = o1 * inputs;
    let last = (params.rows - 1) * inputs;
    // Spelled out: Deno's compiler does not zero a variable again when a loop comes back to its declaration.
    var upper_low = array<vec4<f32>, BLOCK>();
    var upper_high = array<vec4<f32>, BLOCK>();
    var lower_low = array<vec4<f32>, BLOCK>();
    var lower_high = array<vec4<f32>, BLOCK>();
    for (var k = 0u; k < inputs; k++) {
      let a = low + k;
      let b = high + k;
      let w_low = four_rows(a, inputs);
      let w_high = four_rows(b, inputs);
      for (var r = 0u; r < BLOCK; r++) {
        let row = x[min((n0 + r) * inputs, last) + k];
        upper_low[r] += row * w_low;
        upper_high[r] += row * w_high;
      }
      for (var r = 0u; r < BLOCK; r++) {
        let row = x[min((n0 + BLOCK + r) * inputs, last) + k];
        lower_low[r] += row * w_low;
        lower_high[r] += row * w_high;
      }
    }
    let bias_low = bias_of(o0);
    let bias_high = bias_of(o1);
    for (var r = 0u; r < BLOCK; r++) {
      store(n0 + r, o0, upper_low[r] + bias_low);
      store(n0 + r, o0 + 4, upper_high[r] + bias_high);
      store(n0 + BLOCK + r, o0, lower_low[r] + bias_low);
      store(n0 + BLOCK + r, o0 + 4, lower_high[r] + bias_high);
    }
  }
}
