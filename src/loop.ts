/**
 * The method: asynchronous GRPO as Magistral does it (arXiv:2506.10910 §2, §3).
 *
 *   tasks ──prompts──▶ generator ──completions──▶ verifier ──rewarded groups──▶ trainer
 *                          ▲                                                       │
 *                          └────────────────── weights (versions) ◀────────────────┘
 *
 * Generators decode all the time and never wait for the trainer; every finished group goes to a verifier at once;
 * groups without signal are dropped and replaced by further generation, so that a batch is a fixed number of
 * completions; the trainer takes one step per batch and publishes the weights, which generators take between two
 * decode steps. `mode: "sync"` is the same loop with a staleness of 0 and batches in the order of group ids.
 */
import type { Recipe } from "./config/schema.ts";
import { Admission } from "./generator/admission.ts";
import type { FinishedGroup, GeneratorPool } from "./generator/pool.ts";
import type { PromptTokens, RewardedGroup } from "./rollout.ts";
import { Signal } from "./rpc/signal.ts";
import type { TrainerStep } from "./trainer/api.ts";
import { buildTrainingBatch } from "./trainer/batch.ts";
import type { TrainerClient } from "./trainer/client.ts";
import { BatchCollector, type CollectionStats } from "./trainer/collector.ts";
import { batchObjective } from "./trainer/losses/registry.ts";
import type { VerifierPool } from "./verifier/pool.ts";

/** Where a run stands: saved with every checkpoint, enough to go on. */
export interface LoopState {
  /** Batches trained on. */
  step: number;
  /** The next group to start; its number is also the cursor into the tasks. */
  nextGroup: number;
  /** Groups started and neither trained on nor dropped: started again after a resume. */
  inFlight: number[];
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
  /** Every rewarded group as it arrives, dead ones included. */
  onGroup?(group: RewardedGroup, alive: boolean): void;
  /** Checked between steps: finish the step and stop. */
  shouldStop(): boolean;
}

/** Trains until `recipe.steps` batches are done or `shouldStop`. @throws the first failure of any stage. */
export async function runLoop(
  recipe: Recipe,
  stages: LoopStages,
  hooks: LoopHooks,
  start: LoopState,
): Promise<LoopState> {
  const { prompt, decode, generator, verifier, trainer } = stages;
  const { groupSize, batchSize, maxStaleness: allowed, filter } = recipe.trainer;
  const sync = recipe.mode === "sync";
  const maxStaleness = sync ? 0 : allowed;
  const groupsPerBatch = batchSize / groupSize;
  const objective = batchObjective(recipe);
  const admission = new Admission({ groupsPerBatch, maxStaleness });
  const collector = new BatchCollector({
    completionsPerBatch: batchSize,
    groupSize,
    filter,
    order: sync ? "groupId" : "arrival",
    maxStaleness: maxStaleness * recipe.trainer.minibatches,
    firstGroupId: start.nextGroup,
    restartedGroupIds: start.inFlight,
  });
  const inFlight = new Set<number>();
  const restarted = [...start.inFlight];
  const arrived = new Signal();
  let { step, nextGroup } = start;

  // tasks → generator: start every group that will still be of use.
  const admit = () => {
    for (let free = admission.permits(recipe.steps - step); free > 0; free--) {
      const groupId = restarted.shift() ?? nextGroup++;
      inFlight.add(groupId);
      admission.started(1);
      generator.submit(groupId, prompt(groupId), groupSize);
    }
  };
  const finish = (groupIds: readonly number[]) => {
    for (const id of groupIds) inFlight.delete(id);
    admission.finished(groupIds.length);
    admit();
  };

  // generator → verifier → trainer: score each group at once; one without signal makes room for another.
  const receive = async ({ groupId, prompt: { problem }, rollouts }: FinishedGroup) => {
    const completions = rollouts.map((rollout) => decode(rollout.completionTokens));
    const rewarded = await verifier.score(
      { problem, rollouts, completions },
      { global_step: step, max_steps: recipe.steps },
    );
    const alive = collector.add(rewarded);
    hooks.onGroup?.(rewarded, alive);
    if (!alive) finish([groupId]);
    arrived.notify();
  };
  const stopReceiving = generator.onGroup((group) =>
    receive(group).catch((error: unknown) => arrived.fail(error)),
  );
  const stopListening = generator.onFailure((error) => arrived.fail(error));
  const state = (): LoopState => ({
    step,
    nextGroup,
    inFlight: [...restarted, ...inFlight].sort((a, b) => a - b),
  });

  try {
    admit();
    while (step < recipe.steps && !hooks.shouldStop()) {
      const waitedFrom = performance.now();
      let collected = collector.take(trainer.version);
      while (!collected && !hooks.shouldStop()) {
        finish(collector.drainStaleGroupIds());
        await arrived.wait();
        collected = collector.take(trainer.version);
      }
      if (!collected) break;
      const { groups, stats, staleGroupIds } = collected;
      const waitMs = performance.now() - waitedFrom;
      finish(staleGroupIds);
      const outcome = await trainer.step(buildTrainingBatch(groups, objective));
      if (outcome.kind === "trained") {
        step++;
        for (const { groupId } of groups) inFlight.delete(groupId);
        const done = { state: state(), groups, collection: stats, trained: outcome.step, waitMs };
        finish(groups.map((group) => group.groupId));
        await hooks.onStep(done);
      } else {
        // The trainer died with the batch and goes on from its newest checkpoint.
        step = outcome.step;
        finish(groups.map((group) => group.groupId));
      }
    }
  } finally {
    stopReceiving();
    stopListening();
  }
  return state();
}
