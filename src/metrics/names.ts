/**
 * The closed table of metric names, TRL's where it has one: meaning, unit and how a window of values becomes one. The
 * stages use these names, the recorder reduces by them, the page and the docs show them.
 */

export type Reduction = "mean" | "sum" | "max" | "min" | "last" | "rate";

export interface MetricEntry {
  /** `{name}` and `{k}` stand for a reward function's name and a number. */
  name: string;
  meaning: string;
  unit: string;
  reduction: Reduction;
}

/** Name, unit, meaning; the reduction follows from the name unless a fourth entry says otherwise. */
type Row = readonly [name: string, unit: string, meaning: string, reduction?: Reduction];

const rows: readonly Row[] = [
  ["step", "", "optimiser batches done", "last"],
  ["epoch", "", "share of the data seen; over 1 when seen again", "last"],
  ["num_tokens", "tokens", "prompt and completion tokens trained on since the start", "last"],
  ["step_time", "s", "from the end of the last step to the end of this one"],
  ["loss", "", "the policy loss; near zero on-policy by construction, so no headline"],
  ["grad_norm", "", "global gradient norm before clipping"],
  ["learning_rate", "", "the step's learning rate", "last"],
  ["reward", "", "mean over completions of the weighted sum of rewards"],
  ["reward_std", "", "standard deviation (n − 1) of it over the whole batch"],
  ["rewards/{name}/mean", "", "mean of one reward function, unweighted"],
  ["rewards/{name}/std", "", "its standard deviation (n − 1)"],
  ["frac_reward_zero_std", "share", "completions whose group all got the same reward: no gradient"],
  ["entropy", "nats", "mean entropy of the token distributions at the sampling temperature"],
  ["kl", "nats", "mean k3 estimate of the divergence from the frozen reference"],
  ["ratio", "", "mean probability ratio, trainer over generator"],
  ["ratio/min", "", "its smallest value"],
  ["ratio/max", "", "its largest value"],
  ["clip_ratio/low_mean", "share", "tokens with the ratio under 1 − ε and a negative advantage"],
  ["clip_ratio/high_mean", "share", "tokens with the ratio over 1 + ε_high and a positive advantage"],
  ["clip_ratio/region_mean", "share", "tokens clipped on either side"],
  ["clip_ratio/low_min", "share", "the sequence least clipped below"],
  ["clip_ratio/high_max", "share", "the sequence most clipped above"],
  ["cispo_clip_ratio", "share", "tokens whose weight CISPO caps"],
  ["sampling/sampling_logp_difference/mean", "nats", "mean |trainer − generator| log-probability"],
  ["sampling/sampling_logp_difference/max", "nats", "its largest value"],
  ["sampling/importance_sampling_ratio/min", "", "smallest correction weight"],
  ["sampling/importance_sampling_ratio/mean", "", "mean correction weight"],
  ["sampling/importance_sampling_ratio/max", "", "largest correction weight"],
  ["completions/mean_length", "tokens", "mean completion length"],
  ["completions/min_length", "tokens", "shortest completion"],
  ["completions/max_length", "tokens", "longest completion"],
  ["completions/clipped_ratio", "share", "completions that ended without end-of-sequence"],
  ["completions/mean_terminated_length", "tokens", "mean length of those that ended with it; 0 if none did"],
  ["completions/min_terminated_length", "tokens", "shortest of those"],
  ["completions/max_terminated_length", "tokens", "longest of those"],
  ["completions/correct_ratio", "share", "right answers among the completions that were judged"],
  ["sample/staleness_mean", "versions", "trainer version minus the oldest token's, mean over completions"],
  ["sample/staleness_max", "versions", "its largest value"],
  ["sample/dropped_stale_total", "groups", "groups dropped as too old"],
  ["sample/dropped_missing_total", "groups", "groups given up because a stage failed on them"],
  ["sample/rollout_queue_size", "groups", "groups that wait for the trainer"],
  ["sample/time_in_queue_s", "s", "how long they waited"],
  ["sample/forwarded_tokens_mean", "tokens", "prompt and completion tokens of a sample"],
  ["sample/forwarded_tokens_max", "tokens", "the longest sample"],
  ["sample/trained_tokens_mean", "tokens", "completion tokens of a sample"],
  ["batch/microbatches_per_step", "", "micro-batches a step"],
  ["batch/forwarded_tokens_per_step", "tokens", "tokens through the decoder a step"],
  ["batch/trained_tokens_per_step", "tokens", "completion tokens a step"],
  ["batch/samples_per_step", "", "completions a step"],
  ["batch/groups_per_step", "", "groups a step"],
  ["batch/samples_per_row", "", "sequences packed into one micro-batch"],
  ["batch/row_tokens_mean", "tokens", "tokens in a micro-batch"],
  ["batch/row_tokens_max", "tokens", "tokens in the fullest micro-batch"],
  ["batch/row_imbalance", "", "fullest micro-batch over the mean"],
  ["batch/row_fill_frac", "share", "how full micro-batches are"],
  ["batch/pad_frac", "share", "padding among the tokens computed"],
  ["batch/masked_token_frac", "share", "completion tokens without weight in the loss"],
  ["batch/dropped_oversize_total", "", "completions too long for any micro-batch"],
  ["batch/dead_groups", "groups", "groups dropped for want of signal"],
  ["batch/dead_groups_solved", "groups", "those with every judged answer right"],
  ["batch/dead_groups_unsolved", "groups", "those with every judged answer wrong"],
  ["batch/unscored_completions", "", "kept completions that no reward function could score"],
  ["perf/step_s", "s", "one step of the trainer, waiting included"],
  ["perf/fwd_s", "s", "forward passes"],
  ["perf/fwd_bwd_s", "s", "forward and backward passes"],
  ["perf/optimizer_s", "s", "clipping and AdamW"],
  ["perf/rollout_wait_s", "s", "the trainer's wait for a batch"],
  ["perf/weight_sync_s", "s", "publishing a weight version"],
  ["perf/weight_sync_transfer_s", "s", "the copy to a generator's device"],
  ["perf/forwarded_tok_s_fwd_bwd", "tokens/s", "forwarded tokens over compute time", "rate"],
  ["perf/forwarded_tok_s_wall_clock", "tokens/s", "forwarded tokens over wall time", "rate"],
  ["perf/trained_tok_s_wall_clock", "tokens/s", "trained tokens over wall time", "rate"],
  ["perf/mfu_fwd_bwd", "share", "of the adapter's measured peak, over compute time", "rate"],
  ["perf/mfu_wall_clock", "share", "of the adapter's measured peak, over wall time", "rate"],
  ["rollout/inflight", "", "sequences being decoded"],
  ["rollout/duration_s", "s", "from admission to the verdict on a group"],
  ["rollout/generated_tok_s", "tokens/s", "generated tokens over wall time, all generators", "rate"],
  ["rollout/generated_tokens_total", "tokens", "generated tokens"],
  ["rollout/prefilled_tokens_total", "tokens", "prompt tokens prefilled"],
  ["rollout/weight_swaps_total", "", "weight versions taken by generators"],
  ["rollout/active_rows_mean", "", "sequences per decode step"],
  ["rollout/backpressure_s", "s", "generators' wait for someone to take their rollouts"],
  ["rollout/score_s", "s", "verifying one group"],
  ["rollout/score_wait_s", "s", "a group's wait for a verifier"],
  ["rollout/score_queue_size", "groups", "groups that wait for a verifier"],
  ["trainer/mismatch_kl", "nats", "mean of ratio − log ratio − 1 on loss tokens, trainer against generator"],
  ["trainer/idle_ratio", "share", "trainer's time spent waiting", "rate"],
  ["epsilon_high", "", "upper clip range in force", "last"],
  ["trainer/policy_version", "", "the newest weight version", "last"],
  ["trainer/restarts_total", "", "trainers started anew after a death"],
  ["generator/idle_ratio", "share", "generators' time without a sequence to decode", "rate"],
  ["generator/restarts_total", "", "generators started anew after a death"],
  ["verifier/scored_total", "", "completions scored"],
  ["verifier/timeouts_total", "", "completions whose scoring took too long"],
  ["verifier/exceptions_total", "", "completions whose scoring failed"],
  ["verifier/restarts_total", "", "verifiers started anew"],
  ["verifier/idle_ratio", "share", "verifiers' time without a group", "rate"],
  ["pass@{k}", "share", "problems solved by at least one of k completions, unbiased estimate"],
  ["maj@{k}", "share", "problems whose commonest answer of k is right"],
  ["problems", "", "held-out problems asked", "last"],
];

