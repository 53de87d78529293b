import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { exportCheckpoint, exportRun } from "../../../src/runs/export_run.ts";
import { importZip } from "../../../src/runs/import_run.ts";
import { openOpfsStorage } from "../../../src/runs/opfs.ts";
import { listStoredModels, listStoredRuns } from "../../../src/runs/stored_runs.ts";
import { holdRun, holdUpload, runsInUse } from "../../../src/ui/session/run_lock.ts";
import { sweepUnfinished } from "../../../src/ui/session/sweep.ts";
import { memoryFiles } from "../../runs/memory_files.ts";
import { type PrivateFiles, stubPrivateFiles } from "../../runs/private_files.ts";
import { storeRun } from "../../runs/stored_run.ts";
import { fakeLocks } from "./fake_locks.ts";

const open = openOpfsStorage;
const write = (path: string, text = "x") => {
  const [parent, name, ...rest] = path.split("/");
  return open(`${parent}/${name}`).writeFile(rest.join("/"), new TextEncoder().encode(text));
};

let files: PrivateFiles;
beforeEach(() => {
  files = stubPrivateFiles({ locks: fakeLocks() });
});
afterEach(() => vi.unstubAllGlobals());

/** Zips of a run and of its checkpoint. */
async function zips(): Promise<{ run: Blob; model: Blob }> {
  const memory = memoryFiles();
  await storeRun(memory, "given", { steps: 3, saved: [3] });
  const storage = memory.open("runs/given");
  return { run: await exportRun("given", storage), model: await exportCheckpoint("given", storage) };
}

describe("sweepUnfinished()", () => {
  it("removes what has not become a run or a model, and leaves what has", async () => {
    const { run, model } = await zips();
    await importZip(run, "a.zip", open, holdUpload);
    await importZip(model, "a.zip", open, holdUpload);
    const whole = files.paths();
    expect(whole.length).toBeGreaterThan(10);
    await write("runs/cut/metrics.ndjson");
    await write("runs/cut/checkpoints/step-000001/model.safetensors");
    // Made, and never filled.
    await write("runs/begun/recipe.json", "");
    await write("models/cut/model.safetensors");
    await write("models/begun/config.json", "");
    expect((await listStoredRuns(open)).map(({ name }) => name)).toEqual(["given"]);
    expect(await listStoredModels(open)).toEqual(["given-step-3"]);
    await sweepUnfinished(open);
    expect(files.paths()).toEqual(whole);
  });

  it("removes what a crash left of a file that was being written", async () => {
    await write("runs/mine/recipe.json", '{"name": "tiny"}');
    const [kept] = files.paths();
    await files.leaveUnfinished("runs/mine/checkpoints/step-000004.tmp/model.safetensors");
    expect(files.paths().filter((path) => path.endsWith(".crswap"))).toHaveLength(1);
    await sweepUnfinished(open);
    expect(files.paths().filter((path) => path.endsWith(".crswap"))).toEqual([]);
    expect(files.paths()).toContain(kept);
  });

  it("keeps its hands off what is filled or trained at this moment", async () => {
    await write("runs/coming/metrics.ndjson");
    await write("models/coming/model.safetensors");
    await write("runs/training/recipe.json", "");
    await write("runs/writes/recipe.json", '{"name": "tiny"}');
    await files.leaveUnfinished("runs/writes/checkpoints/step-000004.tmp/model.safetensors");
    const before = files.paths();
    const held = [
      await holdUpload("runs/coming"),
      await holdUpload("models/coming"),
      await holdRun("training", "start"),
      await holdRun("writes", "start"),
    ];
    await sweepUnfinished(open);
    expect(files.paths()).toEqual(before);
    expect((await runsInUse()).sort()).toEqual(["training", "writes"]);
    for (const release of held) release?.();
    await vi.waitFor(async () => expect(await runsInUse()).toEqual([]));
    await sweepUnfinished(open);
    expect(files.paths()).toEqual([
      "runs/writes/checkpoints/step-000004.tmp/model.safetensors",
      "runs/writes/recipe.json",
    ]);
    expect(await runsInUse()).toEqual([]);
  });

  it("sweeps nothing where nobody could say that it is in use", async () => {
    files = stubPrivateFiles();
    await write("runs/coming/metrics.ndjson");
    await sweepUnfinished(open);
    expect(files.paths()).toEqual(["runs/coming/metrics.ndjson"]);
  });
});

describe("importZip() beside another tab", () => {
  it("takes another name than one that is being filled, and is on no list before it is whole", async () => {
    const { run } = await zips();
    const other = await holdUpload("runs/given");
    const seen: string[][] = [];
    const watched: typeof open = (folder) => {
      const storage = open(folder);
      const writeFile: typeof storage.writeFile = async (path, bytes) => {
        seen.push((await listStoredRuns(open)).map(({ name }) => name));
        await storage.writeFile(path, bytes);
      };
      return { ...storage, writeFile };
    };
    expect(await importZip(run, "x.zip", watched, holdUpload)).toEqual({ kind: "run", name: "given-2" });
    expect(seen.length).toBeGreaterThan(5);
    expect(seen.flat()).toEqual([]);
    expect((await listStoredRuns(open)).map(({ name }) => name)).toEqual(["given-2"]);
    other?.();
    // Let go of when it is done.
    const again = await holdUpload("runs/given-2");
    expect(again).not.toBeNull();
    again?.();
  });
});
