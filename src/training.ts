/**
 * A whole run, whichever front end asked for it: stages, evaluation before and after, the loop, metrics, checkpoints.
 * Front ends give it a recipe, a model and a run directory, and listen to its events.
 */
import type { Knobs } from "./control.ts";
import { WebgrpoError } from "./errors.ts";
import { type LoopState, type LoopStep, runLoop } from "./loop.ts";
import { metricEntry } from "./metrics/names.ts";
import { MetricWindow } from "./metrics/record.ts";
import { traceClock } from "./metrics/trace.ts";
import type { RewardedGroup } from "./rollout.ts";
import { openStages, type Stages } from "./stages.ts";
import { scopeEntries } from "./tasks/scope.ts";
import type { OptimizerState } from "./trainer/api.ts";
import {
  freshStart,
  type RunTotals,
  readCheckpoint,
  rewindToNewest,
  type SavedRun,
  saveRun,
} from "./training_checkpoint.ts";
import type { EvaluationRecord, TrainingEvent, TrainingInputs, TrainingSummary } from "./training_events.ts";
import { stepMetrics } from "./training_metrics.ts";
import { PulseMeter } from "./training_pulse.ts";
import { rolloutRows, type SampleCompletion, samplesOf } from "./training_records.ts";
import { openTimeline, type RunTimeline } from "./training_timeline.ts";

export type { EvaluationRecord, TrainingEvent, TrainingInputs, TrainingSummary };

interface TurnedKnobs {
  step: number;
  knobs: Knobs;
}

/** Runs until the recipe's steps are done or `signal` asks to stop; everything is saved either way. */
export async function runTraining(
  inputs: TrainingInputs,
  emit: (event: TrainingEvent) => void,
): Promise<TrainingSummary> {
  const began = performance.now();
  const start = inputs.resume ? await readCheckpoint(inputs, inputs.resume) : freshStart();
  // Also without a checkpoint: a run that was killed before its first one has rows.
  await inputs.run.rewindTo(start.state.step);
  const timeline = await openTimeline(inputs.run);
  const session = new Session(inputs, emit, began, start, timeline);
  const stages = await openStages({
    recipe: inputs.recipe,
    model: inputs.model,
    problems: inputs.problems,
    start: start.optimizer,
    newestCheckpoint: () => session.rewind(),
    onRestart: (worker, cause) => session.restarted(worker, cause),
    onTrace: timeline.add,
  });
  try {
    return await session.run(stages);
  } finally {
    stages.dispose();
  }
}

/** One run. */
class Session {
  private readonly inputs: TrainingInputs;
  /** From `run` on. */
  private stages!: Stages;
  private pulse!: PulseMeter;
  private readonly emit: (event: TrainingEvent) => void;
  /** When it would have begun, had it never been interrupted. */
  private readonly began: number;
  private readonly window = new MetricWindow();
  private readonly timeline: RunTimeline;
  private arrived: RewardedGroup[] = [];
  private lastStep: number;
  private loopBegan = 0;
  private readonly totals: RunTotals;
  /** Where the run was opened. */
  private readonly first: LoopState;
  /** After the last step. */
  private reached: LoopState;
  private savedStep: number;
  /** What was turned, and after which step. */
  private turned: TurnedKnobs[] = [];

  constructor(
    inputs: TrainingInputs,
    emit: (event: TrainingEvent) => void,
    began: number,
    start: SavedRun,
    timeline: RunTimeline,
  ) {
    this.inputs = inputs;
    this.emit = emit;
    this.timeline = timeline;
    this.lastStep = began;
    this.totals = { ...start.totals };
    this.began = began - 1000 * start.totals.seconds;
    this.first = this.reached = start.state;
    this.savedStep = inputs.resume ? start.state.step : -1;
  }

