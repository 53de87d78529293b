/** A whole adapted layer: the kernels of shaders/lora and shaders/linear together, against finite differences. */
import { describe, it } from "vitest";
import { linear } from "../../../src/kernels/linear/linear.ts";
import { linearBackwardInput } from "../../../src/kernels/linear/linear_backward_input.ts";
import { linearBackwardWeight } from "../../../src/kernels/linear/linear_backward_weight.ts";
import { loraBackwardExpand } from "../../../src/kernels/lora/lora_backward_expand.ts";
import { loraBackwardExpandVec4 } from "../../../src/kernels/lora/lora_backward_expand_vec4.ts";
import { loraBackwardHidden } from "../../../src/kernels/lora/lora_backward_hidden.ts";
import { loraBackwardHiddenVec4 } from "../../../src/kernels/lora/lora_backward_hidden_vec4.ts";
import { loraExpand } from "../../../src/kernels/lora/lora_expand.ts";
import { loraExpandVec4 } from "../../../src/kernels/lora/lora_expand_vec4.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { linearReference } from "../../reference/linear.ts";
import { type LoraShape, loraExpandReference } from "../../reference/lora.ts";
import { dimsOf } from "./lora_case.ts";

interface Layer extends LoraShape {
  /** I */
  inputs: number;
}

type Operands = Record<"x" | "w" | "a" | "b", Float32Array | Float64Array>;

const CASES = [
  {
    name: "odd sizes",
    layer: { rows: 5, inputs: 7, outputs: 13, rank: 3, scale: 0.8, modules: [at(1, 5), at(8, 4)] },
    kernels: { expand: loraExpand, hidden: loraBackwardHidden, backward: loraBackwardExpand },
  },
  {
    name: "sizes divisible by 4",
    layer: { rows: 6, inputs: 8, outputs: 20, rank: 4, scale: 2, modules: [at(0, 8), at(8, 4), at(12, 8)] },
    kernels: { expand: loraExpandVec4, hidden: loraBackwardHiddenVec4, backward: loraBackwardExpandVec4 },
  },
];

function at(start: number, width: number) {
  return { start, width };
}

/** y = x·wᵀ and, for each module, + scale·(x·aᵀ)·bᵀ. */
function forward(layer: Layer, { x, w, a, b }: Operands): Float64Array {
  const { rows, inputs, outputs, rank, modules } = layer;
  const hidden = linearReference({ rows, inputs, outputs: modules.length * rank }, x, a);
  return loraExpandReference(layer, hidden, b, linearReference({ rows, inputs, outputs }, x, w));
}

/** Σ u·tanh(y): a loss whose gradient by y depends on y. */
function loss(layer: Layer, u: Float32Array, operands: Operands): number {
  return forward(layer, operands).reduce((sum, y, i) => sum + u[i] * Math.tanh(y), 0);
}

/** The loss's gradient by one operand, by central differences in float64. */
function differences(layer: Layer, u: Float32Array, operands: Operands, of: keyof Operands): Float64Array {
  const values = Float64Array.from(operands[of]);
  const lossAt = (i: number, value: number) => {
    const moved = values.slice();
    moved[i] = value;
    return loss(layer, u, { ...operands, [of]: moved });
  };
  const step = 1e-5;
  return values.map((value, i) => (lossAt(i, value + step) - lossAt(i, value - step)) / (2 * step));
}

// Broken on purpose once: dx without the adapters, dx of the adapters alone, dhidden without the scale, db from the wrong
// columns of dy. Each fails.
describe("an adapted layer", () => {
  for (const { name, layer, kernels } of CASES) {
    it(`has the gradients of finite differences: ${name}`, async () => {
      const { rows, inputs, outputs, rank, modules } = layer;
      const lengths = { hidden: rows * modules.length * rank, a: modules.length * rank * inputs };
      const width = modules.reduce((sum, module) => sum + module.width, 0);
      const x = normals(rows * inputs, 1);
      const w = normals(outputs * inputs, 2, 0.3);
      const a = normals(lengths.a, 3, 0.3);
      const b = normals(width * rank, 4, 0.3);
      const u = normals(rows * outputs, 5);
      const operands = { x, w, a, b };
      const dims = dimsOf(layer);
      const base = { rows, inputs, outputs };
      const down = { rows, inputs, outputs: modules.length * rank };
      const zeros = (length: number) => new Float32Array(length);
      const bias = zeros(1);

      const forwardOf = (sizes: typeof base) => ({
        ...{ ...sizes, has_bias: 0, accumulate: 0 },
        ...{ y_stride: sizes.outputs, y_start: 0 },
      });
      const { y: hidden } = await runKernel(
        linear,
        { x, w: a, bias, y: zeros(lengths.hidden) },
        forwardOf(down),
      );
      const { y: frozen } = await runKernel(linear, { x, w, bias, y: zeros(u.length) }, forwardOf(base));
      const { y } = await runKernel(kernels.expand, { hidden, b, y: frozen }, dims);
      const wantY = forward(layer, operands);
      expectClose("y", y, wantY, { atol: 1e-5 * largest(wantY), shape: [rows, outputs] });

      const dy = y.map((value, i) => u[i] * (1 - Math.tanh(value) ** 2));
      const { db } = await runKernel(
        kernels.backward,
        { dy, hidden, db: zeros(b.length) },
        { ...dims, accumulate: 0 },
      );
      const { dhidden } = await runKernel(kernels.hidden, { dy, b, dhidden: zeros(lengths.hidden) }, dims);
      const { dw: da } = await runKernel(
        linearBackwardWeight,
        { dy: dhidden, x, dw: zeros(a.length) },
        { ...down, accumulate: 0 },
      );
      const { dx: through } = await runKernel(
        linearBackwardInput,
        { dy, w, dx: zeros(x.length) },
        { ...base, accumulate: 0 },
      );
      const { dx } = await runKernel(
        linearBackwardInput,
        { dy: dhidden, w: a, dx: through },
        { ...down, accumulate: 1 },
      );
      const check = (of: keyof Operands, got: Float32Array, shape: number[]) => {
        const want = differences(layer, u, operands, of);
        expectClose(`d${of}`, got, want, { atol: 1e-4 * largest(want), shape });
      };
      check("a", da, [modules.length * rank, inputs]);
      check("b", db, [width, rank]);
      check("x", dx, [rows, inputs]);
    });
  }
});
