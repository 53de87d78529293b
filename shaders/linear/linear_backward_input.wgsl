// linear_backward_input — dx[n,k] (+)= sum_o dy[n,o] · w[o,k], sizes of any kind; adds to dx if accumulate
// Forward: linear.wgsl.  Reads w in place, never transposed.
//
//   binding  name    shape   type  access
//   0        params  -       Params uniform
//   1        dy      (N, O)  f32   read
//   2        w       (O, I)  f32   read
//   3        dx      (N, I)  f32   read_write
//
// Dispatch: one workgroup per block of rows × inputs, striding.  A lane makes 4 × 4 results in registers.
//   Workgroup: WORKGROUP_SIZE lanes, of which LANES_INPUT lie side by side along the inputs.
// Numerics: f32, summed over o in order; tested to 4·ε·√O of the largest result.

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
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn linear_backward_input(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let inputs = params.inputs;
  let block_rows = WORKGROUP_SIZE / LANES_INPUT * TILE;
  let block_inputs = LANES_INPUT * TILE;
  let across = (inputs + block_inputs - 1) / block_inputs;
  let blocks = across * ((params.rows + block_rows - 1) / block_rows);
  for (var block = group.x; block < blocks; block += groups.x) {
    let n0 = block / across * block_rows + lane / LANES_INPUT * TILE;
    let k0 = block % across * block_inputs + lane % LANES_INPUT * TILE;
    if (n0 >= params.rows || k0 >= inputs) {
      continue;
    }
    // Lanes that hang over the edge read the last row or input again and store nothing for it.
    let k1 = min(k0 + 1, inputs - 1);
    let k2 = min(k0 + 2, inputs - 1);
    let k3 = min(k0 + 3, inputs - 1);
    // Zeros spelled out, see linear_vec4.wgsl.
    var sums = array<vec4<f32>, TILE>();
    for (var o = 0u; o < params.outputs; o++) {
      let base = o * inputs;
      let weights = vec4<f32>(w[base + k0], w[base + k1], w[base + k2], w[base + k3]);
      for (var r = 0u; r < TILE; r++) {
        sums[r] += dy[min(n0 + r, params.rows - 1) * params.outputs + o] * weights;
      }
    }
    for (var r = 0u; r < TILE; r++) {
      for (var c = 0u; c < TILE; c++) {
        if (n0 + r < params.rows && k0 + c < inputs) {
          let at = (n0 + r) * inputs + k0 + c;
          dx[at] = sums[r][c] + select(0.0, dx[at], params.accumulate != 0);
        }
      }
    }
  }
}