  async run(stages: Stages): Promise<TrainingSummary> {
    const { recipe, run, signal, onPulseSource, onStages } = this.inputs;
    this.stages = stages;
    this.pulse = new PulseMeter(recipe, stages, this.first);
    const recorded = await this.readEvaluation();
    const evaluates = !recorded && this.first.step === 0 && stages.heldOut.length > 0;
    await run.logMetrics({ step: this.first.step, event: "ready", adapter: stages.adapter });
    this.emit({
      kind: "ready",
      adapter: stages.adapter,
      allocatedBytes: stages.allocatedBytes,
      maxSequence: stages.maxSequence,
      heldOut: stages.heldOut.length,
      evaluates,
    });
    onStages?.(stages);
    onPulseSource?.(() => this.pulse.read(this.totals.samples));
    this.timeline.published(stages.trainer.version);
    stages.generator.onGroup(({ groupId, finished }) => this.timeline.groupFinished(groupId, finished));
    const before = evaluates ? await this.evaluate("before", 0) : recorded;
    stages.generator.takeReport();
    this.loopBegan = this.lastStep = performance.now();
    this.pulse.training = true;
    try {
      this.reached = await runLoop(
        recipe,
        stages,
        {
          onStep: (step) => this.onStep(step),
          permit: () => this.permit(),
          onGroup: (group, alive) => {
            this.arrived.push(group);
            this.pulse.arrived(group, alive);
            if (!alive) this.timeline.groupDropped(group.groupId);
          },
          signal,
        },
        this.first,
      );
    } catch (error) {
      await this.rescue(error);
      throw error;
    } finally {
      this.pulse.training = false;
    }
    if (this.savedStep !== this.reached.step) await this.save();
    const after = signal?.aborted ? null : await this.evaluate("after", this.reached.step);
    const { samples, generatedTokens, trainedTokens } = this.totals;
    const summary: TrainingSummary = {
      event: "summary",
      steps: this.reached.step,
      samples,
      eval: { before: before?.metrics ?? null, after: after?.metrics ?? null },
      wall_s: this.seconds,
      generated_tokens: generatedTokens,
      trained_tokens: trainedTokens,
      interrupted: signal?.aborted ?? false,
    };
    await run.writeSummary({ ...summary, before: before?.samples ?? [], after: after?.samples ?? [] });
    await run.writeTrace(this.timeline.toJson());
    return summary;
  }

  private get seconds(): number {
    return (performance.now() - this.began) / 1000;
  }

  /** Waits as long as the user pauses, then turns what was turned meanwhile. */
  private async permit(): Promise<void> {
    const { control, signal } = this.inputs;
    if (!control) return;
    const paused = traceClock();
    this.pulse.training = false;
    await control.permit(signal);
    this.pulse.training = true;
    // Resting is neither training nor waiting.
    const rested = traceClock() - paused;
    if (rested > 1) this.timeline.rested("paused", paused);
    this.lastStep += rested;
    this.loopBegan += rested;
    const knobs = control.takeTurned();
    if (!knobs) return;
    await this.stages.turn(knobs);
    await this.noteTurned(knobs);
    this.emit({ kind: "turned", step: this.reached.step, knobs });
  }

  private async noteTurned(knobs: Knobs): Promise<void> {
    const { step } = this.reached;
    this.turned.push({ step, knobs });
    await this.inputs.run.logMetrics({ step, event: "turned", ...knobs });
  }

  /** Goes back to the newest checkpoint, for a trainer that takes over there. */
  async rewind(): Promise<{ state: OptimizerState; step: number }> {
    const { optimizer, state, totals } = await rewindToNewest(this.inputs);
    this.reached = state;
    Object.assign(this.totals, totals);
    // What was turned after it stays turned: only its rows were forgotten.
    const forgotten = this.turned.filter(({ step }) => step > state.step);
    this.turned = this.turned.filter(({ step }) => step <= state.step);
    if (forgotten.length > 0)
      await this.noteTurned(Object.assign({}, ...forgotten.map(({ knobs }) => knobs)));
    return { state: optimizer, step: state.step };
  }

  restarted(worker: string, cause: unknown): void {
    if (worker === "trainer") this.timeline.published(this.stages.trainer.version);
    this.emit({ kind: "restarted", worker, step: this.reached.step, cause });
  }

