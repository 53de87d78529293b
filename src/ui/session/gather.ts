/** The facts of a preflight that only a worker can find out: the adapter, the recipe's needs, the room there is. */
import type { Recipe } from "../../config/schema.ts";
import { loadModelConfig } from "../../data/source.ts";
import type { MemoryLimits } from "../../gpu/counting.ts";
import { type Gpu, openGpu } from "../../gpu/device.ts";
import { Recorder } from "../../gpu/recorder.ts";
import { multiplyAdd } from "../../kernels/probe/multiply_add.ts";
import { countParameters, type ModelConfig } from "../../model/config.ts";
import { planMemory, UNLIMITED } from "../../planner/plan.ts";
import { encodeError } from "../../rpc/errors.ts";
import { surveyTask } from "../../stages.ts";
import type { Estimate } from "./api.ts";
import { gainSeconds } from "./gain_time.ts";
import { memoryNeed } from "./memory_need.ts";
import { type FoundModel, findModel, HUB } from "./models.ts";
import { findPolicy, policyText } from "./policies.ts";
import type { GpuFacts, NeedFacts, WorkerFacts } from "./preflight.ts";
import type { Places } from "./recipes.ts";
import { runsInUse } from "./run_lock.ts";

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

async function sizeByHead(address: string): Promise<number | null> {
  const response = await fetch(address, { method: "HEAD" }).catch(() => null);
  if (!response?.ok || response.headers.get("content-type")?.startsWith("text/html")) return null;
  const length = Number(response.headers.get("content-length"));
  return length > 0 ? length : null;
}

/** Bytes of the files to fetch; null for a model that lies in this browser. */
async function downloadOf({ source, from }: FoundModel, config: ModelConfig) {
  if (from === "here") return { downloadBytes: null, downloadGuessed: false };
  if (from !== "origin") return { downloadBytes: from.bytes, downloadGuessed: false };
  const names = ["model.safetensors", "tokenizer.json", "tokenizer_config.json", "config.json"];
  const [weights, ...rest] = await Promise.all(names.map((name) => sizeByHead(`${source.where}${name}`)));
  const halves = /16/.test(String(config.raw.dtype ?? config.raw.torch_dtype));
  const guessed = countParameters(config) * (halves ? 2 : 4);
  const others = rest.reduce((sum: number, bytes) => sum + (bytes ?? 0), 0);
  return { downloadBytes: (weights ?? guessed) + others, downloadGuessed: weights === null };
}

/** What is known of a run before any weights are. */
interface RunSurvey {
  found: FoundModel;
  /** The model's name; of adapters, that of the model below them. */
  model: string;
  config: ModelConfig;
  /** Longest prompt and completion together, in tokens. */
  maxSequence: number;
}

async function surveyRun(recipe: Recipe, places: Places): Promise<RunSurvey> {
  const policy = await findPolicy(recipe.model, (name) => findModel(name, places));
  const { found, model } = policy;
  const config = await loadModelConfig(found.source);
  // Problems of a file and the tokenizer of a model on the hub are brought here by the run itself.
  const known = typeof found.from === "string" && !recipe.data;
  const { maxSequence } = known
    ? await surveyTask({ recipe, model: await policyText(policy) })
    : { maxSequence: 2 * Math.max(recipe.generator.maxTokens, recipe.evaluation.maxTokens) };
  return { found, model, config, maxSequence };
}

/** What a run's model and memory come to, whatever GPU there is; nothing is asked of the hub. @throws as `planMemory`, DataError */
export async function estimateRun(recipe: Recipe, places: Places): Promise<Estimate> {
  const access = { ...places.access, askHub: false };
  const { config, maxSequence } = await surveyRun(recipe, { ...places, access });
  const { trainerBytes, generatorBytes } = planMemory(recipe, config, { maxSequence, limits: UNLIMITED });
  return { parameters: countParameters(config), trainerBytes, generatorBytes };
}

async function needOf(recipe: Recipe, places: Places, limits?: MemoryLimits): Promise<NeedFacts> {
  const { found, model, config, maxSequence } = await surveyRun(recipe, places);
  const memory = memoryNeed(recipe, config, { limits, maxSequence });
  const { generator, trainer, checkpoint, steps } = recipe;
  const parameters = countParameters(config);
  const moments = memory.plan?.trainer.find(({ what }) => what === "moments")?.bytes ?? 8 * parameters;
  const rolloutBytes = steps * trainer.batchSize * generator.maxTokens * 40;
  return {
    parameters,
    hub: typeof found.from === "string" ? null : { model, host: new URL(places.access?.hubUrl ?? HUB).host },
    memory,
    ...(await downloadOf(found, config)),
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
