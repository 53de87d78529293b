import { describe, it } from "vitest";
import { swiglu } from "../../../src/kernels/mlp/swiglu.ts";
import { swigluBackward } from "../../../src/kernels/mlp/swiglu_backward.ts";
import { expectClose, runKernel } from "../../gpu_harness.ts";
import { hasVectors, readVectors } from "../../reference/vectors.ts";

/** Rows of `a` and `b` side by side. */
function beside(a: Float32Array, b: Float32Array, width: number): Float32Array {
  const both = new Float32Array(2 * a.length);
  for (let i = 0; i < a.length; i++) {
    const at = Math.floor(i / width) * width + i;
    both[at] = a[i];
    both[at + width] = b[i];
  }
  return both;
}

describe.skipIf(!hasVectors)("swiglu against the float64 vectors", () => {
  for (const name of ["1x4", "37x112", "5x1536"]) {
    it(`${name}: output and gradients`, async () => {
      const vectors = readVectors(`kernels/swiglu-${name}.safetensors`);
      const [rows, width] = vectors.shape("gate");
      const gate_up = beside(vectors.floats("gate"), vectors.floats("up"), width);
      const dact = vectors.floats("grad_out");
      const { act } = await runKernel(swiglu, { gate_up, act: dact }, { rows, width });
      expectClose("act", act, vectors.floats("out"), { rtol: 1e-5, shape: [rows, width] });
      const inputs = { gate_up, dact, dgate_up: gate_up };
      const { dgate_up } = await runKernel(swigluBackward, inputs, { rows, width });
      const want = beside(vectors.floats("grad_gate"), vectors.floats("grad_up"), width);
      expectClose("dgate_up", dgate_up, want, { rtol: 1e-5, atol: 1e-6, shape: [rows, 2, width] });
    });
  }
});
