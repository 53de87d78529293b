/** A run's checkpoints in terms of the loop and the trainer: what `runs/checkpoint.ts` stores, packed and unpacked. */
import { loraSettings } from "./config/lora.ts";
import type { Recipe } from "./config/schema.ts";
import { withAdapters } from "./data/adapted.ts";
import { loadModelFiles, type ModelReader, type ModelText } from "./data/source.ts";
import { ConfigError } from "./errors.ts";
import type { LoopState } from "./loop.ts";
import type { AdapterSettings } from "./model/adapters/config.ts";
import { type AdapterTensors, adapterFolderFiles } from "./model/adapters/peft.ts";
import { packTensors, unpackTensors } from "./model/layout.ts";
import { type FoundCheckpoint, latestCheckpoint, readMoments, writeCheckpoint } from "./runs/checkpoint.ts";
import { modelFolderFiles, modelTextFiles } from "./runs/model_folder.ts";
import type { RunDirectory } from "./runs/run_directory.ts";
import { freshOptimizer, type OptimizerState } from "./trainer/api.ts";
import { trainedLayout } from "./trainer/trained.ts";

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
export function freshStart(): SavedRun {
  return {
    optimizer: freshOptimizer(),
    state: { step: 0, nextGroup: 0, inFlight: [] },
    totals: { samples: 0, generatedTokens: 0, trainedTokens: 0 },
  };
}

/** What a run's checkpoints depend on beside its directory. */
export interface CheckpointedRun {
  recipe: Recipe;
  model: ModelText;
  run: RunDirectory;
}

/** Reads a checkpoint. @throws DataError for files that are not what a checkpoint holds */
export async function readCheckpoint(
  { recipe, model, run }: CheckpointedRun,
  found: FoundCheckpoint,
): Promise<SavedRun> {
  const { storage } = run;
  const { path, state } = found;
  const folder: ModelReader = {
    where: `${storage.where}/${path}`,
    read: (name) => storage.read(`${path}/${name}`),
    list: () => storage.list(path),
  };
  const trained = loraSettings(recipe.trainer.lora)
    ? await readAdapters(folder, recipe, model)
    : (await loadModelFiles(folder)).tensors;
  const moments = await readMoments(storage, path);
  const layout = trainedLayout(recipe, model.config);
  const wrapped = (named: ReadonlyMap<string, Float32Array>) =>
    new Map([...named].map(([name, data]) => [name, { data }]));
  const totals = (state.stages?.totals ?? {}) as Partial<RunTotals>;
  return {
    optimizer: {
      step: state.optimizerStep,
      weights: packTensors(layout, trained),
      firstMoments: packTensors(layout, wrapped(moments.m)),
      secondMoments: packTensors(layout, wrapped(moments.v)),
    },
    state: { step: state.step, nextGroup: state.dataCursor, inFlight: state.inFlight },
    totals: { samples: 0, generatedTokens: 0, trainedTokens: 0, ...totals },
  };
}

/** The adapters of a checkpoint, which must be those that the recipe asks for. */
async function readAdapters(
  folder: ModelReader,
  { trainer }: Recipe,
  model: ModelText,
): Promise<AdapterTensors> {
  const found = (await withAdapters({ ...model, adapters: [] }, folder)).adapters?.[0];
  const wanted = loraSettings(trainer.lora);
  const shape = (settings?: AdapterSettings | null) =>
    settings && `rank ${settings.rank}, alpha ${settings.alpha}, ${settings.targets.join(" ")}`;
  if (found && shape(found.settings) === shape(wanted)) return found.tensors;
  throw new ConfigError(
    "config/contradiction",
    `Cannot go on from ${folder.where} with adapters of ${shape(wanted)}: it holds adapters of ${shape(found?.settings)}`,
    { hint: "Leave `trainer.lora` as the run began, or start a new run from the checkpoint with `--model`." },
  );
}

/** What a trainer that takes over goes on from; rows logged after it are forgotten, as their steps come again. */
export async function rewindToNewest(inputs: CheckpointedRun): Promise<SavedRun> {
  const { run } = inputs;
  const found = await latestCheckpoint(run.storage);
  const saved = found ? await readCheckpoint(inputs, found) : freshStart();
  await run.rewindTo(saved.state.step);
  return saved;
}

/** Writes a checkpoint and returns its path below the run's storage. @throws DataError */
export function saveRun(
  { recipe, model, run }: CheckpointedRun,
  { optimizer, state, totals }: SavedRun,
  weightVersion: number,
): Promise<string> {
  const layout = trainedLayout(recipe, model.config);
  const trained = unpackTensors(layout, optimizer.weights);
  const named = (shards: Float32Array[]) =>
    new Map([...unpackTensors(layout, shards)].map(([name, { data }]) => [name, data]));
  const settings = loraSettings(recipe.trainer.lora);
  const modelFiles = settings
    ? {
        ...adapterFolderFiles({ settings, tensors: trained, baseModel: recipe.model, revision: null }),
        ...modelTextFiles(model),
      }
    : modelFolderFiles({ ...model, tensors: trained });
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
      modelFiles,
      moments: { m: named(optimizer.firstMoments), v: named(optimizer.secondMoments) },
    },
    { keep: recipe.checkpoint.keep },
  );
}
