/** Which linear kernels serve a layer: called once per weight when a model is laid out, never per step. */
import { linear } from "./linear.ts";
import { linearBackwardInput } from "./linear_backward_input.ts";
import { linearBackwardInputVec4 } from "./linear_backward_input_vec4.ts";
import { linearBackwardWeight } from "./linear_backward_weight.ts";
import { linearBackwardWeightVec4 } from "./linear_backward_weight_vec4.ts";
import { linearVec4 } from "./linear_vec4.ts";

export interface LinearKernels {
  forward: typeof linear;
  backwardInput: typeof linearBackwardInput;
  backwardWeight: typeof linearBackwardWeight;
}

const general: LinearKernels = {
  forward: linear,
  backwardInput: linearBackwardInput,
  backwardWeight: linearBackwardWeight,
};

const byFours: LinearKernels = {
  forward: linearVec4,
  backwardInput: linearBackwardInputVec4,
  backwardWeight: linearBackwardWeightVec4,
};

/** The fastest kernels that are right for a weight of (outputs, inputs). */
export function linearKernels(shape: { outputs: number; inputs: number }): LinearKernels {
  return shape.outputs % 4 === 0 && shape.inputs % 4 === 0 ? byFours : general;
}
