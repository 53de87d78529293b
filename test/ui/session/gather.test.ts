import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseRecipe } from "../../../src/config/parse.ts";
import type { Recipe } from "../../../src/config/schema.ts";
import { DataError, GpuLostError, GpuUnavailableError } from "../../../src/errors.ts";
import { countingGpu, GUARANTEED_LIMITS } from "../../../src/gpu/counting.ts";
import { openGpu } from "../../../src/gpu/device.ts";
import { createRun } from "../../../src/runs/run_directory.ts";
import { estimateRun, gatherFacts } from "../../../src/ui/session/gather.ts";
import { measureGain } from "../../../src/ui/session/measure_gain.ts";
import { holdRun } from "../../../src/ui/session/run_lock.ts";
import { memoryFiles } from "../../runs/memory_files.ts";
import { stubPrivateFiles } from "../../runs/private_files.ts";
import { fakeLocks } from "./fake_locks.ts";
import { BASE, serveSite } from "./site.ts";

vi.mock("../../../src/gpu/device.ts", async (original) => ({
  ...(await original<typeof import("../../../src/gpu/device.ts")>()),
  openGpu: vi.fn(),
}));
vi.mock("../../../src/ui/session/measure_gain.ts", () => ({ measureGain: vi.fn() }));

const builtIn = new URL("../../../public/models/chain-sum/", import.meta.url);
const names = ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"];
const site = Object.fromEntries(
  names.map((name) => [`models/chain-sum/${name}`, readFileSync(new URL(name, builtIn), "utf8")]),
);
/** Of the built-in policy. */
const PARAMETERS = 399_488;
const GAIN = { start: 4, gain: 11 };
const RECIPE = parseRecipe({ steps: 5, checkpoint: { keep: 2 } });

let locks: ReturnType<typeof fakeLocks>;
let memory: ReturnType<typeof memoryFiles>;
let destroyed: number;

/** A device that counts, under an adapter's name. */
function offerGpu(adapterName: string, limits: Partial<typeof GUARANTEED_LIMITS> = {}): void {
  const { gpu } = countingGpu({ ...GUARANTEED_LIMITS, ...limits });
  vi.mocked(openGpu).mockImplementation(async () =>
    Object.assign(gpu, {
      adapterName,
      destroy: () => {
        destroyed++;
      },
    }),
  );
}

/** @param storage of the browser; null: it gives no files, as in private windows of some */
function offerBrowser(storage: { quota?: number; usage?: number } | null): void {
  const refused = async () => {
    throw new DOMException("no", "SecurityError");
  };
  const found = storage
    ? { getDirectory: async () => ({}), estimate: async () => storage }
    : { getDirectory: refused, estimate: async () => ({ quota: 1000 }) };
  vi.stubGlobal("navigator", { locks, gpu: {}, storage: found });
}

const places = () => ({ base: BASE, open: memory.open });
const gather = (recipe: Recipe | Promise<Recipe> = RECIPE) => gatherFacts(Promise.resolve(recipe), places());

