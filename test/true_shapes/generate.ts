/**
 * Generation at a true shape: `generate.ts FOLDER [ROWS [TOKENS [CHUNKS]]]`, after `make.py NAME FOLDER`. Loads the weights as a
 * generator's worker does, decodes ROWS sequences (64) of TOKENS tokens (1,024), groups of eight sharing a prompt of 300, and
 * says what that took: memory beside the GPU's while loading, the plan against what was allocated, the mean time of a submit.
 * With CHUNKS it stops after so many chunks of eight steps. Run by hand under Deno: CONTRIBUTING.md.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { parseRecipe } from "../../src/config/parse.ts";
import { loadModelText, openModelFolder } from "../../src/data/source.ts";
import { modelWeights } from "../../src/data/weights_handle.ts";
import type { PromptGroup } from "../../src/generator/api.ts";
import { GeneratorEngine } from "../../src/generator/engine.ts";
import { mib, openGpu } from "../../src/gpu/device.ts";
import { tensorNames } from "../../src/model/config.ts";
import { planMemory } from "../../src/planner/plan.ts";

const PROMPT = 300;
const GROUP = 8;

/** Kilobytes of the process that /proc names, as bytes. */
function memory(field: "VmRSS" | "VmHWM"): number {
  const found = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync("/proc/self/status", "utf8"));
  return 1024 * Number(found?.[1]);
}

const [folder, rows = "64", length = "1024", most = "Infinity"] = process.argv.slice(2);
if (!folder) throw new RangeError("Cannot generate: the words `FOLDER [ROWS [TOKENS [CHUNKS]]]` are needed");
const [concurrency, maxSequence] = [Number(rows), Number(length)];
const model = await loadModelText(await openModelFolder(folder));
const { config } = model;
const gpu = await openGpu({ label: "generate" });
const precision = "f16" as const;
const options = { config, concurrency, maxSequence, decodeChunk: 8, recomputeCache: false, eosIds: [] };
const engine = await GeneratorEngine.create(gpu, { ...options, precision, cachePrecision: precision });
const plan = planMemory(
  parseRecipe({
    model: folder,
    task: { name: "chain_sum" },
    generator: { concurrency, dtype: precision, cacheDtype: precision, decodeChunk: options.decodeChunk },
    trainer: { lora: { rank: 8 }, microBatchTokens: 1024 },
  }),
  config,
  { maxSequence, limits: gpu.device.limits },
);
const cache = plan.generator.find(({ what }) => what === "key/value cache")?.bytes ?? 0;
const planned = plan.generator.reduce((sum, { bytes }) => sum + bytes, 0);
console.log(
  `${gpu.adapterName}: ${mib(gpu.allocatedBytes)} allocated, ${mib(planned)} planned with adapters, of it ${mib(cache)} cache`,
);

const before = memory("VmRSS");
const loading = performance.now();
await engine.load(await modelWeights(model), 0);
const seconds = (performance.now() - loading) / 1000;
const tensors = tensorNames(config).map(({ shape }) => shape.reduce((product, size) => product * size, 2));
const weights = tensors.reduce((sum, bytes) => sum + bytes, 0);
const beside = memory("VmHWM") - before - weights;
console.log(
  `loaded ${mib(weights)} in ${seconds.toFixed(1)} s; the process grew by ${mib(beside)} more, largest tensor ${mib(Math.max(...tensors))}`,
);

const { queue } = gpu.device;
const submit = queue.submit.bind(queue);
let submits = 0;
// Deno learns that a submit is done only when somebody asks, so no single one can be timed from here.
queue.submit = (buffers) => {
  submits++;
  submit(buffers);
};
const groups: PromptGroup[] = Array.from({ length: concurrency / GROUP }, (_, groupId) => ({
  groupId,
  problemId: `${groupId}`,
  taskId: "true shapes",
  promptTokens: Uint32Array.from(
    { length: PROMPT },
    (_, i) => (i * 7919 + groupId * 104729) % config.vocabSize,
  ),
  rolloutIds: Uint32Array.from({ length: GROUP }, (_, i) => groupId * GROUP + i),
  sampling: { temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: maxSequence - PROMPT, seed: 1 },
}));
engine.admit(groups);
const began = performance.now();
let chunks = 0;
while (engine.busy && chunks < Number(most)) {
  await engine.advance();
  if (chunks++ % 8 === 0) {
    const spent = performance.now() - began;
    console.log(
      `chunk ${chunks}: ${(spent / 1000).toFixed(0)} s, ${submits} submits of ${(spent / submits).toFixed(0)} ms in the mean; ${mib(gpu.allocatedBytes)} allocated`,
    );
  }
}
const tokens = engine.report.generatedTokens;
const passed = (performance.now() - began) / 1000;
console.log(`${tokens} tokens in ${passed.toFixed(0)} s, ${(tokens / passed).toFixed(1)} a second`);
engine[Symbol.dispose]();
gpu.destroy();
