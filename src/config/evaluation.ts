/** Recipe fields of evaluation on held-out problems. */
import { group, real, whole, wholeOrDerived } from "./field.ts";

export const evaluationSchema = group("Evaluation on problems that training never sees", {
  problems: whole({
    default: 256,
    min: 0,
    max: 100000,
    unit: "problems",
    level: "basic",
    description: "Held-out problems; 0 switches evaluation off",
  }),
  samples: whole({
    default: 8,
    min: 1,
    max: 1024,
    unit: "completions",
    description: "Completions of each problem: pass@k and maj@k are reported up to this k",
  }),
  every: whole({
    default: 0,
    min: 0,
    max: 1000000,
    unit: "steps",
    description: "Steps between evaluations; 0: only before and after",
  }),
  temperature: real({
    default: 1,
    min: 0,
    max: 10,
    description: "Sampling temperature; 0 takes the most probable token",
    source: "prototype",
  }),
  maxTokens: wholeOrDerived({
    min: 1,
    max: 131072,
    unit: "tokens",
    derived: "`generator.maxTokens`",
    description: "Longest completion",
  }),
});
