/**
 * One whole GRPO step on a checkpoint of true shapes, written down for `gradients.py` to recompute: `gradients.ts NAME
 * FOLDER [full]`. The real stages take part: the generator completes 2 prompts twice with 16 tokens, the verifier runs a
 * reward module, the trainer forms the gradient of adapters (of every parameter with `full`) and takes the step. Run by
 * hand under Deno: CONTRIBUTING.md.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { loraSettings } from "../../src/config/lora.ts";
import { parseRecipe } from "../../src/config/parse.ts";
import type { Recipe } from "../../src/config/schema.ts";
import { loadModelText, openModelFolder } from "../../src/data/source.ts";
import { modelWeights } from "../../src/data/weights_handle.ts";
import { GeneratorEngine } from "../../src/generator/engine.ts";
import { openGpu } from "../../src/gpu/device.ts";
import { type AdapterSettings, adapterScale } from "../../src/model/adapters/config.ts";
import { freshAdapters } from "../../src/model/adapters/init.ts";
import { layoutAdapters } from "../../src/model/adapters/layout.ts";
import type { ModelConfig } from "../../src/model/config.ts";
import { packTensors, unpackTensors } from "../../src/model/layout.ts";
import { type WritableTensor, writeSafetensors } from "../../src/model/safetensors.ts";
import { randomStream } from "../../src/random.ts";
import type { PromptTokens, RewardedGroup, Rollout } from "../../src/rollout.ts";
import { makeTask } from "../../src/tasks/registry.ts";
import { loadChatTemplate } from "../../src/text/chat_template.ts";
import { encodePrompt } from "../../src/text/prompt_tokens.ts";
import { loadTokenizer, type Tokenizer } from "../../src/text/tokenizer.ts";
import { buildTrainingBatch, type TrainingBatch } from "../../src/trainer/batch.ts";
import { TrainerEngine } from "../../src/trainer/engine.ts";
import { batchObjective } from "../../src/trainer/losses/registry.ts";
import { VerifierPool } from "../../src/verifier/pool.ts";

const PROMPTS = 2;

function stepRecipe(model: string, rank: number): Recipe {
  return parseRecipe({
    name: "step",
    seed: 4,
    steps: 1,
    model,
    task: { name: "chain_sum", options: {} },
    generator: { concurrency: 4, maxTokens: 16, decodeChunk: 8, temperature: 0.9 },
    verifier: {
      rewards: ["letters"],
      rewardModule: fileURLToPath(new URL("reward.js", import.meta.url)),
      timeoutMs: 10_000,
    },
    // Two micro-batches, so that gradients are summed over submits as in a real step.
    trainer: {
      lora: { rank },
      ...{ groupSize: 2, batchSize: 4, microBatchTokens: 64, learningRate: 1e-4, warmupSteps: 0 },
    },
    evaluation: { problems: 0 },
  });
}

/** Adapters as after some training: were B zero, as it begins, A would have no gradient. */
function usedAdapters(config: ModelConfig, settings: AdapterSettings, seed: number) {
  const adapters = freshAdapters(config, settings, seed);
  const random = randomStream(seed, 77);
  for (const [name, { data }] of adapters)
    if (name.endsWith(".lora_B.weight"))
      for (let i = 0; i < data.length; i++) data[i] = 0.03 * (2 * random.unit() - 1);
  return adapters;
}

async function generate(engine: GeneratorEngine, prompts: readonly PromptTokens[], recipe: Recipe) {
  const { temperature, maxTokens, topK, topP, minP } = recipe.generator;
  engine.admit(
    prompts.map(({ problem, tokens }, groupId) => ({
      groupId,
      problemId: problem.id,
      taskId: problem.taskId,
      promptTokens: tokens,
      rolloutIds: Uint32Array.of(2 * groupId, 2 * groupId + 1),
      sampling: { temperature, topK, topP, minP, maxTokens, seed: recipe.seed },
    })),
  );
  const groups: Rollout[][] = prompts.map(() => []);
  while (engine.busy) for (const rollout of await engine.advance()) groups[rollout.groupId].push(rollout);
  return groups.map((rollouts) => rollouts.sort((a, b) => a.id - b.id));
}

async function rewarded(
  prompts: readonly PromptTokens[],
  groups: readonly Rollout[][],
  { verifier }: Recipe,
  tokenizer: Tokenizer,
): Promise<RewardedGroup[]> {
  using pool = await VerifierPool.create({ workers: 1, options: verifier });
  const score = (rollouts: Rollout[], k: number) => {
    const texts = rollouts.map(({ completionTokens }) => tokenizer.decode(completionTokens));
    return pool.score({ problem: prompts[k].problem, rollouts, completions: texts }, { global_step: 0 });
  };
  return await Promise.all(groups.map(score));
}

