/** What the generator refuses: prompts that do not fit, and probabilities that are not numbers. */
import { WebgrpoError } from "../errors.ts";
import type { PromptGroup } from "./api.ts";

export const RangeCheck = {
  /** @throws RangeError for a prompt that is empty or does not fit the cache with its completion */
  prompt({ promptTokens, sampling, groupId }: PromptGroup, maxSequence: number): void {
    const needed = promptTokens.length + sampling.maxTokens;
    if (promptTokens.length === 0 || needed > maxSequence) {
      throw new RangeError(
        `Cannot decode group ${groupId}: ${promptTokens.length} prompt and up to ${sampling.maxTokens} completion tokens, 1 to ${maxSequence} in all are needed`,
      );
    }
  },

  /** The sampler marks logits that are not finite with a positive log-probability. @throws WebgrpoError */
  logprob(logprob: number, rolloutId: number, version: number): void {
    if (logprob <= 0) return;
    throw new WebgrpoError(
      "generator/not-finite",
      `Cannot sample rollout ${rolloutId}: the logits of policy version ${version} are not finite`,
      {
        hint: "The weights have diverged: resume from an earlier checkpoint with a lower trainer.learningRate.",
      },
    );
  },
};
