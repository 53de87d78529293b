/** The facts of a preflight that only a worker can find out: the adapter, the recipe's needs, the room there is. */
import type { Recipe } from "../../config/schema.ts";
import type { MemoryLimits } from "../../gpu/counting.ts";
import { type Gpu, openGpu } from "../../gpu/device.ts";
import { Recorder } from "../../gpu/recorder.ts";
import { multiplyAdd } from "../../kernels/probe/multiply_add.ts";
import { countParameters } from "../../model/config.ts";
import { planMemory, UNLIMITED } from "../../planner/plan.ts";
import { encodeError } from "../../rpc/errors.ts";
import type { Estimate } from "./api.ts";
import { allBytes } from "./download_need.ts";
import { gainSeconds } from "./gain_time.ts";
import { memoryNeed } from "./memory_need.ts";
import type { GpuFacts, NeedFacts, WorkerFacts } from "./preflight.ts";
import type { Places } from "./recipes.ts";
import { runsInUse } from "./run_lock.ts";
import { downloadNeed, surveyRun } from "./run_survey.ts";

/** Milliseconds that measuring may take. */
const PROBE_MS = 1200;
const PROBE_ROWS = 2 ** 18;
const ENOUGH_MS = 20;

/** Multiply-adds in registers, as `bench/peaks.ts` counts them, but soon done: operations a second, or null. */
async function measureRate(gpu: Gpu): Promise<number | null> {
  await gpu.compile([multiplyAdd]);
  const recorder = new Recorder(gpu, "preflight");
  using x = gpu.buffer("probe", 8 * PROBE_ROWS);
  const until = performance.now() + PROBE_MS;
  let best: number | null = null;
  let rounds = 8;
  // The first round includes the driver's own compilation; whatever is fastest counts.
  for (let k = 0; k < 12 && performance.now() < until; k++) {
    const dims = { rows: PROBE_ROWS, rounds, factor: 0.99, addend: 0.01 };
    const from = performance.now();
    multiplyAdd.encode(recorder, { x }, dims);
    recorder.submit();
    await gpu.idle();
    const ms = performance.now() - from;
    best = Math.max(best ?? 0, (1000 * multiplyAdd.spec.flops(dims)) / ms);
    if (ms < ENOUGH_MS) rounds *= 4;
  }
  return best;
}

const isSoftware = (adapter: string) => /llvmpipe|swiftshader|lavapipe|software|basic render/i.test(adapter);

/** What a run's model and memory come to, whatever GPU there is; nothing is asked of the hub. @throws as `planMemory`, DataError */
export async function estimateRun(recipe: Recipe, places: Places): Promise<Estimate> {
  const access = { ...places.access, askHub: false };
  const { config, maxSequence, assumedPrompt } = await surveyRun(recipe, { ...places, access });
  const { trainerBytes, generatorBytes } = planMemory(recipe, config, { maxSequence, limits: UNLIMITED });
  return { parameters: countParameters(config), trainerBytes, generatorBytes, assumedPrompt };
}

async function needOf(recipe: Recipe, places: Places, limits?: MemoryLimits): Promise<NeedFacts> {
  const survey = await surveyRun(recipe, places);
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
  let resolved: Recipe | null = null;
  try {
    resolved = await recipe;
    facts.need = await needOf(resolved, places, gpu?.device.limits);
  } catch (error) {
    facts.needError = encodeError(error);
  }
  const [free, training] = await asked;
  facts.freeBytes = free;
  facts.training = training.length;
  try {
    // A run that trains would be held up, and the measure would be wrong.
    const rate = gpu && training.length === 0 ? await measureRate(gpu) : null;
    if (rate !== null && facts.gpu && facts.need && resolved)
      facts.secondsToGain = gainSeconds(resolved, facts.need, rate, facts.gpu.software);
  } catch (error) {
    facts.gpuError = encodeError(error);
    facts.gpu = null;
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