/** The batch as tensors that the Python side reads. */
function batchTensors(batch: TrainingBatch): Record<string, WritableTensor> {
  const ints = (data: Uint32Array): WritableTensor => ({
    dtype: "I32",
    shape: [data.length],
    data: Int32Array.from(data),
  });
  const floats = (data: Float32Array | Float64Array): WritableTensor => ({
    dtype: data instanceof Float32Array ? "F32" : "F64",
    shape: [data.length],
    data,
  });
  return {
    tokens: ints(batch.tokens),
    offsets: ints(batch.offsets),
    completion_offsets: ints(batch.completionOffsets),
    groups: ints(batch.groups),
    generator_logprobs: floats(batch.generatorLogprobs),
    rewards: floats(batch.rewards),
    temperatures: floats(batch.temperatures),
    advantages: floats(batch.advantages),
    token_weights: floats(batch.tokenWeights),
  };
}

const [name, folder, form = "adapters"] = process.argv.slice(2);
if (!folder)
  throw new RangeError("Cannot take a step: the words `NAME FOLDER` are needed, as make.py had them");
const recipe = stepRecipe(folder, form === "full" ? 0 : 8);
const { seed, generator: g, trainer: t } = recipe;
const model = await loadModelText(await openModelFolder(folder));
const { config } = model;
const tokenizer = await loadTokenizer(model);
const encoder = { tokenizer, template: await loadChatTemplate(model) };
const task = makeTask("chain_sum", {}, seed);
const prompts = Array.from({ length: PROMPTS }, (_, k) => encodePrompt(task.sample(k), encoder));
const maxSequence = Math.max(...prompts.map(({ tokens }) => tokens.length)) + g.maxTokens;
const settings = loraSettings(t.lora);
const adapters = settings ? usedAdapters(config, settings, seed) : null;
const packed =
  settings && adapters
    ? (packTensors(layoutAdapters(config, settings), adapters) as Float32Array<ArrayBuffer>[])
    : [];
const gpu = await openGpu({ label: "step", baseOnly: true });
const weights = await modelWeights(model);

async function complete(): Promise<Rollout[][]> {
  const { concurrency, decodeChunk, recomputeCache } = g;
  // Random weights end a text by chance alone: every completion has all its tokens.
  const options = { config, concurrency, maxSequence, decodeChunk, recomputeCache, eosIds: [] };
  using engine = await GeneratorEngine.create(gpu, { ...options, adapters: settings });
  await engine.load(weights, 0);
  if (adapters) engine.setWeights(packed, 0);
  return await generate(engine, prompts, recipe);
}

const groups = await rewarded(prompts, await complete(), recipe, tokenizer);
for (const { reward, completion } of groups.flatMap(({ rollouts }) => rollouts))
  console.log(`reward ${reward?.toFixed(3)}: ${JSON.stringify(completion)}`);
const batch = buildTrainingBatch(groups, batchObjective(recipe));

using engine = await TrainerEngine.create(gpu, { recipe, config, maxSequence });
await engine.load({
  model: weights,
  state: { step: 0, weights: packed, firstMoments: [], secondMoments: [] },
});
const { policy } = engine;
engine.accumulate(batch, batch.generatorLogprobs);
const gradients = unpackTensors(policy.gradients.layout, await policy.gradients.read(gpu));
policy.gradients.clear(policy.recorder);
const { metrics } = await engine.step(batch);
console.log(`${name}: one step of ${metrics.learning_rate}, gradient norm ${metrics.grad_norm}`);

const written = batchTensors(batch);
const bare = (tensor: string) => tensor.replace(/^base_model\.model\./, "");
for (const [tensor, { data, shape }] of adapters ?? [])
  written[`adapter.${bare(tensor)}`] = { dtype: "F32", shape, data };
for (const [tensor, { data, shape }] of gradients)
  written[`gradient.${bare(tensor)}`] = { dtype: "F32", shape, data };
const metadata = {
  epsilon_low: `${t.epsilonLow}`,
  epsilon_high: `${t.epsilonHigh}`,
  grad_norm: `${metrics.grad_norm}`,
  scale: `${settings ? adapterScale(settings) : 0}`,
};
writeFileSync(join(folder, "..", `${name}-step.safetensors`), writeSafetensors(written, metadata));
gpu.destroy();