/** TRL's rule: the name decides unless the table does. */
function reductionOf(name: string): Reduction {
  const words = name.split(/[/_]/);
  if (words.includes("total")) return "sum";
  if (words.includes("max")) return "max";
  if (words.includes("min")) return "min";
  return "mean";
}

/** All names, in the order of the docs. Evaluation metrics are the same names after `eval_`. */
export const metricTable: readonly MetricEntry[] = rows.map(([name, unit, meaning, reduction]) => ({
  name,
  unit,
  meaning,
  reduction: reduction ?? reductionOf(name),
}));

const plainEntries = new Map(metricTable.map((entry) => [entry.name, entry]));
const patternEntries = metricTable
  .filter(({ name }) => name.includes("{"))
  .map((entry) => {
    const source = entry.name.replace("{name}", "[^/]+").replace("{k}", "\\d+");
    return { pattern: new RegExp(`^${source}$`), entry };
  });

/** The table's entry for a name, `eval_` taken off; null for a name that is not in it. */
export function metricEntry(name: string): MetricEntry | null {
  const base = name.startsWith("eval_") ? name.slice("eval_".length) : name;
  if (base.includes("{")) return null;
  const plain = plainEntries.get(base);
  if (plain) return plain;
  return patternEntries.find(({ pattern }) => pattern.test(base))?.entry ?? null;
}
