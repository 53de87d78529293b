/** Small real runs for tests: the built-in policy, few completions a step, a run directory that is removed. */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseRecipe } from "../../src/config/parse.ts";
import { mergeLayers } from "../../src/config/resolve.ts";
import type { Recipe } from "../../src/config/schema.ts";
import type { RunControl } from "../../src/control.ts";
import { loadModelFiles, openModelFolder } from "../../src/data/source.ts";
import { type LoopHooks, type LoopState, type LoopStep, runLoop } from "../../src/loop.ts";
import { latestCheckpoint } from "../../src/runs/checkpoint.ts";
import { openDiskStorage } from "../../src/runs/disk.ts";
import { createRun, openRun } from "../../src/runs/run_directory.ts";
import { openStages, type StageInputs, type Stages } from "../../src/stages.ts";
import {
  runTraining,
  type TrainingEvent,
  type TrainingInputs,
  type TrainingSummary,
} from "../../src/training.ts";
import { freshStart } from "../../src/training_checkpoint.ts";

type Layer = Record<string, unknown>;

export const modelFolder = fileURLToPath(new URL("../../public/models/chain-sum", import.meta.url));
export const hasModel = existsSync(join(modelFolder, "model.safetensors"));

/** Batches of 4 groups of 4, no evaluation, no checkpoint before the end. */
export function tinyRecipe(settings: Layer = {}): Recipe {
  const tiny = {
    name: "tiny",
    seed: 5,
    steps: 3,
    model: modelFolder,
    generator: { concurrency: 32, maxTokens: 24 },
    trainer: { groupSize: 4, batchSize: 16, microBatchTokens: 1024, learningRate: 1e-3, beta2: 0.99 },
    evaluation: { problems: 0 },
    checkpoint: { every: 0 },
    // Two seconds of each start; the commands' own tests start with it.
    gpu: { selfTest: false },
  };
  return parseRecipe(mergeLayers(tiny, settings));
}

export const tinyModel = async () => loadModelFiles(await openModelFolder(modelFolder));

const folders: string[] = [];

export async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "webgrpo-test-"));
  folders.push(folder);
  return folder;
}

export async function removeFolders(): Promise<void> {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
}

export interface Trained {
  folder: string;
  summary: TrainingSummary;
  events: TrainingEvent[];
  /** Rows of metrics.ndjson with a step's metrics. */
  metrics: Layer[];
}

export interface TrainOptions {
  /** Go on with this run instead of starting one. */
  resume?: string;
  signal?: AbortSignal;
  control?: RunControl;
  onPulseSource?: TrainingInputs["onPulseSource"];
  /** Where the run lies, for what happens to one that fails. */
  onFolder?(folder: string): void;
  onEvent?(event: TrainingEvent): void;
}

/** A whole run as the front ends have it. */
export async function train(recipe: Recipe, options: TrainOptions = {}): Promise<Trained> {
  const folder = options.resume ?? join(await freshFolder(), "run");
  options.onFolder?.(folder);
  const storage = openDiskStorage(folder);
  const run = options.resume
    ? await openRun(storage)
    : await createRun(storage, recipe as unknown as Record<string, unknown>);
  const resume = options.resume ? await latestCheckpoint(storage) : null;
  const events: TrainingEvent[] = [];
  const { signal, control, onPulseSource } = options;
  const inputs = { recipe, model: await tinyModel(), run, resume, signal, control, onPulseSource };
  const summary = await runTraining(inputs, (event) => {
    events.push(event);
    options.onEvent?.(event);
  });
  const metrics = (await run.readMetrics()).filter((row) => row.event === undefined);
  return { folder, summary, events, metrics };
}

/** The weights of a run's checkpoint, as bytes. */
export const weightsOf = (folder: string, step: number) =>
  readFile(join(folder, "checkpoints", `step-${String(step).padStart(6, "0")}`, "model.safetensors"));

/** A step's metrics without what depends on the clock. */
export function withoutTiming(metrics: Layer[]): Layer[] {
  const timed = /^perf\/|_s$|time|idle|active_rows/;
  return metrics.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !timed.test(name))));
}

export interface Looped {
  stages: Stages;
  end: LoopState;
  steps: LoopStep[];
  restarts: { worker: string; cause: unknown }[];
}

export interface LoopOptions extends Partial<LoopHooks> {
  /** The built-in policy otherwise. */
  model?: StageInputs["model"];
  start?: LoopState;
  newestCheckpoint?: StageInputs["newestCheckpoint"];
  silenceMs?: number;
  /** Called with the stages open, before the loop. */
  prepare?(stages: Stages): void;
}

/** The loop alone, without a run directory. The stages are gone when it returns. */
export async function loop(recipe: Recipe, options: LoopOptions = {}): Promise<Looped> {
  const model = options.model ?? (await tinyModel());
  const fresh = freshStart();
  const restarts: Looped["restarts"] = [];
  const stages = await openStages({
    recipe,
    model,
    newestCheckpoint: options.newestCheckpoint ?? (async () => ({ state: fresh.optimizer, step: 0 })),
    onRestart: (worker, cause) => restarts.push({ worker, cause }),
    silenceMs: options.silenceMs,
  });
  try {
    options.prepare?.(stages);
    const steps: LoopStep[] = [];
    const hooks: LoopHooks = {
      ...options,
      onStep: async (step) => {
        steps.push(step);
        await options.onStep?.(step);
      },
    };
    const end = await runLoop(recipe, stages, hooks, options.start ?? fresh.state);
    return { stages, end, steps, restarts };
  } finally {
    stages.dispose();
  }
}

/** What a rejected promise told. */
export const caught = (promise: Promise<unknown>): Promise<Error & { code?: string; hint?: string }> =>
  promise.then(
    () => new Error("nothing was thrown"),
    (error) => error,
  );

/** Every worker started from now on, in order, by the stem of its file. */
export function recordWorkers(): { of(stage: string): Worker[]; restore(): void } {
  const started: { stage: string; worker: Worker }[] = [];
  const Original = globalThis.Worker;
  globalThis.Worker = class extends Original {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      started.push({ stage: String(url).replace(/^.*\/(\w+)\.ts$/, "$1"), worker: this });
    }
  };
  return {
    of: (stage) => started.filter((one) => one.stage === stage).map(({ worker }) => worker),
    restore: () => {
      globalThis.Worker = Original;
    },
  };
}
