/** Recipe fields of the weight board and of the GPU. */
import { choice, flag, group, wholeOrDerived } from "./field.ts";

export const weightsSchema = group("Weights: how versions travel from the trainer to the generators", {
  dtype: choice({
    choices: ["f32", "bf16", "f16"],
    default: "f32",
    description: "Number format of a published version",
  }),
});

export const gpuSchema = group("GPU", {
  selfTest: flag({
    default: true,
    description: "Try every kernel family on known numbers before a run, and refuse a GPU that fails",
  }),
  maxMemoryMiB: wholeOrDerived({
    min: 16,
    max: 1048576,
    unit: "MiB",
    derived: "no limit of its own",
    description:
      "Refuse to start a run that needs more GPU memory than this in all; the devices of trainer and generators get shares of it as planned",
  }),
});
