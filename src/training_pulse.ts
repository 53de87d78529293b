/** What the loop is at, at one moment: read as often as a front end likes, from counters that are kept anyway. */
import type { Recipe } from "./config/schema.ts";
import type { LoopState } from "./loop.ts";
import type { RewardedGroup } from "./rollout.ts";
import type { Stages } from "./stages.ts";

export type StageName = "tasks" | "generator" | "verifier" | "trainer" | "weights";

/** What a stage does at this moment: works, waits for another, or rests because nobody asks. */
export type StageActivity = "busy" | "waiting" | "idle";

export interface LoopPulse {
  /** Problems started so far. */
  problemsStarted: number;
  /** Completions being decoded now, and completions waiting for a free row. */
  decoding: number;
  queued: number;
  /** Completions at the verifiers. */
  verifying: number;
  /** Rewarded completions of the next batch, and how many it takes. */
  collected: number;
  batchSize: number;
  /** Versions: published by the trainer, used by the generator. */
  trainerVersion: number;
  generatorVersion: number;
  /** Completions generated, scored and trained on so far. */
  generated: number;
  scored: number;
  trained: number;
  generatedTokensPerSecond: number;
  activity: Record<StageName, StageActivity>;
}

/** Problems started, and versions published, so recently are still seen. */
const TASKS_MS = 1000;
const WEIGHTS_MS = 300;

export class PulseMeter {
  /** Whether the loop is running: neither evaluating nor paused nor over. */
  training = false;
  private readonly stages: Stages;
  private readonly recipe: Recipe;
  /** Groups that were done with when the run was opened. */
  private readonly earlier: number;
  private scored = 0;
  /** Completions with signal, less those dropped as too old. */
  private kept = 0;

  constructor(recipe: Recipe, stages: Stages, start: LoopState) {
    this.recipe = recipe;
    this.stages = stages;
    this.earlier = start.nextGroup - start.inFlight.length;
  }

  arrived({ rollouts }: RewardedGroup, alive: boolean): void {
    this.scored += rollouts.length;
    if (alive) this.kept += rollouts.length;
  }

  /** Groups of the next batches that were given up for their age. */
  tooOld(groups: number): void {
    this.kept -= groups * this.recipe.trainer.groupSize;
  }

  /** @param trained completions trained on so far */
  read(trained: number): LoopPulse {
    const { generator, verifier, trainer } = this.stages;
    const { groupSize, batchSize } = this.recipe.trainer;
    const { decoding, queued, version, ...counted } = generator.gauges();
    const earlier = this.earlier * groupSize;
    const now = performance.now();
    const otherwise = this.training ? "waiting" : "idle";
    const onTheirWay = decoding > 0 && version < trainer.version;
    return {
      problemsStarted: this.earlier + counted.submittedGroups,
      decoding,
      queued,
      verifying: verifier.pendingCompletions,
      collected: Math.max(0, this.kept - trainer.takenCompletions),
      batchSize,
      trainerVersion: trainer.version,
      generatorVersion: version,
      generated: earlier + counted.finishedCompletions,
      scored: earlier + this.scored,
      trained,
      generatedTokensPerSecond: counted.tokensPerSecond,
      activity: {
        tasks: now - counted.lastSubmit < TASKS_MS ? "busy" : "idle",
        generator: decoding > 0 ? "busy" : otherwise,
        verifier: verifier.pending > 0 ? "busy" : "idle",
        trainer: trainer.busy ? "busy" : otherwise,
        weights: onTheirWay || now - trainer.publishedAt < WEIGHTS_MS ? "busy" : "idle",
      },
    };
  }
}
