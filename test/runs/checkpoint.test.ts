import { describe, expect, it } from "vitest";
import { loadModelFiles, openModelMemory } from "../../src/data/source.ts";
import { DataError } from "../../src/errors.ts";
import { parseModelConfig, tensorNames } from "../../src/model/config.ts";
import {
  type Checkpoint,
  type CheckpointState,
  latestCheckpoint,
  readMoments,
  writeCheckpoint,
} from "../../src/runs/checkpoint.ts";
import { modelFolderFiles } from "../../src/runs/model_folder.ts";
import { Crash, type CrashingStorage, crashingStorage, restarted } from "./crashing_storage.ts";

const config = parseModelConfig({
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: 8,
  hidden_size: 4,
  intermediate_size: 6,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  tie_word_embeddings: true,
  eos_token_id: 2,
});

function checkpointAt(step: number): Checkpoint {
  const tensors = new Map(
    tensorNames(config).map(({ name, shape }) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(step + 0.1);
      return [name, { shape, data }];
    }),
  );
  const moments = {
    m: new Map([["shard 0", Float32Array.of(step, 1e-30)]]),
    v: new Map([["shard 0", Float32Array.of(step * step, 3)]]),
  };
  const state: CheckpointState = {
    step,
    weightVersion: step,
    optimizerStep: step,
    dataCursor: 64 * step,
    inFlight: [64 * step - 1],
    random: { tasks: [1, 2, 3] },
    recipeHash: "0123",
  };
  return {
    state,
    moments,
    modelFiles: modelFolderFiles({ config, tensors, tokenizerJson: { model: step } }),
  };
}

/** Reads a checkpoint back through the loader and checks that all of it is of one step. */
async function expectWhole(storage: CrashingStorage, path: string, step: number): Promise<void> {
  const prefix = `${path}/`;
  const files = [...storage.files].filter(([name]) => name.startsWith(prefix));
  const source = openModelMemory(
    Object.fromEntries(files.map(([name, bytes]) => [name.slice(prefix.length), bytes])),
  );
  const model = await loadModelFiles(source);
  for (const { data } of model.tensors.values()) expect(data[0]).toBe(Math.fround(step + 0.1));
  expect(model.tokenizerJson).toEqual({ model: step });
  const { m, v } = await readMoments(storage, path);
  expect([...(m.get("shard 0") ?? [])]).toEqual([step, Math.fround(1e-30)]);
  expect(v.get("shard 0")?.[0]).toBe(step * step);
}

