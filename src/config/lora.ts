/** Recipe fields of what the trainer keeps on the GPU: which parameters it changes, and in what form it holds the rest. */
import * as v from "valibot";
import { ADAPTER_MODULES, type AdapterSettings } from "../model/adapters/config.ts";
import { choice, flag, group, realOrDerived, texts, whole } from "./field.ts";

export const footprint = {
  lora: v.optional(
    group("LoRA: train small adapters beside a frozen model, which needs a fraction of the memory", {
      rank: whole({
        default: 0,
        min: 0,
        max: 1024,
        level: "basic",
        description: "Rank of the adapters; 0 trains every parameter instead",
        source: "arXiv:2106.09685 §4.1",
      }),
      alpha: realOrDerived({
        min: 1e-3,
        max: 1e5,
        derived: "twice the rank",
        description: "Adapters count alpha / rank times",
        source: "arXiv:2106.09685 §4.1",
      }),
      targets: texts({
        default: ADAPTER_MODULES,
        description: `Linear layers that get adapters, among ${ADAPTER_MODULES.join(", ")}`,
      }),
    }),
    {},
  ),
  frozenDtype: choice({
    choices: ["f32", "f16"],
    default: "f32",
    description:
      "Number format of the frozen model's matrices on the trainer, where LoRA trains; sums are always f32",
  }),
  recompute: flag({
    default: false,
    description:
      "Compute activations again in the backward pass instead of keeping them: less memory, a third more work",
    source: "arXiv:1604.06174",
  }),
};

/** What a recipe's `trainer.lora` asks for, or null where every parameter is trained. */
export function loraSettings(lora: {
  rank: number;
  alpha?: number;
  targets: string[];
}): AdapterSettings | null {
  const { rank, alpha = 2 * rank, targets } = lora;
  return rank === 0
    ? null
    : { rank, alpha, targets: ADAPTER_MODULES.filter((name) => targets.includes(name)) };
}
