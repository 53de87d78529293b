/**
 * A whole run, whichever front end asked for it: stages, evaluation before and after, the loop, metrics, checkpoints.
 * Front ends give it a recipe, a model and a run directory, and listen to its events.
 */
import type { Recipe } from "./config/schema.ts";
import { loadModelFiles, type ModelFiles } from "./data/source.ts";
import type { EvaluationResult } from "./evaluation/evaluate.ts";
import { type LoopState, type LoopStep, runLoop } from "./loop.ts";
import { completionMetrics } from "./metrics/completions.ts";
import { type MetricValue, MetricWindow } from "./metrics/record.ts";
import { Trace, traceClock } from "./metrics/trace.ts";
import { layoutParameters, packTensors, unpackTensors } from "./model/layout.ts";
import type { RewardedGroup } from "./rollout.ts";
import { type FoundCheckpoint, latestCheckpoint, readMoments, writeCheckpoint } from "./runs/checkpoint.ts";
import { modelFolderFiles } from "./runs/model_folder.ts";
import type { RunDirectory } from "./runs/run_directory.ts";
import { openStages, type Stages } from "./stages.ts";
import type { OptimizerState } from "./trainer/api.ts";
import { collectionMetrics } from "./trainer/collector.ts";

export interface TrainingInputs {
  recipe: Recipe;
  /** What the recipe's `model` names: the reference, and the start of a run that is not resumed. */
  model: ModelFiles;
  /** The text of `data.file`, where the recipe names one. */
  dataText?: string;
  run: RunDirectory;
  /** Go on from here; null starts at the model. */
  resume: FoundCheckpoint | null;
  /** Aborted: finish the step, save, stop. */
  signal?: AbortSignal;
}

/** An answer to show: the first completion of a held-out problem. */
export interface SampleCompletion {
  prompt: string;
  completion: string;
  reward: number | null;
  correct: number | null;
}

export interface EvaluationRecord {
  metrics: Record<string, number>;
  samples: SampleCompletion[];
}

export type TrainingEvent =
  | { kind: "ready"; adapter: string; allocatedBytes: number; maxSequence: number; heldOut: number }
  | { kind: "evaluated"; when: "before" | "during" | "after"; step: number; result: EvaluationRecord }
  | {
      kind: "stepped";
      step: number;
      metrics: Record<string, number | null>;
      groups: RewardedGroup[];
      remainingSeconds: number;
    }
  | { kind: "saved"; step: number; path: string }
  | { kind: "restarted"; worker: string; cause: unknown };

export interface TrainingSummary {
  event: "summary";
  steps: number;
  /** Completions trained on. */
  samples: number;
  eval: { before: Record<string, number> | null; after: Record<string, number> | null };
  wall_s: number;
  generated_tokens: number;
  trained_tokens: number;
  interrupted: boolean;
}

/** Runs until the recipe's steps are done or `signal` asks to stop; everything is saved either way. */
export async function runTraining(
  inputs: TrainingInputs,
  emit: (event: TrainingEvent) => void,
): Promise<TrainingSummary> {
  const began = performance.now();
  const start = inputs.resume ? await readCheckpoint(inputs, inputs.resume) : null;
  if (start) await inputs.run.rewindTo(start.state.step);
  const stages = await openStages({
    recipe: inputs.recipe,
    model: inputs.model,
    dataText: inputs.dataText,
    start: start?.optimizer,
    newestCheckpoint: async () => {
      const found = await latestCheckpoint(inputs.run.storage);
      if (found) {
        const { optimizer, state } = await readCheckpoint(inputs, found);
        return { state: optimizer, step: state.step };
      }
      const weights = packTensors(
        layoutParameters(inputs.model.config),
        inputs.model.tensors,
      ) as Float32Array<ArrayBuffer>[];
      return { state: { step: 0, weights, firstMoments: [], secondMoments: [] }, step: 0 };
    },
    onRestart: (worker, cause) => emit({ kind: "restarted", worker, cause }),
  });
  try {
    return await new Session(inputs, stages, emit, began).run(
      start?.state ?? { step: 0, nextGroup: 0, inFlight: [] },
    );
  } finally {
    stages.dispose();
  }
}

/** One run with its stages open. */
class Session {
  private readonly inputs: TrainingInputs;
  private readonly stages: Stages;
  private readonly emit: (event: TrainingEvent) => void;
  private readonly began: number;
  private readonly window = new MetricWindow();
  private readonly trace = new Trace();
  private arrived: RewardedGroup[] = [];
  private lastStep: number;
  private firstStep = 0;
  private loopBegan = 0;
  private generatedTokens = 0;
  private trainedTokens = 0;
  private samples = 0;
  private savedStep = -1;

  constructor(inputs: TrainingInputs, stages: Stages, emit: (event: TrainingEvent) => void, began: number) {
    this.inputs = inputs;
    this.stages = stages;
    this.emit = emit;
    this.began = began;
    this.lastStep = began;
  }

