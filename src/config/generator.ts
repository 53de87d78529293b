/** Recipe fields of the generator stage: how completions are sampled. */
import { choice, flag, group, real, texts, whole } from "./field.ts";

export const generatorSchema = group("Generators: batched decoding, each with a GPU device of its own", {
  workers: whole({
    default: 1,
    min: 1,
    max: 16,
    unit: "workers",
    description: "Generators that run side by side; on one GPU they share its time",
  }),
  concurrency: whole({
    default: 128,
    min: 1,
    max: 4096,
    unit: "sequences",
    level: "basic",
    description: "Sequences each generator keeps decoding all the time (n_async over the workers)",
    source: "arXiv:2506.10910 §6.3",
  }),
  temperature: real({
    default: 1,
    min: 0.01,
    max: 10,
    level: "basic",
    description: "Divides the logits before sampling; log-probabilities are recorded after it",
    source: "arXiv:2506.10910 §5.3",
  }),
  topK: whole({
    default: 0,
    min: 0,
    max: 65536,
    unit: "tokens",
    description: "Sample among the most probable tokens only; 0 switches the filter off",
  }),
  topP: real({
    default: 1,
    min: 1e-6,
    max: 1,
    unit: "probability",
    description: "Sample within the smallest set of tokens of this probability; 1 switches the filter off",
  }),
  minP: real({
    default: 0,
    min: 0,
    max: 1,
    unit: "probability",
    description: "Drop tokens below this share of the most probable one; 0 switches the filter off",
  }),
  maxTokens: whole({
    default: 24,
    min: 1,
    max: 131072,
    unit: "tokens",
    level: "basic",
    description: "Longest completion; a longer one is cut and counts as truncated",
    source: "prototype",
  }),
  decodeChunk: whole({
    default: 8,
    min: 1,
    max: 256,
    unit: "decode steps",
    description: "Decode steps between two read-backs; finished rows are refilled and weights taken there",
  }),
  stop: texts({
    default: [],
    description: "Texts that end a completion where they first appear, beside the model's own end tokens",
  }),
  dtype: choice({
    choices: ["f32", "f16"],
    default: "f32",
    description: "Number format of the generators' matrices; sums are always f32",
  }),
  cacheDtype: choice({
    choices: ["f32", "f16"],
    default: "f32",
    description: "Number format of the key/value cache",
  }),
  recomputeCache: flag({
    default: false,
    description: "Recompute the key/value cache of running sequences after each weight swap",
    source: "arXiv:2506.10910 §3",
  }),
});