beforeEach(() => {
  locks = fakeLocks();
  memory = memoryFiles();
  destroyed = 0;
  serveSite(site);
  offerBrowser({ quota: 1000, usage: 300 });
  offerGpu("some card");
  vi.mocked(measureGain).mockReset().mockResolvedValue(GAIN);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe("gatherFacts()", () => {
  it("tells everything of a machine that has it", async () => {
    const facts = await gather();
    expect(facts).toMatchObject({
      webgpu: true,
      isolated: false,
      gpu: { adapter: "some card", software: false, tier: "base", maxBinding: 2 ** 27 },
      gpuError: null,
      needError: null,
      freeBytes: 700,
      secondsToGain: GAIN,
      training: 0,
    });
    expect(facts.need).toMatchObject({
      parameters: PARAMETERS,
      memory: { reason: null, assumedPrompt: null },
    });
    // Weights and both moments of the two that are kept and of one that is written; 40 bytes a token.
    const { trainer, generator } = RECIPE;
    const rollouts = 5 * trainer.batchSize * generator.maxTokens * 40;
    expect(facts.need?.storedBytes).toBe(3 * 12 * PARAMETERS + rollouts);
    // The weights' size is not told by this server, so it is guessed: f32 at least f16.
    expect(facts.need?.downloadBytes).toBeGreaterThanOrEqual(2 * PARAMETERS);
    expect(facts.need?.download.siteBytes).toBe(facts.need?.downloadBytes);
    expect(destroyed).toBe(1);
  });

  it("measures with the sizes, the download and the earlier steps that it found", async () => {
    vi.stubGlobal("crossOriginIsolated", true);
    offerGpu("google SwiftShader");
    const run = await createRun(memory.open("runs/before"), RECIPE as unknown as Record<string, unknown>);
    await run.logMetrics({ step: 0, event: "ready", adapter: "google SwiftShader" });
    await run.logMetrics({ step: 1, step_time: 2.5 });
    const facts = await gather();
    expect(facts).toMatchObject({ isolated: true, gpu: { software: true } });
    const [gpu, question] = vi.mocked(measureGain).mock.calls[0];
    expect(gpu.adapterName).toBe("google SwiftShader");
    expect(question).toMatchObject({ recipe: RECIPE, software: true, stepSeconds: [2.5] });
    expect(question.downloadBytes).toBe(facts.need?.downloadBytes);
    expect(question.maxSequence).toBeGreaterThan(RECIPE.generator.maxTokens);
  });

  it("plans without a GPU, and says why there is none", async () => {
    vi.mocked(openGpu).mockRejectedValue(new GpuUnavailableError("gpu/no-adapter", "none", { hint: "" }));
    const facts = await gather();
    expect(facts.gpu).toBeNull();
    expect(facts.gpuError?.code).toBe("gpu/no-adapter");
    expect(facts.need?.parameters).toBe(PARAMETERS);
    expect(facts.secondsToGain).toBeNull();
    expect(measureGain).not.toHaveBeenCalled();
  });

  it("holds the plan to this GPU's limits, and does not wait for the time of what does not fit", async () => {
    offerGpu("small", { maxBufferSize: 2 ** 16 });
    const facts = await gather();
    expect(facts.gpu?.maxBinding).toBe(2 ** 16);
    expect(facts.need?.memory.reason).toContain("this GPU allows 0.1 MiB");
    expect(facts.secondsToGain).toBeNull();
    expect(measureGain).not.toHaveBeenCalled();
    expect(destroyed).toBe(1);
  });

  it("tells of the GPU also where the recipe or its model cannot be used", async () => {
    const refused = Promise.reject(new DataError("config/none", "no such recipe", { hint: "" }));
    for (const [recipe, code] of [
      [refused, "config/none"],
      [Promise.resolve(parseRecipe({ model: "builtin:none" })), "model/no-folder"],
    ] as const) {
      const facts = await gather(recipe);
      expect(facts.needError?.code).toBe(code);
      expect([facts.need, facts.secondsToGain, facts.gpuError]).toEqual([null, null, null]);
      expect(facts.gpu?.adapter).toBe("some card");
    }
    expect(destroyed).toBe(2);
  });

  it("measures nothing while a run trains, nor tells what one that began meanwhile has spoilt", async () => {
    const release = await holdRun("other", "start");
    expect(await gather()).toMatchObject({ training: 1, secondsToGain: null });
    expect(measureGain).not.toHaveBeenCalled();
    release();
    await vi.waitFor(() => expect(locks.held.size).toBe(0));
    vi.mocked(measureGain).mockImplementation(async () => {
      await holdRun("meanwhile", "start");
      return GAIN;
    });
    expect(await gather()).toMatchObject({ training: 0, secondsToGain: null });
    expect(measureGain).toHaveBeenCalledTimes(1);
  });

  it("takes what fails while it measures for a fault of the GPU, or of the data where it is", async () => {
    vi.mocked(measureGain).mockRejectedValueOnce(new GpuLostError("gpu/lost", "gone", { hint: "" }));
    const lost = await gather();
    expect(lost).toMatchObject({ gpu: null, gpuError: { code: "gpu/lost" }, needError: null });
    expect(lost.need?.parameters).toBe(PARAMETERS);
    vi.mocked(measureGain).mockRejectedValueOnce(new DataError("model/bad-config", "odd", { hint: "" }));
    const odd = await gather();
    expect(odd).toMatchObject({ need: null, needError: { code: "model/bad-config" }, gpuError: null });
    expect(odd.gpu?.adapter).toBe("some card");
    expect(destroyed).toBe(2);
  });

  it("takes a browser that keeps nothing and knows of no other tab as it is", async () => {
    offerBrowser(null);
    expect((await gather()).freeBytes).toBeNull();
    offerBrowser({ quota: 100, usage: 300 });
    expect((await gather()).freeBytes).toBe(0);
    const denied = () => Promise.reject(new DOMException("denied", "SecurityError"));
    vi.stubGlobal("navigator", { locks: { request: denied, query: denied }, storage: {} });
    expect(await gather()).toMatchObject({ webgpu: false, training: 0, freeBytes: null });
  });
});

describe("estimateRun()", () => {
  it("asks nobody for a model that is not here", async () => {
    stubPrivateFiles({ locks });
    const asked = serveSite(site);
    const recipe = parseRecipe({ model: "owner/name" });
    await expect(estimateRun(recipe, places())).rejects.toThrow("it is not downloaded");
    expect(asked.filter((address) => !address.startsWith(BASE))).toEqual([]);
  });

  it("is the plan of a GPU without limits", async () => {
    const estimate = await estimateRun(RECIPE, places());
    const plan = (await gather()).need?.memory.plan;
    expect(estimate).toEqual({
      parameters: PARAMETERS,
      trainerBytes: plan?.trainerBytes,
      generatorBytes: plan?.generatorBytes,
      assumedPrompt: null,
    });
  });
});
