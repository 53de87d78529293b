import { describe, expect, it } from "vitest";
import { parseRecipe } from "../../src/config/parse.ts";
import type { Recipe } from "../../src/config/schema.ts";
import { GUARANTEED_LIMITS } from "../../src/gpu/counting.ts";
import { type ModelConfig, parseModelConfig } from "../../src/model/config.ts";
import { decoding, type Phase, planWork, type RunWork } from "../../src/planner/work.ts";

const config: ModelConfig = parseModelConfig({
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: 100,
  hidden_size: 64,
  intermediate_size: 192,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  hidden_act: "silu",
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
});
type Settings = Record<string, unknown>;
const recipeOf = ({ trainer = {}, generator = {}, ...more }: Record<string, Settings> = {}): Recipe =>
  parseRecipe({
    name: "work",
    model: "builtin:chain-sum",
    generator: { concurrency: 16, maxTokens: 24, decodeChunk: 4, ...generator },
    trainer: { groupSize: 4, batchSize: 16, microBatchTokens: 160, ...trainer },
    evaluation: { problems: 8, samples: 4 },
    ...more,
  });
const plan = (recipe: Recipe, maxFlopsPerSubmit = 1e12): Promise<RunWork> =>
  planWork(recipe, config, {
    maxSequence: 32,
    limits: GUARANTEED_LIMITS,
    like: { halfForm: "packed", maxFlopsPerSubmit },
  });
const phase = (phases: Phase[], name: Phase["name"]) => phases.find((one) => one.name === name) as Phase;
const flops = ({ jobs, times }: Phase) => times * jobs.reduce((sum, one) => sum + one.count * one.flops, 0);
const jobs = ({ jobs }: Phase, label: string) => jobs.filter(({ kernel }) => kernel.label === label);

