/** Recipe fields of the verifier stage: which rewards are given and how. */
import { flag, group, realsOrDerived, textOrNone, texts, whole, wholeOrDerived } from "./field.ts";

export const verifierSchema = group("Verifiers: a pool of workers that reward completions", {
  workers: whole({
    default: 1,
    min: 1,
    max: 64,
    unit: "workers",
    description: "Verifiers that run side by side",
  }),
  rewards: texts({
    default: ["magistral"],
    level: "basic",
    description: "Reward functions by name, built in or exported by `verifier.rewardModule`",
    source: "arXiv:2506.10910 §2.2",
  }),
  weights: realsOrDerived({
    min: -1000,
    max: 1000,
    derived: "1 for each reward",
    description: "Weight of each reward in the sum, in the order of `verifier.rewards`",
  }),
  rewardModule: textOrNone({
    derived: "none",
    description:
      "Your own TypeScript or JavaScript file that exports reward functions, or a reward model as an .onnx file (reward `reward_model`)",
  }),
  timeoutMs: whole({
    default: 500,
    min: 10,
    max: 600000,
    unit: "ms",
    description: "Time one completion may take before its reward becomes null",
  }),
  lengthMax: wholeOrDerived({
    min: 1,
    max: 131072,
    unit: "tokens",
    derived: "`generator.maxTokens`",
    description: "Length at which the soft length penalty reaches its full −0.1 (l_max)",
    source: "arXiv:2506.10910 §2.2.3",
  }),
  lengthCache: wholeOrDerived({
    min: 0,
    max: 131072,
    unit: "tokens",
    derived: "a fifth of `verifier.lengthMax`",
    description: "Tokens over which the length penalty grows (l_cache); 0 switches the penalty off",
    source: "arXiv:2503.14476",
  }),
  languageBonus: flag({
    default: false,
    description: "Give 0.1 when problem, thoughts and answer are in one language",
    source: "arXiv:2506.10910 §2.2.4",
  }),
  thinkPrefilled: flag({
    default: false,
    description: "The prompt already ends with `<think>`, so the completion need not open it",
  }),
});
