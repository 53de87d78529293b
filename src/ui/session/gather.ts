/** The facts of a preflight that only a worker can find out: the adapter, the recipe's needs, the room there is. */
import type { Recipe } from "../../config/schema.ts";
import { DataError } from "../../errors.ts";
import type { MemoryLimits } from "../../gpu/counting.ts";
import { type Gpu, openGpu } from "../../gpu/device.ts";
import { countParameters } from "../../model/config.ts";
import { planMemory, UNLIMITED } from "../../planner/plan.ts";
import { encodeError } from "../../rpc/errors.ts";
import type { Estimate } from "./api.ts";
import { allBytes } from "./download_need.ts";
import { earlierSteps } from "./earlier_runs.ts";
import type { GainTime } from "./gain_time.ts";
import { measureGain } from "./measure_gain.ts";
import { memoryNeed } from "./memory_need.ts";
import type { GpuFacts, NeedFacts, WorkerFacts } from "./preflight.ts";
import type { Places } from "./recipes.ts";
import { runsInUse } from "./run_lock.ts";
import { downloadNeed, type RunSurvey, surveyRun } from "./run_survey.ts";

const isSoftware = (adapter: string) => /llvmpipe|swiftshader|lavapipe|software|basic render/i.test(adapter);

/** What a run's model and memory come to, whatever GPU there is; nothing is asked of the hub. @throws as `planMemory`, DataError */
export async function estimateRun(recipe: Recipe, places: Places): Promise<Estimate> {
  const access = { ...places.access, askHub: false };
  const { config, maxSequence, assumedPrompt } = await surveyRun(recipe, { ...places, access });
  const { trainerBytes, generatorBytes } = planMemory(recipe, config, { maxSequence, limits: UNLIMITED });
  return { parameters: countParameters(config), trainerBytes, generatorBytes, assumedPrompt };
}

async function needOf(
  recipe: Recipe,
  survey: RunSurvey,
  places: Places,
  limits?: MemoryLimits,
): Promise<NeedFacts> {
  const { config, maxSequence, assumedPrompt } = survey;
  const memory = memoryNeed(recipe, config, { limits, maxSequence, assumedPrompt });
  const download = await downloadNeed(recipe, survey, places);
  const { generator, trainer, checkpoint, steps } = recipe;
  const parameters = countParameters(config);
  const moments = memory.plan?.trainer.find(({ what }) => what === "moments")?.bytes ?? 8 * parameters;
  const rolloutBytes = steps * trainer.batchSize * generator.maxTokens * 40;
  return {
    parameters,
    memory,
    download,
    downloadBytes: allBytes(download),
    // What is trained and both moments; one checkpoint more while a new one is written.
    storedBytes: 1.5 * moments * (checkpoint.keep + 1) + rolloutBytes,
  };
}

async function freeBytes(): Promise<number | null> {
  try {
    await navigator.storage.getDirectory();
    const { quota = 0, usage = 0 } = await navigator.storage.estimate();
    return Math.max(0, quota - usage);
  } catch {
    // Private windows of some browsers throw: there is no such storage.
    return null;
  }
}

/** Null where a run has begun meanwhile: it was measured with. */
async function secondsToGain(
  gpu: Gpu,
  recipe: Recipe,
  { config, maxSequence }: RunSurvey,
  { downloadBytes }: NeedFacts,
  places: Places,
): Promise<GainTime | null> {
  const software = isSoftware(gpu.adapterName);
  // Windows without private files were told of already.
  const stepSeconds = await earlierSteps(places.open, recipe, gpu.adapterName).catch(() => []);
  const question = { recipe, config, maxSequence, downloadBytes, software, stepSeconds };
  const found = await measureGain(gpu, question);
  return (await runsInUse()).length > 0 ? null : found;
}

/** Gathers everything; nothing of it throws, what cannot be had is a fact as well. */
export async function gatherFacts(recipe: Promise<Recipe>, places: Places): Promise<WorkerFacts> {
  const facts: WorkerFacts = {
    webgpu: globalThis.navigator?.gpu !== undefined,
    isolated: globalThis.crossOriginIsolated === true,
    gpu: null,
    gpuError: null,
    need: null,
    needError: null,
    freeBytes: null,
    secondsToGain: null,
    training: 0,
  };
  const asked = Promise.all([freeBytes(), runsInUse()]);
  let gpu: Gpu | null = null;
  try {
    gpu = await openGpu({ label: "preflight" });
    facts.gpu = describe(gpu);
  } catch (error) {
    facts.gpuError = encodeError(error);
  }
  let run: { recipe: Recipe; survey: RunSurvey } | null = null;
  try {
    const resolved = await recipe;
    const survey = await surveyRun(resolved, places);
    facts.need = await needOf(resolved, survey, places, gpu?.device.limits);
    run = { recipe: resolved, survey };
  } catch (error) {
    facts.needError = encodeError(error);
  }
  const [free, training] = await asked;
  facts.freeBytes = free;
  facts.training = training.length;
  try {
    // A run that trains would be held up, and the measure would be wrong; one that does not fit is not waited for.
    if (gpu && facts.gpu && facts.need?.memory.reason === null && run && training.length === 0)
      facts.secondsToGain = await secondsToGain(gpu, run.recipe, run.survey, facts.need, places);
  } catch (error) {
    if (error instanceof DataError) facts.needError = encodeError(error);
    else facts.gpuError = encodeError(error);
    if (facts.needError) facts.need = null;
    else facts.gpu = null;
  }
  gpu?.destroy();
  return facts;
}

function describe(gpu: Gpu): GpuFacts {
  const { maxStorageBufferBindingSize, maxBufferSize } = gpu.device.limits;
  return {
    adapter: gpu.adapterName,
    software: isSoftware(gpu.adapterName),
    tier: gpu.tier,
    maxBinding: Math.min(maxStorageBufferBindingSize, maxBufferSize),
  };
}
