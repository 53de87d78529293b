/** A run's checkpoints in terms of the loop and the trainer: what `runs/checkpoint.ts` stores, packed and unpacked. */
import type { Recipe } from "./config/schema.ts";
import { loadModelFiles, type ModelFiles } from "./data/source.ts";
import type { LoopState } from "./loop.ts";
import { layoutParameters, packTensors, unpackTensors } from "./model/layout.ts";
import { type FoundCheckpoint, latestCheckpoint, readMoments, writeCheckpoint } from "./runs/checkpoint.ts";
import { modelFolderFiles } from "./runs/model_folder.ts";
import type { RunDirectory } from "./runs/run_directory.ts";
import type { OptimizerState } from "./trainer/api.ts";

/** Counted since the run's first step, also across resumes. */
export interface RunTotals {
  /** Completions trained on. */
  samples: number;
  generatedTokens: number;
  trainedTokens: number;
}

export interface SavedRun {
  optimizer: OptimizerState;
  state: LoopState;
  totals: RunTotals;
}

/** Where a run begins that has no checkpoint yet: at the model. */
export function freshStart(model: ModelFiles): SavedRun {
  const weights = packTensors(layoutParameters(model.config), model.tensors) as Float32Array<ArrayBuffer>[];
  return {
    optimizer: { step: 0, weights, firstMoments: [], secondMoments: [] },
    state: { step: 0, nextGroup: 0, inFlight: [] },
    totals: { samples: 0, generatedTokens: 0, trainedTokens: 0 },
  };
}

/** Reads a checkpoint. @throws DataError for files that are not what a checkpoint holds */
export async function readCheckpoint(run: RunDirectory, found: FoundCheckpoint): Promise<SavedRun> {
  const { storage } = run;
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
  const totals = (state.stages?.totals ?? {}) as Partial<RunTotals>;
  return {
    optimizer: {
      step: state.optimizerStep,
      weights: pack(tensors),
      firstMoments: pack(wrapped(moments.m)),
      secondMoments: pack(wrapped(moments.v)),
    },
    state: { step: state.step, nextGroup: state.dataCursor, inFlight: state.inFlight },
    totals: { samples: 0, generatedTokens: 0, trainedTokens: 0, ...totals },
  };
}

/** What a trainer that takes over goes on from; rows logged after it are forgotten, as their steps come again. */
export async function rewindToNewest(run: RunDirectory, model: ModelFiles): Promise<SavedRun> {
  const found = await latestCheckpoint(run.storage);
  const saved = found ? await readCheckpoint(run, found) : freshStart(model);
  await run.rewindTo(saved.state.step);
  return saved;
}

/** Writes a checkpoint and returns its path below the run's storage. @throws DataError */
export function saveRun(
  run: RunDirectory,
  model: ModelFiles,
  recipe: Recipe,
  { optimizer, state, totals }: SavedRun,
  weightVersion: number,
): Promise<string> {
  const layout = layoutParameters(model.config);
  const named = (shards: Float32Array[]) =>
    new Map([...unpackTensors(layout, shards)].map(([name, { data }]) => [name, data]));
  return writeCheckpoint(
    run.storage,
    {
      state: {
        step: state.step,
        weightVersion,
        optimizerStep: optimizer.step,
        dataCursor: state.nextGroup,
        inFlight: state.inFlight,
        random: { seed: recipe.seed },
        recipeHash: run.recipeHash,
        stages: { totals },
      },
      modelFiles: modelFolderFiles({ ...model, tensors: unpackTensors(layout, optimizer.weights) }),
      moments: { m: named(optimizer.firstMoments), v: named(optimizer.secondMoments) },
    },
    { keep: recipe.checkpoint.keep },
  );
}
