/** A run's checkpoints in terms of the loop and the trainer: what `runs/checkpoint.ts` stores, packed and unpacked. */
import { loraSettings } from "./config/lora.ts";
import { readModelName } from "./config/model_name.ts";
import type { Recipe } from "./config/schema.ts";
import { type AdapterBase, readAdapters } from "./data/adapted.ts";
import { readModelJson } from "./data/model_json.ts";
import { loadModelFiles, type ModelReader, type ModelText } from "./data/source.ts";
import { ConfigError } from "./errors.ts";
import type { LoopState } from "./loop.ts";
import { type AdapterSettings, parseAdapterConfig } from "./model/adapters/config.ts";
import { ADAPTER_CONFIG, adapterFolderFiles } from "./model/adapters/peft.ts";
import { type ModelConfig, parseModelConfig } from "./model/config.ts";
import { packTensors, unpackTensors } from "./model/layout.ts";
import { type FoundCheckpoint, latestCheckpoint, readMoments, writeCheckpoint } from "./runs/checkpoint.ts";
import { modelFolderFiles, modelTextFiles } from "./runs/model_folder.ts";
import type { RunDirectory } from "./runs/run_directory.ts";
import type { RunStorage } from "./runs/storage.ts";
import { freshOptimizer, type OptimizerState } from "./trainer/api.ts";
import { trainedLayout } from "./trainer/trained.ts";

/** Counted since the run's first step, also across resumes. */
export interface RunTotals {
  /** Completions trained on. */
  samples: number;
  generatedTokens: number;
  trainedTokens: number;
  /** By the clock, without the time between an end and a resume. */
  seconds: number;
}

const NO_TOTALS: RunTotals = { samples: 0, generatedTokens: 0, trainedTokens: 0, seconds: 0 };

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
    totals: NO_TOTALS,
  };
}

/** What a run's checkpoints depend on beside its directory. */
export interface CheckpointedRun {
  recipe: Recipe;
  model: ModelText;
  run: RunDirectory;
}

/** Reads a checkpoint. @throws DataError for files that are not what a checkpoint holds, ConfigError as `checkTrained` */
export async function readCheckpoint(
  { recipe, model, run }: CheckpointedRun,
  found: FoundCheckpoint,
): Promise<SavedRun> {
  const { storage } = run;
  const { path, state } = found;
  await checkTrained(recipe, storage, path);
  await checkModel(model.config, storage, path);
  const folder = checkpointFolder(storage, path);
  const trained = loraSettings(recipe.trainer.lora)
    ? (await readAdapters(folder, model.config)).tensors
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
    totals: { ...NO_TOTALS, ...totals },
  };
}

const checkpointFolder = (storage: RunStorage, path: string): ModelReader => ({
  where: `${storage.where}/${path}`,
  read: (name) => storage.read(`${path}/${name}`),
  list: () => storage.list(path),
});

/**
 * Refuses a checkpoint of other parameters than the recipe trains: of every one, or of adapters of another shape.
 * @throws ConfigError `config/contradiction`
 */
export async function checkTrained({ trainer }: Recipe, storage: RunStorage, path: string): Promise<void> {
  const folder = checkpointFolder(storage, path);
  const written = await readModelJson(folder, ADAPTER_CONFIG);
  const found = describeTrained(written ? parseAdapterConfig(written).settings : null);
  const wanted = describeTrained(loraSettings(trainer.lora));
  if (found === wanted) return;
  throw new ConfigError(
    "config/contradiction",
    `Cannot go on from ${folder.where} with ${wanted}: it holds ${found}`,
    { hint: "Leave `trainer.lora` as the run began, or start a new run from the checkpoint with `--model`." },
  );
}

/** What the shapes of a model's weights follow from. */
const SHAPE_KEYS = [
  "modelType",
  "vocabSize",
  "width",
  "mlpWidth",
  "layers",
  "heads",
  "kvHeads",
  "headDim",
  "tiedHead",
] as const satisfies readonly (keyof ModelConfig)[];

/**
 * Refuses a model of other shapes than a checkpoint's weights have; a checkpoint of adapters does not say them.
 * @throws ConfigError `config/contradiction`
 */
export async function checkModel(config: ModelConfig, storage: RunStorage, path: string): Promise<void> {
  const folder = checkpointFolder(storage, path);
  const written = await readModelJson(folder, "config.json");
  if (!written) return;
  const saved = parseModelConfig(written);
  const other = SHAPE_KEYS.find((key) => saved[key] !== config[key]);
  if (other === undefined) return;
  throw new ConfigError(
    "config/contradiction",
    `Cannot go on from ${folder.where} with another model: its ${other} is ${saved[other]}, that of \`model\` is ${config[other]}`,
    { hint: "Leave `model` as the run began, or start a new run with `--model`." },
  );
}

function describeTrained(settings: AdapterSettings | null): string {
  if (!settings) return "every parameter";
  return `adapters of rank ${settings.rank}, alpha ${settings.alpha}, ${settings.targets.join(" ")}`;
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
        ...adapterFolderFiles({ settings, tensors: trained, revision: null, ...trainedBase(recipe, model) }),
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

/** The model that adapters were trained on, as PEFT finds it too where it can: by folder, or by name on the hub. */
function trainedBase({ model: name }: Recipe, { source }: ModelText): AdapterBase {
  const named = readModelName(name);
  if (named.kind === "hub")
    return { baseModel: named.id, ...(named.revision === "main" ? {} : { revision: named.revision }) };
  const inFolder = named.kind === "builtin" && source?.handle.kind === "folder";
  return { baseModel: inFolder ? source.handle.path : name };
}
