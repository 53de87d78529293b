/** A run as training leaves it, on storage in memory. */
import { readFileSync } from "node:fs";
import { parseRecipe } from "../../src/config/parse.ts";
import { parseModelConfig, tensorNames } from "../../src/model/config.ts";
import { writeCheckpoint } from "../../src/runs/checkpoint.ts";
import { modelFolderFiles } from "../../src/runs/model_folder.ts";
import { createRun, type RunDirectory } from "../../src/runs/run_directory.ts";
import { type MemoryFiles, TINY_CONFIG } from "./memory_files.ts";

const tokenizerJson = JSON.parse(
  readFileSync(new URL("../../public/models/chain-sum/tokenizer.json", import.meta.url), "utf8"),
) as unknown;
const tokenizerConfig = JSON.parse(
  readFileSync(new URL("../../public/models/chain-sum/tokenizer_config.json", import.meta.url), "utf8"),
) as Record<string, unknown>;

export const TINY_RECIPE = parseRecipe({ name: "tiny", steps: 6 }) as unknown as Record<string, unknown>;

/** Weights that tell their step. */
export async function saveStep(run: RunDirectory, step: number): Promise<void> {
  // As many tokens as the tokenizer has.
  const config = parseModelConfig({ ...TINY_CONFIG, vocab_size: 28 });
  const tensors = new Map(
    tensorNames(config).map(({ name, shape }) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(step);
      return [name, { shape, data }];
    }),
  );
  await writeCheckpoint(run.storage, {
    state: {
      step,
      weightVersion: step,
      optimizerStep: step,
      dataCursor: 8 * step,
      inFlight: [],
      random: { seed: 0 },
      recipeHash: run.recipeHash,
    },
    moments: { m: new Map([["a", Float32Array.of(step)]]), v: new Map([["a", Float32Array.of(step)]]) },
    modelFiles: modelFolderFiles({ config, tensors, tokenizerJson, tokenizerConfig }),
  });
}

/** A run of `steps` steps with a checkpoint at each of `saved`. */
export async function storeRun(
  { open }: MemoryFiles,
  name: string,
  { steps = 3, saved = [2] }: { steps?: number; saved?: number[] } = {},
): Promise<RunDirectory> {
  const run = await createRun(open(`runs/${name}`), TINY_RECIPE);
  await run.logMetrics({ event: "ready", adapter: "test", step: 0 });
  for (let step = 1; step <= steps; step++) {
    await run.logMetrics({ step, reward: step / 10 });
    await run.logRollouts([{ step, group: step, id: step, completion: `answer ${step}`, tokens: 2 }]);
    if (saved.includes(step)) await saveStep(run, step);
  }
  return run;
}