  async run(start: LoopState): Promise<TrainingSummary> {
    const { recipe, run, signal } = this.inputs;
    const { stages } = this;
    this.firstStep = start.step;
    this.savedStep = this.inputs.resume ? start.step : -1;
    this.emit({
      kind: "ready",
      adapter: stages.adapter,
      allocatedBytes: stages.allocatedBytes,
      maxSequence: stages.maxSequence,
      heldOut: stages.heldOut.length,
    });
    const before = await this.evaluationBefore(start.step);
    stages.generator.takeReport();
    this.loopBegan = this.lastStep = performance.now();
    const end = await runLoop(
      recipe,
      stages,
      {
        onStep: (step) => this.onStep(step),
        onGroup: (group) => this.arrived.push(group),
        shouldStop: () => signal?.aborted ?? false,
      },
      start,
    );
    if (this.savedStep !== end.step) await this.save(end);
    const interrupted = signal?.aborted ?? false;
    const after = interrupted ? null : await this.evaluate("after", end.step);
    const summary: TrainingSummary = {
      event: "summary",
      steps: end.step,
      samples: this.samples,
      eval: { before: before?.metrics ?? null, after: after?.metrics ?? null },
      wall_s: (performance.now() - this.began) / 1000,
      generated_tokens: this.generatedTokens,
      trained_tokens: this.trainedTokens,
      interrupted,
    };
    await run.writeSummary({ ...summary, before: before?.samples ?? [], after: after?.samples ?? [] });
    await run.writeTrace(this.trace.toJson());
    return summary;
  }

  private async onStep({ state, groups, collection, trained, waitMs }: LoopStep): Promise<void> {
    const { recipe, run } = this.inputs;
    const now = performance.now();
    const seconds = (now - this.lastStep) / 1000;
    this.traceStep(trained.computeMs, trained.publishMs, waitMs, state.step);
    const report = this.stages.generator.takeReport();
    const verified = this.stages.verifier.takeCounters();
    this.generatedTokens += report.generatedTokens;
    this.trainedTokens += trained.trainedTokens;
    this.samples += groups.reduce((sum, group) => sum + group.rollouts.length, 0);
    const values: Record<string, MetricValue> = {
      step: state.step,
      // Over everything generated since the last step: what was dropped for want of signal counts as well.
      ...completionMetrics(this.arrived.length > 0 ? this.arrived : groups),
      ...collectionMetrics(collection),
      ...trained.metrics,
      num_tokens: this.trainedTokens,
      step_time: seconds,
      "perf/step_s": seconds,
      "perf/rollout_wait_s": waitMs / 1000,
      "perf/weight_sync_s": trained.publishMs / 1000,
      "perf/fwd_bwd_s": trained.computeMs / 1000,
      "perf/forwarded_tok_s_fwd_bwd": {
        numerator: trained.forwardedTokens,
        denominator: trained.computeMs / 1000,
      },
      "perf/forwarded_tok_s_wall_clock": { numerator: trained.forwardedTokens, denominator: seconds },
      "perf/trained_tok_s_wall_clock": { numerator: trained.trainedTokens, denominator: seconds },
      "rollout/generated_tok_s": { numerator: report.generatedTokens, denominator: seconds },
      "rollout/generated_tokens_total": report.generatedTokens,
      "rollout/prefilled_tokens_total": report.prefilledTokens,
      "rollout/weight_swaps_total": report.weightSwaps,
      "rollout/active_rows_mean": { numerator: report.activeRows, denominator: report.decodeSteps },
      "rollout/inflight": state.inFlight.length * recipe.trainer.groupSize,
      "trainer/policy_version": trained.version,
      "trainer/idle_ratio": { numerator: waitMs / 1000, denominator: seconds },
      "generator/idle_ratio": {
        numerator: report.idleMs / 1000,
        denominator: seconds * recipe.generator.workers,
      },
      "verifier/scored_total": verified.scored,
      "verifier/timeouts_total": verified.timeouts,
      "verifier/exceptions_total": verified.exceptions,
      "verifier/restarts_total": verified.restarts,
    };
    this.window.add(values);
    for (const [name, value] of Object.entries(verified.userMetrics)) this.window.addOwn(name, value);
    const metrics = this.window.flush();
    this.arrived = [];
    this.lastStep = now;
    await run.logMetrics(metrics);
    await run.logRollouts(rolloutRows(groups, state.step));
    const perStep = (now - this.loopBegan) / (state.step - this.firstStep);
    this.emit({
      kind: "stepped",
      step: state.step,
      metrics,
      groups,
      remainingSeconds: ((recipe.steps - state.step) * perStep) / 1000,
    });
    const { every } = recipe.checkpoint;
    if ((every > 0 && state.step % every === 0) || state.step === recipe.steps) await this.save(state);
    if (
      recipe.evaluation.every > 0 &&
      state.step % recipe.evaluation.every === 0 &&
      state.step < recipe.steps
    ) {
      await this.evaluate("during", state.step);
      this.lastStep = performance.now();
    }
  }

