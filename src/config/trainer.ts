/** Recipe fields of the trainer stage: objective, batch, optimiser, staleness. */
import * as v from "valibot";
import { choice, choiceOrDerived, flag, group, real, realOrDerived, whole, wholeOrDerived } from "./field.ts";
import { footprint } from "./lora.ts";

const objective = {
  loss: choice({
    choices: ["magistral", "grpo", "dapo", "dr_grpo", "gspo", "cispo", "tis_reinforce"],
    default: "magistral",
    level: "basic",
    description: "Policy loss",
    source: "arXiv:2506.10910 §2.1",
  }),
  advantage: choiceOrDerived({
    choices: ["magistral", "group_std", "group_center", "batch_std"],
    derived: "what the loss was published with",
    description: "How rewards become advantages: centred per group, then divided by which deviation",
    source: "arXiv:2506.10910 §2.1",
  }),
  filter: choice({
    choices: ["reward", "correct", "none"],
    default: "reward",
    description: "Which groups are dead: all rewards equal, all equally correct, or none",
    source: "arXiv:2506.10910 §2.1",
  }),
  epsilonLow: realOrDerived({
    derived: "what the loss was published with",
    min: 0,
    max: 1,
    description: "Lower clip of the ratio, at 1 − this",
    source: "arXiv:2503.14476",
  }),
  epsilonHigh: realOrDerived({
    derived: "what the loss was published with",
    min: 0,
    max: 100,
    level: "basic",
    description: "Upper clip of the ratio, at 1 + this; may be changed while running",
    source: "arXiv:2506.10910 §2.1",
  }),
  klBeta: realOrDerived({
    derived: "what the loss was published with",
    min: 0,
    max: 10,
    description: "Weight of the KL divergence to the frozen first weights; 0 holds no reference",
    source: "arXiv:2506.10910 §2.1",
  }),
  ratioCap: realOrDerived({
    derived: "what the loss was published with",
    min: 1,
    max: 1000,
    description: "Cap of the ratio in `cispo` and `tis_reinforce`",
    source: "ScaleRL",
  }),
  maxLength: wholeOrDerived({
    min: 1,
    max: 131072,
    unit: "tokens",
    derived: "`generator.maxTokens`",
    description: "Constant that `dr_grpo` divides token sums by",
    source: "arXiv:2503.20783",
  }),
  truncatedImportance: v.optional(
    group("Weight each token's loss by the capped ratio of the recomputed to the generator's probability", {
      enabled: flag({ default: false, description: "Use truncated importance weights" }),
      cap: real({ default: 2, min: 1, max: 1000, description: "Cap of the importance weight" }),
    }),
    {},
  ),
  oldLogprobs: choice({
    choices: ["rollout", "recompute"],
    default: "rollout",
    description: "Denominator of the ratio: recorded by the generator, or recomputed before the update",
    source: "arXiv:2506.10910 §3",
  }),
};

const batch = {
  groupSize: whole({
    default: 8,
    min: 2,
    max: 256,
    unit: "completions",
    level: "basic",
    description: "Completions of one prompt (G)",
    source: "prototype",
  }),
  batchSize: whole({
    default: 256,
    min: 2,
    max: 65536,
    unit: "completions",
    level: "basic",
    description: "Completions in one batch, a multiple of `trainer.groupSize`",
    source: "prototype",
  }),
  minibatches: whole({
    default: 1,
    min: 1,
    max: 256,
    unit: "optimiser steps",
    description: "Optimiser steps on one batch; divides its number of groups",
    source: "arXiv:2506.10910 §6.3",
  }),
  microBatchTokens: whole({
    default: 4096,
    min: 16,
    max: 1048576,
    unit: "tokens",
    description: "Packed tokens in one forward and backward pass; changes memory, never the gradient",
    source: "arXiv:2506.10910 §3",
  }),
  maxStaleness: whole({
    default: 1,
    min: 0,
    max: 64,
    unit: "versions",
    level: "basic",
    description: "How many versions a completion may be behind when it is trained on",
    source: "arXiv:2506.10910 §6.3",
  }),
  maxRefillWaves: whole({
    default: 32,
    min: 1,
    max: 10000,
    unit: "batches",
    description: "Batches' worth of groups generated to replace dead ones before a smaller batch is trained",
  }),
};

const optimiser = {
  learningRate: real({
    default: 3e-4,
    min: 0,
    max: 1,
    level: "basic",
    description: "AdamW's peak learning rate",
    source: "prototype",
  }),
  schedule: choice({
    choices: ["constant", "cosine", "linear"],
    default: "constant",
    description: "Course of the learning rate after the warm-up",
  }),
  warmupSteps: whole({
    default: 0,
    min: 0,
    max: 1000000,
    unit: "steps",
    description: "Steps over which the learning rate rises from 0",
  }),
  minLearningRateRatio: real({
    default: 0,
    min: 0,
    max: 1,
    unit: "share",
    description: "Share of the learning rate that is left at the end of `cosine` or `linear`",
  }),
  beta1: real({ default: 0.9, min: 0, max: 0.99999, description: "AdamW's decay of the first moment" }),
  beta2: real({
    default: 0.99,
    min: 0,
    max: 0.999999,
    description: "AdamW's decay of the second moment",
    source: "prototype",
  }),
  adamEps: real({ default: 1e-8, min: 1e-15, max: 0.1, description: "AdamW's ε, added to the root" }),
  weightDecay: real({ default: 0, min: 0, max: 1, description: "AdamW's decoupled weight decay" }),
  maxGradNorm: real({
    default: 1,
    min: 0,
    max: 1e6,
    description: "Global gradient norm above which gradients are scaled down; 0 switches clipping off",
    source: "prototype",
  }),
};

export const trainerSchema = group("Trainer: rewarded groups become the next weights", {
  ...objective,
  ...batch,
  ...optimiser,
  ...footprint,
});