describe.each([
  ["a disk", true],
  ["a file system that cannot rename folders", false],
])("checkpoints on %s", (_, renamesFolders) => {
  const steps = async (storage: CrashingStorage) =>
    [...new Set((await storage.list("checkpoints")).map((name) => name.slice(0, 11)))].sort();

  it("are read back as they were written", async () => {
    const storage = crashingStorage(renamesFolders);
    expect(await latestCheckpoint(storage)).toBeNull();
    const path = await writeCheckpoint(storage, checkpointAt(30));
    expect(path).toBe("checkpoints/step-000030");
    const found = await latestCheckpoint(storage);
    expect(found).toEqual({ path, state: checkpointAt(30).state, skipped: [] });
    await expectWhole(storage, path, 30);
    expect([...storage.files.keys()].map((file) => file.split("/")[2]).sort()).toEqual([
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "optimizer.safetensors",
      "state.json",
      "tokenizer.json",
    ]);
  });

  it("leave the newest few", async () => {
    const storage = crashingStorage(renamesFolders);
    for (const step of [1, 2, 3, 4]) await writeCheckpoint(storage, checkpointAt(step), { keep: 2 });
    expect(await steps(storage)).toEqual(["step-000003", "step-000004"]);
    await expect(writeCheckpoint(storage, checkpointAt(5), { keep: 0 })).rejects.toThrow(RangeError);
  });

  it("survive a crash at every change", async () => {
    let crashes = 0;
    // The sequence: three steps, then the last one again, as on stopping right after saving.
    const sequence = [1, 2, 3, 3];
    for (const when of ["before", "half", "after"] as const) {
      for (let change = 0; ; change += 1) {
        const storage = crashingStorage(renamesFolders);
        storage.crashAt = { change, when };
        let saved = 0;
        let crashed = false;
        try {
          for (const step of sequence) {
            await writeCheckpoint(storage, checkpointAt(step), { keep: 1 });
            saved = step;
          }
        } catch (error) {
          if (!(error instanceof Crash)) throw error;
          crashed = true;
        }
        if (!crashed) break;
        crashes += 1;
        const survivor = restarted(storage);
        const found = await latestCheckpoint(survivor);
        const label = `${when} change ${change}`;
        if (saved > 0) expect(found, label).not.toBeNull();
        if (found === null) continue;
        expect(found.state.step, label).toBeGreaterThanOrEqual(saved);
        expect(found.skipped, label).toEqual([]);
        await expectWhole(survivor, found.path, found.state.step);
        // And the run goes on from there.
        await writeCheckpoint(survivor, checkpointAt(4), { keep: 1 });
        expect((await latestCheckpoint(survivor))?.state.step).toBe(4);
        expect(await steps(survivor), label).toEqual(["step-000004"]);
      }
    }
    expect(crashes).toBeGreaterThan(90);
  });

  it("survive a crash within the recovery from a crash", async () => {
    const storage = crashingStorage(renamesFolders);
    await writeCheckpoint(storage, checkpointAt(1), { keep: 3 });
    await writeCheckpoint(storage, checkpointAt(2), { keep: 3 });
    // A complete one that was not renamed yet, and the start of another.
    for (const [path, bytes] of [...storage.files]) {
      if (!path.includes("step-000002")) continue;
      storage.files.delete(path);
      storage.files.set(path.replace("step-000002", "step-000002.tmp"), bytes);
    }
    storage.files.set("checkpoints/step-000003.tmp/config.json", new Uint8Array(3));
    for (let change = 0; change < 6; change += 1) {
      const again = restarted(storage);
      again.crashAt = { change, when: "half" };
      await latestCheckpoint(again).catch(() => null);
      const survivor = restarted(again);
      const found = await latestCheckpoint(survivor);
      expect(found?.state.step).toBe(2);
      await expectWhole(survivor, found?.path ?? "", 2);
    }
  });

  it.each([
    ["a flipped bit", (bytes: Uint8Array) => bytes.map((byte, index) => (index === 200 ? byte ^ 1 : byte))],
    ["a cut", (bytes: Uint8Array) => bytes.slice(0, -5)],
    ["a missing file", () => null],
  ])("are passed over with %s, and say why", async (_damage, damage) => {
    const storage = crashingStorage(renamesFolders);
    await writeCheckpoint(storage, checkpointAt(1), { keep: 3 });
    const path = await writeCheckpoint(storage, checkpointAt(2), { keep: 3 });
    const file = `${path}/model.safetensors`;
    const damaged = damage(storage.files.get(file)!);
    if (damaged) storage.files.set(file, damaged);
    else storage.files.delete(file);
    const found = await latestCheckpoint(storage);
    expect(found?.state.step).toBe(1);
    expect(found?.skipped).toEqual([{ path, reason: expect.stringContaining("model.safetensors") }]);
    expect(await storage.exists(path)).toBe(true);
    await writeCheckpoint(storage, checkpointAt(2), { keep: 3 });
    const healed = await latestCheckpoint(storage);
    expect(healed?.state.step).toBe(2);
    await expectWhole(storage, healed?.path ?? "", 2);
  });

  it("lose nothing older when the disk is full", async () => {
    const storage = crashingStorage(renamesFolders);
    await writeCheckpoint(storage, checkpointAt(1));
    const before = [...storage.files.keys()];
    storage.refusal = new DataError("runs/disk-full", "no space is left");
    await expect(writeCheckpoint(storage, checkpointAt(2))).rejects.toMatchObject({ code: "runs/disk-full" });
    expect([...storage.files.keys()]).toEqual(before);
    storage.refusal = null;
    expect((await latestCheckpoint(storage))?.state.step).toBe(1);
  });
});

describe("readMoments()", () => {
  it("says that a checkpoint has none", async () => {
    const storage = crashingStorage();
    const { moments: _moments, ...bare } = checkpointAt(1);
    const path = await writeCheckpoint(storage, bare);
    await expect(readMoments(storage, path)).rejects.toMatchObject({ code: "runs/no-moments" });
  });
});
