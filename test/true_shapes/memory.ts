/**
 * Planned against allocated memory for six real configurations on this machine's adapter, as a Markdown table: `memory.ts
 * [NAME ...]`. Weights are zeros where they come to lie, which takes the same room; a trainer publishes and takes one short
 * step, a generator decodes one chunk. One device at a time. Run by hand under Deno: CONTRIBUTING.md.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseRecipe } from "../../src/config/parse.ts";
import { mergeLayers } from "../../src/config/resolve.ts";
import { type ModelConfig, parseModelConfig } from "../../src/model/config.ts";
import { planMemory } from "../../src/planner/plan.ts";
import { generatorAllocates, trainerAllocates } from "../planner/allocated.ts";

type Settings = Record<string, unknown>;

const read = (path: string): Settings =>
  JSON.parse(readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8")) as Settings;
const models = read("models.json") as Record<string, { config: Settings }>;

interface Configuration {
  model: string;
  settings: Settings;
  maxSequence: number;
}

const short = {
  generator: { concurrency: 16, maxTokens: 256, decodeChunk: 8 },
  trainer: { groupSize: 2, batchSize: 4, microBatchTokens: 512 },
};
const builtin = { model: "chain-sum", maxSequence: 40 };
const byDefault = {
  generator: { concurrency: 256, maxTokens: 24, decodeChunk: 4 },
  trainer: { groupSize: 8, batchSize: 256 },
};

const configurations: Record<string, Configuration> = {
  "built-in policy, full": { ...builtin, settings: byDefault },
  "built-in policy, LoRA 8": {
    ...builtin,
    settings: mergeLayers(byDefault, { trainer: { lora: { rank: 8 } } }),
  },
  "SmolLM2-135M, full, recompute": {
    model: "SmolLM2-135M",
    settings: mergeLayers(short, { trainer: { recompute: true } }),
    maxSequence: 512,
  },
  "SmolLM2-135M, LoRA 16": {
    model: "SmolLM2-135M",
    settings: mergeLayers(short, { trainer: { lora: { rank: 16 } } }),
    maxSequence: 512,
  },
  "Qwen2.5-0.5B, LoRA 16, generator f16": {
    model: "Qwen2.5-0.5B",
    settings: mergeLayers(short, {
      trainer: { lora: { rank: 16 }, recompute: true },
      generator: { dtype: "f16", cacheDtype: "f16" },
    }),
    maxSequence: 512,
  },
  "Qwen3-0.6B, LoRA 16, all f16": {
    model: "Qwen3-0.6B",
    settings: mergeLayers(short, {
      trainer: { lora: { rank: 16 }, frozenDtype: "f16", recompute: true },
      generator: { dtype: "f16", cacheDtype: "f16" },
    }),
    maxSequence: 512,
  },
};

const configOf = (model: string): ModelConfig =>
  parseModelConfig(models[model]?.config ?? read("../../public/models/chain-sum/config.json"));

const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1);

const wanted = process.argv.slice(2);
console.log("| configuration | trainer planned | allocated | generator planned | allocated | difference |");
console.log("| --- | ---: | ---: | ---: | ---: | ---: |");
for (const [name, { model, settings, maxSequence }] of Object.entries(configurations)) {
  if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
  const recipe = parseRecipe(mergeLayers({ name: "memory", model: "builtin:chain-sum" }, settings));
  const run = { recipe, config: configOf(model), maxSequence, completion: 2, rows: 1 };
  const plan = planMemory(recipe, run.config, { maxSequence });
  const trainer = await trainerAllocates(run);
  const generator = await generatorAllocates(run);
  const off = (trainer + generator) / plan.totalBytes - 1;
  if (Math.abs(off) > 0.1) process.exitCode = 1;
  const cells = [plan.trainerBytes, trainer, plan.generatorBytes, generator].map(
    (bytes) => `${mib(bytes)} MiB`,
  );
  console.log(`| ${name} | ${cells.join(" | ")} | ${(100 * Math.abs(off)).toFixed(3)} % |`);
}
