import { describe, expect, it } from "vitest";
import { parseRecipe } from "../../../src/config/parse.ts";
import type { Recipe } from "../../../src/config/schema.ts";
import { createRun } from "../../../src/runs/run_directory.ts";
import { earlierSteps } from "../../../src/ui/session/earlier_runs.ts";
import { type MemoryFiles, memoryFiles } from "../../runs/memory_files.ts";

const recipe = parseRecipe({ name: "a", steps: 6 });
const plain = (of: Recipe) => of as unknown as Record<string, unknown>;

async function store({ open }: MemoryFiles, name: string, seconds: number[], of = recipe, adapter = "gpu") {
  const run = await createRun(open(`runs/${name}`), plain(of));
  await run.logMetrics({ event: "ready", adapter, step: 0 });
  for (const [i, step_time] of seconds.entries()) await run.logMetrics({ step: i + 1, step_time });
  await run.logMetrics({ event: "evaluation", step: seconds.length, step_time: 99 });
}

describe("earlierSteps()", () => {
  it("takes the newest run, whatever it was called", async () => {
    const memory = memoryFiles();
    await store(memory, "z-20260101-000000", [1]);
    await store(memory, "a-20260301-000000", [2, 3]);
    await store(memory, "m-20260201-000000", [4]);
    expect(await earlierSteps(memory.open, recipe, "gpu")).toEqual([2, 3]);
  });

  it("looks past other adapters and other work", async () => {
    const memory = memoryFiles();
    await store(memory, "a-20260101-000000", [1, 1]);
    await store(memory, "a-20260102-000000", [2], recipe, "another");
    await store(memory, "a-20260103-000000", [3], parseRecipe({ trainer: { batchSize: 16 } }));
    await store(memory, "a-20260104-000000", [4], parseRecipe({ model: "stored:other" }));
    await store(memory, "a-20260105-000000", []);
    expect(await earlierSteps(memory.open, recipe, "gpu")).toEqual([1, 1]);
    expect(await earlierSteps(memory.open, recipe, "none")).toEqual([]);
  });

  it("does not mind another seed, more steps or another evaluation", async () => {
    const memory = memoryFiles();
    const other = { name: "b", description: "c", steps: 9, seed: 7, evaluation: { problems: 1 } };
    await store(memory, "b-20260101-000000", [5], parseRecipe({ ...other, checkpoint: { every: 2 } }));
    expect(await earlierSteps(memory.open, recipe, "gpu")).toEqual([5]);
  });

  it("leaves out what cannot be read", async () => {
    const memory = memoryFiles();
    await store(memory, "a-20260101-000000", [1]);
    await memory.open("runs/a-20260102-000000").writeFile("recipe.json", new TextEncoder().encode("{"));
    expect(await earlierSteps(memory.open, recipe, "gpu")).toEqual([1]);
    expect(await earlierSteps(memoryFiles().open, recipe, "gpu")).toEqual([]);
  });
});