  private async save(loop: LoopState): Promise<void> {
    const { model, run, recipe } = this.inputs;
    const layout = layoutParameters(model.config);
    const { trainer } = this.stages;
    const optimizer = await trainer.state();
    const named = (shards: Float32Array[]) =>
      new Map([...unpackTensors(layout, shards)].map(([name, { data }]) => [name, data]));
    const path = await writeCheckpoint(
      run.storage,
      {
        state: {
          step: loop.step,
          weightVersion: trainer.version,
          optimizerStep: optimizer.step,
          dataCursor: loop.nextGroup,
          inFlight: loop.inFlight,
          random: { seed: recipe.seed },
          recipeHash: run.recipeHash,
        },
        modelFiles: modelFolderFiles({ ...model, tensors: unpackTensors(layout, optimizer.weights) }),
        moments: { m: named(optimizer.firstMoments), v: named(optimizer.secondMoments) },
      },
      { keep: recipe.checkpoint.keep },
    );
    this.savedStep = loop.step;
    this.emit({ kind: "saved", step: loop.step, path });
  }

  private async evaluate(when: "before" | "during" | "after", step: number): Promise<EvaluationRecord> {
    const result = await this.stages.evaluate();
    this.generatedTokens += result.generatedTokens;
    const record: EvaluationRecord = { metrics: result.metrics, samples: samplesOf(result) };
    const named = Object.fromEntries(
      Object.entries(result.metrics).map(([name, value]) => [`eval_${name}`, value]),
    );
    await this.inputs.run.logMetrics({ step, event: "evaluation", when, ...named, samples: record.samples });
    this.stages.generator.takeReport();
    this.emit({ kind: "evaluated", when, step, result: record });
    return record;
  }

  /** A resumed run has been evaluated already: the record is read back. */
  private async evaluationBefore(step: number): Promise<EvaluationRecord | null> {
    if (step === 0 && !this.inputs.resume) return this.evaluate("before", 0);
    const row = (await this.inputs.run.readMetrics()).find(
      ({ event, when }) => event === "evaluation" && when === "before",
    );
    if (!row) return null;
    const metrics: Record<string, number> = {};
    for (const [name, value] of Object.entries(row))
      if (name.startsWith("eval_")) metrics[name.slice(5)] = Number(value);
    return { metrics, samples: (row.samples ?? []) as SampleCompletion[] };
  }

  private traceStep(computeMs: number, publishMs: number, waitMs: number, step: number): void {
    const end = traceClock();
    const slice = (name: string, fromMs: number, forMs: number) =>
      this.trace.add({
        kind: "slice",
        track: "trainer",
        name,
        start: end - fromMs,
        end: end - fromMs + forMs,
        details: { step },
      });
    slice("wait for rollouts", waitMs + computeMs + publishMs, waitMs);
    slice("forward, backward, optimiser", computeMs + publishMs, computeMs);
    slice("publish", publishMs, publishMs);
  }
}

async function readCheckpoint(
  inputs: TrainingInputs,
  found: FoundCheckpoint,
): Promise<{ optimizer: OptimizerState; state: LoopState }> {
  const { storage } = inputs.run;
  const { path, state } = found;
  const { config, tensors } = await loadModelFiles({
    where: `${storage.where}/${path}`,
    read: (name) => storage.read(`${path}/${name}`),
    list: () => storage.list(path),
  });
  const moments = await readMoments(storage, path);
  const layout = layoutParameters(config);
  const pack = (named: ReadonlyMap<string, { data: Float32Array }>) =>
    packTensors(layout, named) as Float32Array<ArrayBuffer>[];
  const wrapped = (named: ReadonlyMap<string, Float32Array>) =>
    new Map([...named].map(([name, data]) => [name, { data }]));
  return {
    optimizer: {
      step: state.optimizerStep,
      weights: pack(tensors),
      firstMoments: pack(wrapped(moments.m)),
      secondMoments: pack(wrapped(moments.v)),
    },
    state: { step: state.step, nextGroup: state.dataCursor, inFlight: state.inFlight },
  };
}

function samplesOf(result: EvaluationResult): SampleCompletion[] {
  return result.perProblem.slice(0, 5).map(({ problem, rollouts: [first] }) => ({
    prompt:
      typeof problem.prompt === "string"
        ? problem.prompt
        : problem.prompt.map(({ content }) => content).join("\n"),
    completion: first.completion,
    reward: first.reward,
    correct: first.correct,
  }));
}

function rolloutRows(groups: readonly RewardedGroup[], step: number): Record<string, unknown>[] {
  return groups.flatMap(({ groupId, problem, rollouts }) =>
    rollouts.map((rollout) => ({
      step,
      group: groupId,
      id: rollout.id,
      problem: problem.id,
      prompt: problem.prompt,
      completion: rollout.completion,
      tokens: rollout.completionTokens.length,
      finish_reason: rollout.finishReason,
      policy_versions: [rollout.policyVersions[0], rollout.policyVersions[rollout.policyVersions.length - 1]],
      reward: rollout.reward,
      rewards: rollout.rewards,
      correct: rollout.correct,
      verdicts: rollout.verdicts,
    })),
  );
}
