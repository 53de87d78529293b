/**
 * What travels from the loop to the trainer worker: the sequences of one batch as flat typed arrays that are
 * transferred, never cloned. Advantages and token weights are fixed here; a split into minibatches fixes them anew
 * per minibatch, a split into micro-batches leaves them alone.
 */
import { DataError } from "../errors.ts";
import type { RewardedGroup, RewardedRollout } from "../rollout.ts";
import { type AdvantageKind, computeAdvantages } from "./advantages.ts";
import { type TokenWeightRule, tokenWeights } from "./token_weights.ts";

/** How rewards and lengths become advantages and weights. */
export interface BatchObjective {
  advantage: AdvantageKind;
  weight: TokenWeightRule;
  /** The longest completion allowed, in tokens. */
  maxCompletionTokens: number;
}

/** B sequences in K groups; P + T tokens each; M completion tokens in all. */
export interface TrainingBatch {
  objective: BatchObjective;
  /** Prompt and completion of every sequence, one after another. */
  tokens: Uint32Array<ArrayBuffer>;
  /** (B + 1) where each sequence starts in `tokens`. */
  offsets: Uint32Array<ArrayBuffer>;
  /** (B) */
  promptLengths: Uint32Array<ArrayBuffer>;
  /** (B + 1) where each completion starts in the arrays of M. */
  completionOffsets: Uint32Array<ArrayBuffer>;
  /** (M) */
  generatorLogprobs: Float32Array<ArrayBuffer>;
  /** (M) */
  policyVersions: Int32Array<ArrayBuffer>;
  /** (B) what each completion was sampled at. */
  temperatures: Float64Array<ArrayBuffer>;
  /** (B) */
  rolloutIds: Float64Array<ArrayBuffer>;
  /** (B) 0 to K − 1; a group's sequences lie together. */
  groups: Uint32Array<ArrayBuffer>;
  /** (B) NaN where nothing could be scored. */
  rewards: Float64Array<ArrayBuffer>;
  /** (B) */
  advantages: Float32Array<ArrayBuffer>;
  /** (B) the weight that each token of the completion carries. */
  tokenWeights: Float32Array<ArrayBuffer>;
}

/** Lays the groups' rollouts out as one batch. @throws DataError for a rollout that cannot be trained on. */
export function buildTrainingBatch(
  groups: readonly RewardedGroup[],
  objective: BatchObjective,
): TrainingBatch {
  const rollouts = groups.flatMap((group) => group.rollouts);
  for (const rollout of rollouts) checkRollout(rollout);
  const completionOffsets = starts(rollouts.map((rollout) => rollout.completionTokens.length));
  const total = completionOffsets[rollouts.length];
  const offsets = starts(
    rollouts.map((rollout) => rollout.promptTokens.length + rollout.completionTokens.length),
  );
  const batch: TrainingBatch = {
    objective: { ...objective },
    tokens: new Uint32Array(offsets[rollouts.length]),
    offsets,
    promptLengths: Uint32Array.from(rollouts, (rollout) => rollout.promptTokens.length),
    completionOffsets,
    generatorLogprobs: new Float32Array(total),
    policyVersions: new Int32Array(total),
    temperatures: Float64Array.from(rollouts, (rollout) => rollout.temperature),
    rolloutIds: Float64Array.from(rollouts, (rollout) => rollout.id),
    groups: Uint32Array.from(groups.flatMap((group, k) => group.rollouts.map(() => k))),
    rewards: Float64Array.from(rollouts, (rollout) => rollout.reward ?? Number.NaN),
    advantages: new Float32Array(rollouts.length),
    tokenWeights: new Float32Array(rollouts.length),
  };
  for (let i = 0; i < rollouts.length; i++) {
    const { promptTokens, completionTokens, generatorLogprobs, policyVersions } = rollouts[i];
    batch.tokens.set(promptTokens, offsets[i]);
    batch.tokens.set(completionTokens, offsets[i] + promptTokens.length);
    batch.generatorLogprobs.set(generatorLogprobs, completionOffsets[i]);
    batch.policyVersions.set(policyVersions, completionOffsets[i]);
  }
  applyObjective(batch);
  return batch;
}

/** Fills `advantages` and `tokenWeights` over the sequences of this batch. */
function applyObjective(batch: TrainingBatch): void {
  const { advantage, weight, maxCompletionTokens } = batch.objective;
  const rewards: (number | null)[][] = [];
  for (let i = 0; i < batch.groups.length; i++) {
    if (rewards.length === batch.groups[i]) rewards.push([]);
    rewards[batch.groups[i]].push(Number.isNaN(batch.rewards[i]) ? null : batch.rewards[i]);
  }
  batch.advantages.set(computeAdvantages(rewards, advantage));
  batch.tokenWeights.set(tokenWeights(completionLengths(batch), batch.groups, weight, maxCompletionTokens));
}

