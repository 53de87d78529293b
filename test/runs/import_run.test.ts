import { strFromU8, strToU8, unzipSync, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { loadModelFiles, openModelMemory } from "../../src/data/source.ts";
import { freshAdapters } from "../../src/model/adapters/init.ts";
import { adapterFolderFiles } from "../../src/model/adapters/peft.ts";
import { parseModelConfig } from "../../src/model/config.ts";
import { latestCheckpoint, writeCheckpoint } from "../../src/runs/checkpoint.ts";
import { exportCheckpoint, exportRun } from "../../src/runs/export_run.ts";
import { importZip } from "../../src/runs/import_run.ts";
import { readRecordedRun } from "../../src/runs/recorded_run.ts";
import { openRun } from "../../src/runs/run_directory.ts";
import { listStoredModels } from "../../src/runs/stored_runs.ts";
import { memoryFiles, TINY_CONFIG } from "./memory_files.ts";
import { saveStep, storeRun } from "./stored_run.ts";

type Files = Record<string, Uint8Array>;
const unpack = async (zip: Blob): Promise<Files> => unzipSync(new Uint8Array(await zip.arrayBuffer()));
const pack = (files: Files) => new Blob([zipSync(files) as Uint8Array<ArrayBuffer>]);

describe("a run's zip", () => {
  it("comes back as a run that can be shown and gone on with, under a name of its own", async () => {
    const memory = memoryFiles();
    const run = await storeRun(memory, "first", { steps: 3, saved: [1, 3] });
    await run.writeSummary({ steps: 3 });
    const zip = await exportRun("first", memory.open("runs/first"));
    expect(await importZip(zip, "whatever (1).zip", memory.open)).toEqual({ kind: "run", name: "first-2" });
    const copy = memory.open("runs/first-2");
    const [there, here] = [await readRecordedRun(run, "x"), await readRecordedRun(await openRun(copy), "x")];
    expect(here).toEqual(there);
    const found = await latestCheckpoint(copy);
    expect(found?.state.step).toBe(3);
    for (const [path, bytes] of memory.files)
      if (path.startsWith("runs/first/"))
        expect(memory.files.get(path.replace("first", "first-2"))).toEqual(bytes);
  });

  it("holds whole checkpoints alone, under their settled names", async () => {
    const memory = memoryFiles();
    const run = await storeRun(memory, "run", { steps: 3, saved: [2, 3] });
    memory.files.delete("runs/run/checkpoints/step-000003/model.safetensors");
    // Beside the damaged one of the same step.
    await saveStep(run, 3);
    memory.files.delete("runs/run/checkpoints/step-000002/state.json");
    const files = Object.keys(await unpack(await exportRun("run", memory.open("runs/run"))));
    expect(files.filter((name) => name.endsWith("state.json"))).toEqual([
      "run/checkpoints/step-000003/state.json",
    ]);
    expect(files.filter((name) => name.includes("step-000002"))).toEqual([]);
  });

  it("is refused whole where a part is damaged, and leaves nothing behind", async () => {
    const memory = memoryFiles();
    await storeRun(memory, "run");
    const files = await unpack(await exportRun("run", memory.open("runs/run")));
    const refused = async (change: Files, code: string) => {
      const before = [...memory.files.keys()];
      await expect(importZip(pack({ ...files, ...change }), "run.zip", memory.open)).rejects.toMatchObject({
        code,
      });
      expect([...memory.files.keys()]).toEqual(before);
    };
    await refused({ "run/recipe.json": strToU8("{") }, "import/bad-recipe");
    await refused({ "run/recipe.json": strToU8('{"stepz": 3}') }, "config/unknown-key");
    await refused({ "run/metrics.ndjson": strToU8('{"step":1}\nnonsense\n{"step":2}\n') }, "import/bad-row");
    await refused(
      { "run/checkpoints/step-000002/model.safetensors": strToU8("cut") },
      "import/no-checkpoint",
    );
  });

  it("takes nothing that has no place in a run, and no path out of its folder", async () => {
    const memory = memoryFiles();
    await storeRun(memory, "run");
    const files = await unpack(await exportRun("run", memory.open("runs/run")));
    const more = {
      "run/evil.js": strToU8("x"),
      "run/../../escape.json": strToU8("x"),
      "run/checkpoints/../../x.json": strToU8("x"),
      "__MACOSX/run/._recipe.json": strToU8("x"),
      "run/.DS_Store": strToU8("x"),
    };
    await importZip(pack({ ...files, ...more }), "run.zip", memory.open);
    const added = [...memory.files.keys()].filter((path) => !path.startsWith("runs/run/"));
    expect(added.map((path) => path.replace("runs/run-2/", "")).sort()).toEqual(
      Object.keys(files)
        .map((name) => name.slice("run/".length))
        .sort(),
    );
  });
});

describe("a checkpoint's zip", () => {
  it("is a model's folder without moments and state, and comes back as a model", async () => {
    const memory = memoryFiles();
    await storeRun(memory, "run", { steps: 3, saved: [1, 3] });
    const zip = await exportCheckpoint("run", memory.open("runs/run"));
    const files = await unpack(zip);
    expect(Object.keys(files).sort()).toEqual(
      [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
      ].map((name) => `run-step-3/${name}`),
    );
    expect(await importZip(zip, "x.zip", memory.open)).toEqual({ kind: "model", name: "run-step-3" });
    const stored = Object.fromEntries(
      [...memory.files]
        .filter(([path]) => path.startsWith("models/run-step-3/"))
        .map(([path, bytes]) => [path.split("/")[2], bytes]),
    );
    const { tensors } = await loadModelFiles(openModelMemory(stored));
    expect(tensors.get("model.norm.weight")?.data).toEqual(new Float32Array(4).fill(3));
  });

  it("is refused where none was saved, and where the weights are not those that were saved", async () => {
    const memory = memoryFiles();
    await storeRun(memory, "early", { saved: [] });
    await expect(exportCheckpoint("early", memory.open("runs/early"))).rejects.toMatchObject({
      code: "runs/no-checkpoint",
    });
    await storeRun(memory, "run");
    const weights = memory.files.get("runs/run/checkpoints/step-000002/model.safetensors")!;
    weights[weights.length - 1] ^= 1;
    await expect(exportCheckpoint("run", memory.open("runs/run"))).rejects.toMatchObject({
      code: "runs/damaged",
    });
  });

  it("must be a model that can be trained", async () => {
    const memory = memoryFiles();
    await storeRun(memory, "run");
    const files = await unpack(await exportCheckpoint("run", memory.open("runs/run")));
    const without = (name: string) =>
      Object.fromEntries(Object.entries(files).filter(([path]) => !path.endsWith(`/${name}`)));
    const refused = (broken: Files, code: string) =>
      expect(importZip(pack(broken), "x.zip", memory.open)).rejects.toMatchObject({ code });
    await refused(without("model.safetensors"), "model/missing-file");
    await refused(without("config.json"), "import/unknown");
    await refused({ ...files, "run-step-2/config.json": strToU8("[]") }, "model/bad-json");
    await expect(importZip(pack(without("tokenizer.json")), "x.zip", memory.open)).rejects.toMatchObject({
      name: "DataError",
    });
    expect([...memory.files.keys()].filter((path) => path.startsWith("models/"))).toEqual([]);
  });

  it("is told from zips of anything else", async () => {
    const memory = memoryFiles();
    const photos = pack({ "photos/1.jpg": strToU8("x"), "photos/recipe.txt": strToU8("x") });
    await expect(importZip(photos, "photos.zip", memory.open)).rejects.toMatchObject({
      code: "import/unknown",
    });
    await expect(importZip(pack({}), "empty.zip", memory.open)).rejects.toMatchObject({
      code: "import/unknown",
    });
  });
});

describe("a zip of adapters", () => {
  const settings = { rank: 2, alpha: 4, targets: ["v_proj"] as const };
  const folder = (baseModel: string | null): Files => {
    const tensors = freshAdapters(parseModelConfig(TINY_CONFIG), settings, 1);
    return { ...adapterFolderFiles({ settings, tensors, baseModel, revision: null }) };
  };
  const within = (name: string, files: Files): Files =>
    Object.fromEntries(Object.entries(files).map(([file, bytes]) => [`${name}/${file}`, bytes]));

  it("is what a checkpoint of adapters is downloaded as, and comes back as a model that is listed", async () => {
    const memory = memoryFiles();
    const run = await storeRun(memory, "run", { saved: [] });
    const moments = { m: new Map(), v: new Map() };
    const state = { step: 4, weightVersion: 4, optimizerStep: 4, dataCursor: 0, inFlight: [], random: {} };
    await writeCheckpoint(run.storage, {
      state: { ...state, recipeHash: run.recipeHash },
      moments,
      modelFiles: { ...folder("builtin:chain-sum"), "tokenizer.json": strToU8("{}") },
    });
    const zip = await exportCheckpoint("run", memory.open("runs/run"));
    expect(Object.keys(await unpack(zip)).sort()).toEqual(
      ["adapter_config.json", "adapter_model.safetensors", "tokenizer.json"].map(
        (name) => `run-step-4/${name}`,
      ),
    );
    expect(await importZip(zip, "x.zip", memory.open)).toEqual({ kind: "model", name: "run-step-4" });
    expect(await listStoredModels(memory.open)).toEqual(["run-step-4"]);
    const whole = await exportRun("run", memory.open("runs/run"));
    expect(await importZip(whole, "x.zip", memory.open)).toEqual({ kind: "run", name: "run-2" });
    const found = await latestCheckpoint(memory.open("runs/run-2"));
    expect(found?.state.step).toBe(4);
  });

  it("must be adapters that say what they belong to and that are whole", async () => {
    const memory = memoryFiles();
    const refused = (files: Files, code: string) =>
      expect(importZip(pack(within("a", files)), "a.zip", memory.open)).rejects.toMatchObject({ code });
    const files = folder("owner/name");
    const { "adapter_model.safetensors": _, ...bare } = files;
    await refused(bare, "model/missing-file");
    await refused(folder(null), "adapter/no-base");
    await refused({ ...files, "adapter_config.json": strToU8("{") }, "model/bad-json");
    await refused({ ...files, "adapter_model.safetensors": strToU8("cut") }, "safetensors/damaged");
    const dora = JSON.parse(strFromU8(files["adapter_config.json"]));
    await refused(
      { ...files, "adapter_config.json": strToU8(JSON.stringify({ ...dora, use_dora: true })) },
      "adapter/unsupported",
    );
    expect([...memory.files.keys()]).toEqual([]);
  });
});
