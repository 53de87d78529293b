/** Holds what an exported policy writes against what ours writes, token for token. */
import type { Completion } from "../answering.ts";
import { LoadedModel } from "../answering.ts";
import type { ModelFiles } from "../data/source.ts";
import type { Gpu } from "../gpu/device.ts";
import type { ModelConfig } from "../model/config.ts";
import { randomStream } from "../random.ts";
import type { OnnxPolicy } from "./onnx_policy.ts";

/** Lengths of the prompts that nobody chose: one token, a few, more than a chunk. */
const PROMPT_LENGTHS = [1, 7, 24];

export interface Comparison {
  prompt: readonly number[];
  ours: readonly number[];
  theirs: readonly number[];
  /** The first token that is not the same, and how far its logit lies above ours in the export; null where all are. */
  difference: { at: number; gap: number } | null;
}

/** Prompts of random tokens, the same for the same model. */
export function randomPrompts({ vocabSize, maxPositions }: ModelConfig, count: number): number[][] {
  const room = Math.max(1, maxPositions - count);
  return PROMPT_LENGTHS.map((length, i) => {
    const random = randomStream(0, i);
    return Array.from({ length: Math.min(length, room) }, () => Math.floor(vocabSize * random.unit()));
  });
}

/** The most probable tokens after each prompt by our kernels; tokens that end a completion do not end these. */
export async function greedyTokens(
  gpu: Gpu,
  files: ModelFiles,
  prompts: readonly (readonly number[])[],
  count: number,
  signal?: AbortSignal,
): Promise<number[][]> {
  const maxSequence = count + Math.max(...prompts.map(({ length }) => length));
  const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, maxTokens: count, seed: 0 };
  using model = await LoadedModel.open(gpu, { files, eosIds: [] }, { concurrency: 1, maxSequence });
  const completions: Completion[] = [];
  for (const prompt of prompts) {
    const request = { prompt: Uint32Array.from(prompt), samples: 1, sampling, signal };
    completions.push(...(await model.stream(request)));
  }
  return completions.map(({ tokens }) => tokens);
}

/** Lets the export answer each prompt and compares with `ours`. */
export async function comparePolicy(
  policy: OnnxPolicy,
  prompts: readonly (readonly number[])[],
  ours: readonly (readonly number[])[],
): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const [i, prompt] of prompts.entries()) {
    const theirs = await policy.greedy(prompt, ours[i].length);
    const at = theirs.findIndex((token, t) => token !== ours[i][t]);
    let difference: Comparison["difference"] = null;
    if (at >= 0) {
      const { logits } = await policy.step({ ids: [[...prompt, ...theirs.slice(0, at)]] });
      const last = logits.subarray(logits.length - policy.config.vocabSize);
      difference = { at, gap: last[theirs[at]] - last[ours[i][at]] };
    }
    comparisons.push({ prompt, ours: ours[i], theirs, difference });
  }
  return comparisons;
}