describe("planWork()", () => {
  it("records the run's own kernels at the run's own sizes", async () => {
    const { batch, evaluation } = await plan(recipeOf());
    const step = phase(batch, "decode step");
    const { rows } = decoding({ completions: 16, maxTokens: 24 }, 16, 4);
    // qkv, o, gate_up and down of three layers; then the head.
    const sizes = jobs(step, "linear_vec4").map(({ dims: { outputs, inputs }, count }) => [
      outputs,
      inputs,
      count,
    ]);
    expect(sizes).toEqual([
      [128, 64, 3],
      [64, 64, 3],
      [384, 64, 3],
      [64, 192, 3],
      [100, 64, 1],
    ]);
    for (const { dims } of jobs(step, "linear_vec4")) expect(dims.rows).toBe(rows);
    // Eight sequences of 20 tokens, all but the last of which go in; the head is asked for twelve of each.
    const rowsOf = jobs(phase(batch, "micro-batch"), "linear_backward_weight_vec4").map(
      ({ dims }) => dims.rows,
    );
    expect(new Set(rowsOf)).toEqual(new Set([8 * 12, 8 * 19]));
    expect(phase(batch, "micro-batch").times).toBe(2);
    expect(phase(evaluation, "decode step").times).toBeGreaterThan(step.times);
  });

  it("keeps what the host writes: ids, segments, the cache's entries", async () => {
    const { batch } = await plan(recipeOf());
    const [attention] = jobs(phase(batch, "micro-batch"), "attention");
    const names = Object.keys(attention.kernel.spec.bindings);
    const segments = attention.contents[names.indexOf("segments")] as Uint8Array;
    expect([...new Uint32Array(segments.slice().buffer)].slice(2 * 18, 2 * 20)).toEqual([0, 19, 19, 38]);
    const [decode] = jobs(phase(batch, "decode step"), "decode_attention");
    const entries = decode.contents[1] as Uint8Array;
    // Row 1 in slot 1, in the middle of a completion of 12 after a prompt of 8.
    expect([...new Uint32Array(entries.slice().buffer)].slice(3, 6)).toEqual([1, 1, 14]);
  });

  it("grows with what is asked for", async () => {
    const [small, large] = await Promise.all([
      plan(recipeOf()),
      plan(recipeOf({ trainer: { batchSize: 64 } })),
    ]);
    const trained = (work: RunWork) => flops(phase(work.batch, "micro-batch"));
    expect(trained(large)).toBeCloseTo(4 * trained(small), -2);
    const [two, kl, again] = await Promise.all([
      plan(recipeOf({ trainer: { minibatches: 2 } })),
      plan(recipeOf({ trainer: { loss: "grpo", klBeta: 0.04 } })),
      plan(recipeOf({ trainer: { oldLogprobs: "recompute" } })),
    ]);
    expect(phase(two.batch, "optimiser step").times).toBe(2);
    expect(trained(kl)).toBeGreaterThan(1.25 * trained(small));
    expect(trained(again)).toBeGreaterThan(1.25 * trained(small));
    expect(phase(again.batch, "micro-batch").returns).toBe(1);
  });

  it("knows a run without evaluation, and one with adapters", async () => {
    const none = recipeOf();
    none.evaluation.problems = 0;
    expect((await plan(none)).evaluation).toEqual([]);
    const { batch } = await plan(recipeOf({ trainer: { lora: { rank: 8 } } }));
    expect(jobs(phase(batch, "decode step"), "lora_expand_vec4").length).toBeGreaterThan(0);
    // Of the adapters alone: 8 rows for each matrix of a fused one.
    for (const { dims } of jobs(phase(batch, "micro-batch"), "linear_backward_weight_vec4"))
      expect([8, 16, 24]).toContain(Math.min(dims.outputs, dims.inputs));
  });

  it("counts pipelines: the self-test's, the trainer's, those of each generator", async () => {
    const untested = recipeOf({ gpu: { selfTest: false } });
    const [tested, bare, more] = await Promise.all([
      plan(recipeOf()),
      plan(untested),
      plan({ ...untested, generator: { ...untested.generator, workers: 2 } }),
    ]);
    expect(bare.start.returns).toBe(0);
    expect(tested.start.returns).toBeGreaterThan(40);
    expect(tested.start.pipelines).toBeGreaterThan(bare.start.pipelines);
    expect(more.start.pipelines).toBeGreaterThan(bare.start.pipelines + 15);
  });

  it("cuts what a slow device would take too long for", async () => {
    const whole = phase((await plan(recipeOf())).batch, "micro-batch");
    const cut = phase((await plan(recipeOf(), 1e6)).batch, "micro-batch");
    expect(flops(cut)).toBeCloseTo(flops(whole), -2);
    const count = ({ jobs }: Phase) => jobs.reduce((sum, one) => sum + one.count, 0);
    expect(count(cut)).toBeGreaterThan(count(whole) + 20);
    const { batch } = await plan(
      recipeOf({ generator: { concurrency: 128 }, trainer: { batchSize: 128 } }),
      1e5,
    );
    const parts = jobs(phase(batch, "decode step"), "decode_attention");
    const firstRows = parts.map(({ contents }) => contents[1]?.[0]);
    expect(parts.map(({ dims }) => dims.rows)).toEqual([64, parts[1].dims.rows]);
    expect(firstRows, "each reads on where the one before it ended").toEqual([0, 64]);
  });
});

describe("decoding()", () => {
  it("takes as many steps as the longest completion where all run side by side, with the rows that are left", () => {
    expect(decoding({ completions: 64, maxTokens: 24 }, 64, 1)).toEqual({ steps: 23, rows: 33 });
  });

  it("fills freed rows with what waits", () => {
    const { steps, rows } = decoding({ completions: 640, maxTokens: 24 }, 64, 1);
    expect(steps).toBe(9 * 12 + 23);
    expect(rows).toBe(Math.round((640 * 12) / steps));
  });

  it("computes a row to the end of its chunk", () => {
    const { steps, rows } = decoding({ completions: 64, maxTokens: 24 }, 64, 5);
    expect([steps, rows]).toEqual([23, Math.round((64 * 14) / 23)]);
    expect(decoding({ completions: 64, maxTokens: 24 }, 64, 30).rows, "there are no more").toBe(64);
  });
});