/**
 * Cuts the batch into `count` minibatches of whole groups, in order, as equal as possible; each gets advantages and
 * weights over its own sequences. @throws RangeError when there are fewer groups than minibatches.
 */
export function splitMinibatches(batch: TrainingBatch, count: number): TrainingBatch[] {
  if (count === 1) return [batch];
  const sequences = batch.groups.length;
  const groupCount = sequences === 0 ? 0 : batch.groups[sequences - 1] + 1;
  if (!(Number.isInteger(count) && count >= 1 && count <= groupCount)) {
    throw new RangeError(
      `Cannot cut ${groupCount} groups into ${count} minibatches: a whole number from 1 to ${groupCount} is needed`,
    );
  }
  const minibatches: TrainingBatch[] = [];
  let start = 0;
  for (let k = 0; k < count; k++) {
    const endGroup = Math.floor(((k + 1) * groupCount) / count);
    let end = start;
    while (end < sequences && batch.groups[end] < endGroup) end++;
    minibatches.push(sliceBatch(batch, start, end));
    start = end;
  }
  return minibatches;
}

function sliceBatch(batch: TrainingBatch, start: number, end: number): TrainingBatch {
  const { offsets, completionOffsets } = batch;
  const [first, last] = [completionOffsets[start], completionOffsets[end]];
  const part: TrainingBatch = {
    objective: { ...batch.objective },
    tokens: batch.tokens.slice(offsets[start], offsets[end]),
    offsets: offsets.slice(start, end + 1).map((at) => at - offsets[start]),
    promptLengths: batch.promptLengths.slice(start, end),
    completionOffsets: completionOffsets.slice(start, end + 1).map((at) => at - first),
    generatorLogprobs: batch.generatorLogprobs.slice(first, last),
    policyVersions: batch.policyVersions.slice(first, last),
    temperatures: batch.temperatures.slice(start, end),
    rolloutIds: batch.rolloutIds.slice(start, end),
    groups: batch.groups.slice(start, end).map((group) => group - batch.groups[start]),
    rewards: batch.rewards.slice(start, end),
    advantages: new Float32Array(end - start),
    tokenWeights: new Float32Array(end - start),
  };
  applyObjective(part);
  return part;
}

/** (B) completion tokens of each sequence. */
export function completionLengths(batch: TrainingBatch): Uint32Array {
  return batch.promptLengths.map((_, i) => batch.completionOffsets[i + 1] - batch.completionOffsets[i]);
}

/** (B) rows each sequence takes in the forward pass: all its tokens but the last, which predicts nothing. */
export function inputLengths(batch: TrainingBatch): Uint32Array {
  return batch.promptLengths.map((_, i) => batch.offsets[i + 1] - batch.offsets[i] - 1);
}

/** The buffers to hand over when the batch is posted to a worker. */
export function batchTransferables(batch: TrainingBatch): ArrayBuffer[] {
  return Object.values(batch).flatMap((field) =>
    ArrayBuffer.isView(field) ? [field.buffer as ArrayBuffer] : [],
  );
}

/** B sequences side by side: N input rows, of which M predict a completion token. */
export interface MicroBatch {
  /** What all of them were sampled at. */
  temperature: number;
  /** (B) indices into the batch. */
  sequences: Uint32Array;
  /** (N) input tokens: every sequence without its last token. */
  tokens: Uint32Array;
  /** (B + 1) where each sequence starts in `tokens`. */
  offsets: Uint32Array;
  /** (N) position within the sequence, from 0. */
  positions: Uint32Array;
  /** (M) the row whose hidden state predicts the completion token. */
  rows: Uint32Array;
  /** (M) the completion token. */
  targets: Uint32Array;
  /** (B + 1) where each completion starts in the arrays of M. */
  completionOffsets: Uint32Array;
  /** (M) */
  generatorLogprobs: Float32Array;
  /** (M) the sequence's advantage. */
  advantages: Float32Array;
  /** (M) the sequence's token weight. */
  weights: Float32Array;
}

/**
 * Gathers the given sequences of the batch, in the given order, as the trainer's forward pass wants them.
 * @throws RangeError for sequences of different temperatures
 */
