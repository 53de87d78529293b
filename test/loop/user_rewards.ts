/** Reward functions of a user, for tests: each gives what no sensible one would. */
import type { RewardArgs } from "../../src/verifier/api.ts";

const lengthOf = (prompt: unknown) => JSON.stringify(prompt).length;

/** Gives every completion the same. */
export const constant = ({ completions }: RewardArgs) => completions.map(() => 1);

/** Tells completions apart for the first two steps alone. */
export const fading = ({ completions, trainer_state }: RewardArgs) =>
  completions.map((_, k) => (trainer_state.global_step < 2 ? k : 0));

/** Tells completions apart where the prompt's length is a multiple of three. */
export const rare = ({ completions, prompts }: RewardArgs) =>
  completions.map((_, k) => (lengthOf(prompts[k]) % 3 === 0 ? k : 0));

/** Goes by the completion's place in its group: nothing that could be learned. */
export const noise = ({ completions, prompts }: RewardArgs) =>
  completions.map((_, k) => ((5 * k + lengthOf(prompts[k])) % completions.length) / completions.length);

/** Logs a metric under a name of the project's own. */
export const clashing = ({ completions, log_metric }: RewardArgs) => {
  log_metric("reward", 7);
  log_metric("my/metric", 7);
  return completions.map((_, k) => k);
};
