/** What is planned against what engines then ask of a device, and that all of it can be timed there. */
import { afterAll, describe, expect, it } from "vitest";
import { tally } from "../../src/bench/tally.ts";
import { parseRecipe } from "../../src/config/parse.ts";
import type { Recipe } from "../../src/config/schema.ts";
import { GeneratorEngine } from "../../src/generator/engine.ts";
import { type Gpu, openGpu } from "../../src/gpu/device.ts";
import { type ModelConfig, parseModelConfig } from "../../src/model/config.ts";
import { measureOverheads, measurePace } from "../../src/planner/measure_pace.ts";
import { type Phase, planWork } from "../../src/planner/work.ts";
import { TrainerEngine } from "../../src/trainer/engine.ts";
import { fullBatch, generatorOptions } from "./allocated.ts";

const config: ModelConfig = parseModelConfig({
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: 100,
  hidden_size: 64,
  intermediate_size: 192,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  hidden_act: "silu",
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
});
/** Prompts of 3 tokens, as `fullBatch` has them. */
const maxSequence = 3 + 24;

type Settings = Record<string, Record<string, unknown>>;
const recipeOf = ({ trainer, generator }: Settings = {}): Recipe =>
  parseRecipe({
    name: "work",
    model: "builtin:chain-sum",
    generator: { concurrency: 16, maxTokens: 24, decodeChunk: 4, ...generator },
    trainer: { groupSize: 4, batchSize: 16, microBatchTokens: 120, ...trainer },
    evaluation: { problems: 4, samples: 2 },
  });

const variants: Record<string, Settings> = {
  "every parameter": {},
  adapters: { trainer: { lora: { rank: 8 } } },
  "adapters over f16, activations recomputed": {
    trainer: { lora: { rank: 4 }, frozenDtype: "f16", recompute: true },
    generator: { dtype: "f16", cacheDtype: "f16" },
  },
  "a KL term": { trainer: { loss: "grpo", klBeta: 0.04 } },
};

const opened: Gpu[] = [];
const open = async () => {
  const gpu = await openGpu({ label: "work" });
  opened.push(gpu);
  return gpu;
};
afterAll(() => opened.forEach((gpu) => void gpu.destroy()));

const named = (phases: readonly Phase[], name: Phase["name"]) =>
  phases.find((one) => one.name === name) as Phase;
const dispatches = ({ jobs }: Phase) => jobs.reduce((sum, { count }) => sum + count, 0);

describe("planWork()", () => {
  it.each(Object.keys(variants))("plans what a step dispatches: %s", async (name) => {
    const gpu = await open();
    const recipe = recipeOf(variants[name]);
    const run = { recipe, config, maxSequence };
    using trainer = await TrainerEngine.create(gpu, run);
    // Half of the longest completion is what a plan takes for the average.
    const batch = fullBatch({ ...run, completion: 12 });
    const counters = trainer.policy.recorder.counters;
    const before = counters.flops;
    const stepped = await tally(() => trainer.step(batch));
    const { batch: planned } = await planWork(recipe, config, {
      maxSequence,
      limits: gpu.device.limits,
      like: gpu,
    });
    const [micro, update] = [named(planned, "micro-batch"), named(planned, "optimiser step")];
    expect(stepped.counts.dispatches).toBe(micro.times * dispatches(micro) + dispatches(update));
    const flops = [micro, update].flatMap(({ jobs, times }) =>
      jobs.map((job) => times * job.count * job.flops),
    );
    expect(counters.flops - before).toBe(flops.reduce((sum, value) => sum + value, 0));

    using generator = await GeneratorEngine.create(gpu, generatorOptions(run));
    const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: 24, seed: 0 };
    const group = { problemId: "0", taskId: "t", promptTokens: new Uint32Array(3), sampling };
    for (let groupId = 0; groupId < 4; groupId++)
      generator.admit([
        { ...group, groupId, rolloutIds: Uint32Array.from({ length: 4 }, (_, i) => 4 * groupId + i) },
      ]);
    const advanced = await tally(() => generator.advance());
    const [step, prefill] = [named(planned, "decode step"), named(planned, "prefill")];
    expect(advanced.counts.dispatches).toBe(4 * dispatches(step) + dispatches(prefill));
  });
});

describe("measurePace()", () => {
  /** Timed for a variant before: a job of the same kernel and sizes is the same to a device. */
  const known = new Set<string>();

  it.each(Object.keys(variants))("can time all that is planned: %s", async (name) => {
    const gpu = await open();
    const overheads = await measureOverheads(gpu);
    const recipe = recipeOf(variants[name]);
    const work = await planWork(recipe, config, { maxSequence, limits: gpu.device.limits, like: gpu });
    const unknown = (phases: readonly Phase[]) =>
      phases.map((phase) => ({ ...phase, jobs: phase.jobs.filter(({ key }) => !known.has(key)) }));
    const [batch, evaluation] = [unknown(work.batch), unknown(work.evaluation)];
    const until = Number.POSITIVE_INFINITY;
    const { timed, compile } = await measurePace(
      gpu,
      overheads,
      { ...work, batch, evaluation },
      { until, batches: 6 },
    );
    const keys = new Set([...batch, ...evaluation].flatMap(({ jobs }) => jobs.map(({ key }) => key)));
    expect(new Set(timed.map(({ key }) => key))).toEqual(keys);
    expect(keys.size).toBeGreaterThan(0);
    for (const key of keys) known.add(key);
    for (const { seconds } of timed) expect(seconds).toBeGreaterThan(0);
    expect(compile).toBeGreaterThan(0);
    gpu.assertHealthy();
    expect(gpu.allocatedBytes).toBe(0);
  });

  it("stops when time is up, with what weighs most", async () => {
    const gpu = await open();
    const overheads = await measureOverheads(gpu);
    const work = await planWork(recipeOf(), config, { maxSequence, limits: gpu.device.limits, like: gpu });
    const { timed } = await measurePace(gpu, overheads, work, { until: 0, batches: 6 });
    expect(timed.length).toBe(3);
    expect(timed[0].kernel).toMatch(/^linear_vec4 /);
  });
});
