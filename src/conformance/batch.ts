/** The six ragged sequences of a model's vectors, as the trainer wants them. */
import type { PackedRows } from "../model/policy.ts";
import type { RewardedGroup } from "../rollout.ts";
import { isDeadGroup } from "../trainer/advantages.ts";
import { type BatchObjective, buildTrainingBatch, type TrainingBatch } from "../trainer/batch.ts";
import type { Vectors } from "./vectors.ts";

/** One sequence; old and reference log-probabilities are of its completion. */
export interface Sequence {
  tokens: Uint32Array;
  prompt: number;
  group: number;
  reward: number;
  advantage: number;
  oldLogprobs: Float32Array;
  refLogprobs: Float32Array;
}

/** Cuts `forward.safetensors` into sequences. @throws DataError where a tensor is missing */
export function readSequences(vectors: Vectors): Sequence[] {
  const [ids, lengths, prompts] = ["ids", "lengths", "prompt_lengths"].map((name) => vectors.words(name));
  const groups = vectors.words("group");
  const [rewards, advantages] = [vectors.floats("rewards"), vectors.floats("advantages")];
  const [old, ref] = [vectors.floats("old_logprobs"), vectors.floats("ref_logprobs")];
  let [at, completionAt] = [0, 0];
  return Array.from(lengths, (length, i) => {
    const completion = length - prompts[i];
    const sequence: Sequence = {
      tokens: ids.slice(at, at + length),
      prompt: prompts[i],
      group: groups[i],
      reward: rewards[i],
      advantage: advantages[i],
      oldLogprobs: old.slice(completionAt, completionAt + completion),
      refLogprobs: ref.slice(completionAt, completionAt + completion),
    };
    at += length;
    completionAt += completion;
    return sequence;
  });
}

/** All rows side by side; `predicting` leaves out each sequence's last one, which has no next token. */
export function packRows(sequences: readonly Sequence[], predicting: boolean): PackedRows {
  const drop = predicting ? 1 : 0;
  const parts = sequences.map(({ tokens }) => tokens.subarray(0, tokens.length - drop));
  const offsets = [0];
  for (const part of parts) offsets.push(offsets[offsets.length - 1] + part.length);
  const tokens = Uint32Array.from(parts.flatMap((part) => [...part]));
  return {
    tokens,
    positions: Uint32Array.from(parts.flatMap((part) => [...part.keys()])),
    offsets: Uint32Array.from(offsets),
    rows: tokens.map((_, n) => n),
    // Rows without a next token ask for any: token 0.
    targets: Uint32Array.from(
      sequences.flatMap((one) => [...one.tokens.subarray(1), ...(predicting ? [] : [0])]),
    ),
  };
}

export interface LossBatch {
  batch: TrainingBatch;
  /** (M) in the order of the batch. */
  refLogprobs: Float32Array;
  /** (B) the vectors' own, in the order of the batch. */
  advantages: Float32Array;
}

/** The minibatch of all living groups, by the code that forms batches in training. */
export function lossBatch(sequences: readonly Sequence[], objective: BatchObjective): LossBatch {
  const groups = [...new Set(sequences.map(({ group }) => group))]
    .map((group) => sequences.filter((one) => one.group === group))
    .filter(
      (members) =>
        !isDeadGroup(
          members.map(({ reward }) => ({ reward, correct: null })),
          "reward",
        ),
    );
  const members = groups.flat();
  const batch = buildTrainingBatch(
    groups.map((group) => rewardedGroup(group)),
    objective,
  );
  batch.generatorLogprobs.set(members.flatMap(({ oldLogprobs }) => [...oldLogprobs]));
  return {
    batch,
    refLogprobs: Float32Array.from(members.flatMap(({ refLogprobs }) => [...refLogprobs])),
    advantages: Float32Array.from(members, ({ advantage }) => advantage),
  };
}

/** Sampled log-probabilities are put in later: the vectors' old ones are noisy and may exceed 0. */
function rewardedGroup(members: readonly Sequence[]): RewardedGroup {
  const { group } = members[0];
  const problem = {
    id: `${group}`,
    taskId: "conformance",
    prompt: "",
    answer: null,
    columns: {},
  };
  return {
    groupId: group,
    problem,
    rollouts: members.map(({ tokens, prompt, reward }, i) => ({
      id: i,
      groupId: group,
      problemId: problem.id,
      taskId: problem.taskId,
      promptTokens: tokens.slice(0, prompt),
      completionTokens: tokens.slice(prompt),
      generatorLogprobs: new Float32Array(tokens.length - prompt),
      generatorEntropies: new Float32Array(tokens.length - prompt),
      policyVersions: new Int32Array(tokens.length - prompt),
      temperature: 1,
      finishReason: "length",
      completion: "",
      reward,
      rewards: {},
      correct: null,
      verdicts: [],
    })),
  };
}
