/**
 * The method: asynchronous GRPO as Magistral does it (arXiv:2506.10910 §2, §3).
 *
 *   tasks ──prompts──▶ generator ──completions──▶ verifier ──rewarded groups──▶ trainer
 *                          ▲                                                       │
 *                          └────────────────── weights (versions) ◀────────────────┘
 *
 * Generators decode all the time and never wait for the trainer; every finished group goes to a verifier at once; groups
 * without signal are replaced (up to `maxRefillWaves`), so that a batch is a fixed number of completions; the trainer takes
 * one step per batch and publishes the weights, which generators take between two decode steps. `mode: "sync"` is the same
 * loop with a staleness of 0 and batches in the order of group ids.
 */
import type { Recipe } from "./config/schema.ts";
import type { FinishedGroup, GeneratorPool } from "./generator/pool.ts";
import { type GroupCursor, GroupLedger } from "./group_ledger.ts";
import type { PromptTokens, RewardedGroup } from "./rollout.ts";
import { Signal } from "./rpc/signal.ts";
import type { TrainerStep } from "./trainer/api.ts";
import { buildTrainingBatch } from "./trainer/batch.ts";
import type { TrainerClient } from "./trainer/client.ts";
import { BatchCollector, type CollectedBatch, type CollectionStats } from "./trainer/collector.ts";
import { batchObjective } from "./trainer/losses/registry.ts";
import type { VerifierPool } from "./verifier/pool.ts";

/** Where a run stands: saved with every checkpoint, enough to go on. */
export interface LoopState extends GroupCursor {
  /** Batches trained on. */
  step: number;
}

export interface LoopStages {
  /** The problem of a group, rendered; the same group always gets the same problem. */
  prompt(groupId: number): PromptTokens;
  /** Tokens as text, special ones included. */
  decode(tokens: Uint32Array): string;
  generator: GeneratorPool;
  verifier: VerifierPool;
  trainer: TrainerClient;
}

/** One step as the front ends see it. */
export interface LoopStep {
  state: LoopState;
  groups: RewardedGroup[];
  collection: CollectionStats;
  trained: TrainerStep;
  /** Milliseconds the trainer waited for the batch. */
  waitMs: number;
}

export interface LoopHooks {
  /** Called after every step and awaited: metrics, checkpoints, evaluation. */
  onStep(step: LoopStep): Promise<void>;
  /** Awaited before each step: a front end may pause there. */
  permit?(): Promise<void>;
  /** Every rewarded group as it arrives, dead ones included. */
  onGroup?(group: RewardedGroup, alive: boolean): void;
  /** Aborted: finish the step and stop. */
  signal?: AbortSignal;
}

/** Trains until `recipe.steps` batches are done or the signal is aborted. @throws the first failure of any stage. */
export async function runLoop(
  recipe: Recipe,
  { prompt, decode, generator, verifier, trainer }: LoopStages,
  { onStep, permit, onGroup, signal }: LoopHooks,
  start: LoopState,
): Promise<LoopState> {
  const { groupSize, batchSize, minibatches, maxRefillWaves, filter } = recipe.trainer;
  const { steps, mode } = recipe;
  const sync = mode === "sync";
  const maxStaleness = sync ? 0 : recipe.trainer.maxStaleness;
  const groupsPerBatch = batchSize / groupSize;
  const ledger = new GroupLedger({ steps, groupsPerBatch, maxStaleness, maxRefillWaves }, start);
  const collector = new BatchCollector({
    completionsPerBatch: batchSize,
    groupSize,
    filter,
    order: sync ? "groupId" : "arrival",
    maxStaleness: maxStaleness * minibatches,
    firstGroupId: start.nextGroup,
    restartedGroupIds: start.inFlight,
  });
  const arrived = new Signal();
  let { step } = start;

  // tasks → generator: start every group that will still be of use.
  const admit = () => {
    for (const groupId of ledger.start(step)) generator.submit(groupId, prompt(groupId), groupSize);
  };

  // generator → verifier: score each group at once; one without signal makes room for another.
  const receive = async ({ groupId, prompt: { problem }, rollouts }: FinishedGroup) => {
    const completions = rollouts.map((rollout) => decode(rollout.completionTokens));
    const trainerState = { global_step: step, max_steps: steps };
    const rewarded = await verifier.score({ problem, rollouts, completions }, trainerState);
    ledger.arrive(groupId);
    const alive = collector.add(rewarded);
    onGroup?.(rewarded, alive);
    if (!alive) ledger.drop(rewarded);
    admit();
    arrived.notify();
  };

  // verifier → trainer: a full batch, oldest groups first; a smaller one where replacing dead groups was given up.
  const nextBatch = async (): Promise<CollectedBatch | null> => {
    while (!signal?.aborted) {
      const drained = ledger.exhausted && ledger.inFlight * groupSize === collector.pendingCompletions;
      const least = drained ? minibatches * groupSize : batchSize;
      const batch = ledger.awaits(step) ? null : collector.take(trainer.version, least);
      ledger.release(batch?.staleGroupIds ?? collector.drainStaleGroupIds());
      admit();
      if (batch) return batch;
      if (drained) throw ledger.noSignal(step + 1);
      await arrived.wait();
    }
    return null;
  };

  const fail = (error: unknown) => arrived.fail(error);
  const wake = () => arrived.notify();
  const stopReceiving = generator.onGroup((group) => receive(group).catch(fail));
  const stopListening = generator.onFailure(fail);
  signal?.addEventListener("abort", wake);
  try {
    admit();
    while (step < steps) {
      await permit?.();
      const waitedFrom = performance.now();
      const batch = await nextBatch();
      if (!batch) break;
      const waitMs = performance.now() - waitedFrom;
      const { groups, stats: collection } = batch;
      const trained = await trainer.step(buildTrainingBatch(groups, batchObjective(recipe)));
      ledger.settle(groups.map(({ groupId }) => groupId));
      if (trained) step++;
      const state = { step, ...ledger.cursor() };
      admit();
      if (trained) await onStep({ state, groups, collection, trained, waitMs });
      // A trainer that died has begun again at its newest checkpoint.
      step = trainer.takeRollback() ?? step;
      admit();
    }
  } finally {
    stopReceiving();
    stopListening();
    signal?.removeEventListener("abort", wake);
  }
  return { step, ...ledger.cursor() };
}