export function gatherMicroBatch(batch: TrainingBatch, sequences: readonly number[]): MicroBatch {
  const lengthsIn = inputLengths(batch);
  const lengthsOut = completionLengths(batch);
  const offsets = starts(sequences.map((i) => lengthsIn[i]));
  const completionOffsets = starts(sequences.map((i) => lengthsOut[i]));
  const [rows, outputs] = [offsets[sequences.length], completionOffsets[sequences.length]];
  const temperature = batch.temperatures[sequences[0]];
  if (sequences.some((i) => batch.temperatures[i] !== temperature)) {
    throw new RangeError(
      `Cannot gather sequences ${sequences.join(", ")}: a micro-batch has one temperature, theirs differ`,
    );
  }
  const micro: MicroBatch = {
    temperature,
    sequences: Uint32Array.from(sequences),
    tokens: new Uint32Array(rows),
    offsets,
    positions: new Uint32Array(rows),
    rows: new Uint32Array(outputs),
    targets: new Uint32Array(outputs),
    completionOffsets,
    generatorLogprobs: new Float32Array(outputs),
    advantages: new Float32Array(outputs),
    weights: new Float32Array(outputs),
  };
  for (let b = 0; b < sequences.length; b++) {
    const i = sequences[b];
    const source = batch.offsets[i];
    const prompt = batch.promptLengths[i];
    micro.tokens.set(batch.tokens.subarray(source, source + lengthsIn[i]), offsets[b]);
    for (let p = 0; p < lengthsIn[i]; p++) micro.positions[offsets[b] + p] = p;
    const out = completionOffsets[b];
    for (let t = 0; t < lengthsOut[i]; t++) {
      micro.rows[out + t] = offsets[b] + prompt - 1 + t;
      micro.targets[out + t] = batch.tokens[source + prompt + t];
    }
    const from = batch.completionOffsets[i];
    micro.generatorLogprobs.set(batch.generatorLogprobs.subarray(from, from + lengthsOut[i]), out);
    micro.advantages.fill(batch.advantages[i], out, out + lengthsOut[i]);
    micro.weights.fill(batch.tokenWeights[i], out, out + lengthsOut[i]);
  }
  return micro;
}

function checkRollout(rollout: RewardedRollout): void {
  const { promptTokens, completionTokens, generatorLogprobs, policyVersions, temperature, id } = rollout;
  const length = completionTokens.length;
  const refuse = (found: string, needed: string): DataError =>
    new DataError("trainer/bad-rollout", `Cannot train on rollout ${id}: ${found}; ${needed}`, {
      hint: "This is a fault of the generator or verifier that made it; report it with the run's rollouts.ndjson.",
    });
  if (promptTokens.length === 0 || length === 0) {
    throw refuse(
      `${promptTokens.length} prompt and ${length} completion tokens`,
      "at least one of each is needed",
    );
  }
  if (!(temperature > 0)) throw refuse(`temperature ${temperature}`, "a number above 0 is needed");
  if (generatorLogprobs.length !== length || policyVersions.length !== length) {
    throw refuse(
      `${length} tokens, ${generatorLogprobs.length} log-probabilities, ${policyVersions.length} versions`,
      "as many of each are needed",
    );
  }
  const broken = generatorLogprobs.findIndex((logprob) => !(logprob <= 1e-3 && logprob > -Infinity));
  if (broken >= 0) {
    throw refuse(
      `log-probability ${generatorLogprobs[broken]} at token ${broken}`,
      "finite numbers up to 0 are needed",
    );
  }
}

/** Running sums from 0: (n + 1). */
function starts(lengths: readonly number[]): Uint32Array<ArrayBuffer> {
  const sums = new Uint32Array(lengths.length + 1);
  for (let i = 0; i < lengths.length; i++) sums[i + 1] = sums[i] + lengths[i];
  return sums;
}

/** `values` (M of the minibatch) of the given sequences, side by side. */
export function gatherCompletions(
  batch: TrainingBatch,
  sequences: readonly number[],
  values: Float32Array,
  length: number,
): Float32Array {
  const gathered = new Float32Array(length);
  let at = 0;
  for (const i of sequences) {
    const part = values.subarray(batch.completionOffsets[i], batch.completionOffsets[i + 1]);
    gathered.set(part, at);
    at += part.length;
  }
  return gathered;
}

/** `values` (M) of sequences in the given order, brought back into the batch's. */
export function inBatchOrder(
  batch: TrainingBatch,
  order: readonly number[],
  values: Float32Array,
): Float32Array {
  const ordered = new Float32Array(values.length);
  let at = 0;
  for (const i of order) {
    const [start, end] = [batch.completionOffsets[i], batch.completionOffsets[i + 1]];
    ordered.set(values.subarray(at, at + end - start), start);
    at += end - start;
  }
  return ordered;
}