  private async onStep(looped: LoopStep): Promise<void> {
    const { state, groups, trained, waitMs } = looped;
    const { recipe, run } = this.inputs;
    this.reached = state;
    const now = performance.now();
    const seconds = (now - this.lastStep) / 1000;
    this.timeline.trained(state.step, groups, trained, waitMs);
    this.pulse.tooOld(looped.collection.groupsStale);
    const report = this.stages.generator.takeReport();
    const verified = this.stages.verifier.takeCounters();
    this.totals.generatedTokens += report.generatedTokens;
    this.totals.trainedTokens += trained.trainedTokens;
    this.totals.samples += groups.reduce((sum, group) => sum + group.rollouts.length, 0);
    const values = stepMetrics({
      step: looped,
      arrived: this.arrived,
      generated: report,
      verified,
      seconds,
      trainedTokens: this.totals.trainedTokens,
      generators: recipe.generator.workers,
      groupSize: recipe.trainer.groupSize,
    });
    this.window.add(values);
    for (const [name, value] of Object.entries(verified.userMetrics))
      this.window.addOwn(metricEntry(name) ? `user/${name}` : name, value);
    const metrics = this.window.flush();
    this.arrived = [];
    this.lastStep = now;
    await run.logMetrics(metrics);
    const rollouts = rolloutRows(groups, { ...trained, step: state.step }, (id) =>
      this.stages.tokenizer.decode([id]),
    );
    await run.logRollouts(rollouts);
    const perStep = (now - this.loopBegan) / (state.step - this.first.step);
    this.emit({
      kind: "stepped",
      step: state.step,
      metrics,
      rollouts,
      remainingSeconds: ((recipe.steps - state.step) * perStep) / 1000,
    });
    this.tellTrace();
    const { every } = recipe.checkpoint;
    if ((every > 0 && state.step % every === 0) || state.step === recipe.steps) await this.save();
    // The trainer died over it: this step is none any more.
    if (this.reached !== state) return;
    if (
      recipe.evaluation.every > 0 &&
      state.step % recipe.evaluation.every === 0 &&
      state.step < recipe.steps
    ) {
      this.pulse.training = false;
      await this.evaluate("during", state.step);
      this.pulse.training = true;
      this.lastStep = performance.now();
    }
  }

  /** Saves where the run stands, unless the trainer dies over it: then its successor goes on from what is saved. */
  private async save(): Promise<void> {
    const { model, run, recipe } = this.inputs;
    const state = this.reached;
    const from = traceClock();
    const optimizer = await this.stages.trainer.state();
    if (!optimizer) return;
    const { task, trainer } = this.stages;
    // What the policy is for from now on: this run's task, not that of the model it began with.
    const scope = scopeEntries(task, recipe.generator.maxTokens, recipe.verifier.rewards);
    const named = { ...model, generationConfig: { ...model.generationConfig, ...scope } };
    const saved = { optimizer, state, totals: { ...this.totals, seconds: this.seconds } };
    const path = await saveRun({ recipe, model: named, run }, saved, trainer.version);
    this.timeline.rested("save", from);
    await run.writeTrace(this.timeline.toJson());
    this.savedStep = state.step;
    this.emit({ kind: "saved", step: state.step, path });
  }

  /** Saves the steps since the newest checkpoint of a run that has failed, where there is something worth saving. */
  private async rescue(failure: unknown): Promise<void> {
    const { step } = this.reached;
    if (step === this.savedStep || step === this.first.step || hasDiverged(failure)) return;
    try {
      await this.save();
    } catch (cause) {
      this.emit({ kind: "unsaved", step, cause });
    }
  }

  /** Null where there is nothing to ask, or the run is interrupted meanwhile. */
  private async evaluate(
    when: "before" | "during" | "after",
    step: number,
  ): Promise<EvaluationRecord | null> {
    if (this.stages.heldOut.length === 0) return null;
    const from = traceClock();
    const result = await unlessAborted(this.stages.evaluate(), this.inputs.signal);
    this.timeline.rested("wait for evaluation", from);
    this.tellTrace();
    if (!result) return null;
    this.totals.generatedTokens += result.generatedTokens;
    const record: EvaluationRecord = { metrics: result.metrics, samples: samplesOf(result) };
    const named = Object.fromEntries(
      Object.entries(result.metrics).map(([name, value]) => [`eval_${name}`, value]),
    );
    await this.inputs.run.logMetrics({ step, event: "evaluation", when, ...named, samples: record.samples });
    this.stages.generator.takeReport();
    this.emit({ kind: "evaluated", when, step, result: record });
    return record;
  }

  /** The record of the evaluation before training, which a resumed run has if it came so far. */
  private async readEvaluation(): Promise<EvaluationRecord | null> {
    const row = (await this.inputs.run.readMetrics()).find(
      ({ event, when }) => event === "evaluation" && when === "before",
    );
    if (!row) return null;
    const metrics: Record<string, number> = {};
    for (const [name, value] of Object.entries(row))
      if (name.startsWith("eval_")) metrics[name.slice(5)] = Number(value);
    return { metrics, samples: (row.samples ?? []) as SampleCompletion[] };
  }

  private tellTrace(): void {
    const events = this.timeline.take();
    if (events.length > 0) this.emit({ kind: "traced", events });
  }
}

function unlessAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T | null> {
  if (!signal) return work;
  const aborted = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
  return Promise.race([work, aborted]);
}

/** Whether weights that nobody wants to go on from are behind a failure. */
function hasDiverged(failure: unknown): boolean {
  for (let cause = failure; cause instanceof Error; cause = cause.cause)
    if (cause instanceof WebgrpoError && cause.code.endsWith("/not-finite")) return true;
  return false;
}
