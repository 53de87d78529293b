import { describe, expect, it } from "vitest";
import { parseRecipe } from "../src/config/parse.ts";
import type { ModelHandle, ModelText } from "../src/data/source.ts";
import { ADAPTER_CONFIG } from "../src/model/adapters/peft.ts";
import { latestCheckpoint } from "../src/runs/checkpoint.ts";
import { createRun } from "../src/runs/run_directory.ts";
import { trainedLayout } from "../src/trainer/trained.ts";
import { freshStart, readCheckpoint, type SavedRun, saveRun } from "../src/training_checkpoint.ts";
import { config } from "./model_files/checkpoint_files.ts";
import { memoryFiles } from "./runs/memory_files.ts";

const recipeOf = (rank: number, model = "some/model") =>
  parseRecipe({ name: "test", model, task: { name: "chain_sum" }, trainer: { lora: { rank } } });

const folder: ModelHandle = { kind: "folder", where: "m", path: "/models/m", hidden: [] };
const openedFrom = (handle: ModelHandle) => ({ config, source: { handle } }) as unknown as ModelText;

/** Every value different, padding between tensors zero as the trainer has it. */
function trainedFor(rank: number): SavedRun {
  const layout = trainedLayout(recipeOf(rank), config);
  let next = 0;
  const shards = () => {
    const all = layout.shards.map(({ length }) => new Float32Array(length));
    for (const { spans } of layout.tensors)
      for (const { shard, offset, length } of spans)
        all[shard].subarray(offset, offset + length).forEach((_, i, span) => {
          span[i] = ++next;
        });
    return all;
  };
  const optimizer = { step: 7, weights: shards(), firstMoments: shards(), secondMoments: shards() };
  return { ...freshStart(), optimizer, state: { step: 7, nextGroup: 40, inFlight: [38, 39] } };
}

/** Saves a run of that rank and says how to read it again. */
async function save(rank: number, model?: string, handle = folder) {
  const recipe = recipeOf(rank, model);
  const storage = memoryFiles().open("runs/r");
  const run = await createRun(storage, recipe as unknown as Record<string, unknown>);
  const saved = trainedFor(rank);
  const text = openedFrom(handle);
  const path = await saveRun({ recipe, model: text, run }, saved, 9);
  const read = async (as = rank, model = text) =>
    readCheckpoint({ recipe: recipeOf(as), model, run }, (await latestCheckpoint(storage))!);
  return { saved, read, bytes: (name: string) => storage.read(`${path}/${name}`) };
}

describe("saveRun()", () => {
  it.each([
    ["every parameter", 0],
    ["adapters", 3],
  ])("writes what readCheckpoint() reads back, to the bit: %s", async (_what, rank) => {
    const { saved, read, bytes } = await save(rank);
    expect(await read()).toEqual(saved);
    expect((await bytes("config.json")) === null).toBe(rank > 0);
    expect((await bytes(ADAPTER_CONFIG)) === null).toBe(rank === 0);
  });

  it.each<[string, ModelHandle, string, string | null]>([
    ["owner/name", folder, "owner/name", null],
    ["owner/name@abc", folder, "owner/name", "abc"],
    ["/here/model", folder, "/here/model", null],
    ["builtin:chain-sum", folder, "/models/m", null],
    ["builtin:chain-sum", { kind: "address", address: "https://x/" }, "builtin:chain-sum", null],
  ])("names the model of adapters as other programs find it: %s", async (model, handle, name, revision) => {
    const { bytes } = await save(2, model, handle);
    const written = JSON.parse(new TextDecoder().decode((await bytes(ADAPTER_CONFIG))!));
    expect(written).toMatchObject({ base_model_name_or_path: name, revision });
  });
});

describe("readCheckpoint()", () => {
  it.each([
    [3, 0, "with every parameter: it holds adapters of rank 3, alpha 6, q_proj"],
    [3, 4, "with adapters of rank 4, alpha 8, q_proj"],
    [0, 3, "down_proj: it holds every parameter"],
  ])("refuses what was trained with rank %i for a run of rank %i", async (rank, as, message) => {
    const { read } = await save(rank);
    await expect(read(as)).rejects.toMatchObject({ code: "config/contradiction" });
    await expect(read(as)).rejects.toThrow(message);
  });

  it("refuses a model of other shapes than the weights that were saved", async () => {
    const { read } = await save(0);
    const deeper = { ...openedFrom(folder), config: { ...config, layers: config.layers + 1 } };
    await expect(read(0, deeper)).rejects.toMatchObject({
      code: "config/contradiction",
      message: expect.stringContaining(`its layers is ${config.layers}, that of`),
    });
  });
});
