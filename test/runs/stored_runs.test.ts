import { describe, expect, it } from "vitest";
import { DataError } from "../../src/errors.ts";
import {
  checkName,
  describeRun,
  freshName,
  lastStep,
  listStoredModels,
  listStoredRuns,
  wholeCheckpoints,
} from "../../src/runs/stored_runs.ts";
import { memoryFiles } from "./memory_files.ts";
import { saveStep, storeRun } from "./stored_run.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("listStoredRuns()", () => {
  it("tells of every run what the list shows, the one saved last first", async () => {
    const memory = memoryFiles();
    const first = await storeRun(memory, "first", { steps: 6, saved: [4, 6] });
    await first.writeSummary({ steps: 6 });
    await storeRun(memory, "second", { steps: 3, saved: [2] });
    await memory.open("runs/junk").writeFile("metrics.ndjson", bytes("{}"));
    const runs = await listStoredRuns(memory.open);
    expect(runs.map(({ name }) => name)).toEqual(["second", "first"]);
    expect(runs[0]).toMatchObject({ recipe: "tiny", steps: 3, of: 6, checkpoint: 2, ended: false });
    expect(runs[1]).toMatchObject({ steps: 6, checkpoint: 6, ended: true });
    const stored = [...memory.files].filter(([path]) => path.startsWith("runs/first/"));
    expect(runs[1].bytes).toBe(stored.reduce((sum, [, file]) => sum + file.byteLength, 0));
  });

  it("changes nothing, since a run may be training meanwhile", async () => {
    const memory = memoryFiles();
    await storeRun(memory, "run", { steps: 4, saved: [2, 4] });
    memory.files.delete("runs/run/checkpoints/step-000004/state.json");
    const { changes } = memory;
    const [run] = await listStoredRuns(memory.open);
    expect(run.checkpoint).toBe(2);
    expect(memory.changes).toBe(changes);
  });

  it("does not take the summary of an earlier end for the end of a run that went on", async () => {
    const memory = memoryFiles();
    const run = await storeRun(memory, "run", { steps: 2 });
    await run.writeSummary({ steps: 2 });
    expect((await describeRun("run", memory.open("runs/run")))?.ended).toBe(true);
    await run.logMetrics({ step: 3, reward: 1 });
    expect((await describeRun("run", memory.open("runs/run")))?.ended).toBe(false);
  });

  it("lists a run that cannot be read, so that it can be removed", async () => {
    const memory = memoryFiles();
    await memory.open("runs/broken").writeFile("recipe.json", bytes('{"name": "x'));
    const [run] = await listStoredRuns(memory.open);
    expect(run).toMatchObject({ name: "broken", steps: 0, checkpoint: null });
    expect(run.problem).toContain("recipe.json");
  });

  it("lists all others beside one whose files hold anything or cannot be read", async () => {
    const memory = memoryFiles();
    await storeRun(memory, "good", { steps: 2, saved: [2] });
    await storeRun(memory, "odd", { steps: 4, saved: [2, 4] });
    for (const odd of [{ files: null }, { files: { a: null } }, { files: { a: 7 } }, { step: -4 }]) {
      const state = JSON.stringify({ complete: true, step: 4, files: {}, ...odd });
      await memory.open("runs/odd").writeFile("checkpoints/step-000004/state.json", bytes(state));
      const runs = await listStoredRuns(memory.open);
      expect(runs.map(({ name, checkpoint }) => [name, checkpoint])).toEqual([
        ["odd", 2],
        ["good", 2],
      ]);
    }
    const open = (folder: string) => ({
      ...memory.open(folder),
      ...(folder === "runs/odd" && { files: () => Promise.reject(new Error("cannot list")) }),
    });
    expect((await listStoredRuns(open)).map(({ name, problem }) => [name, problem])).toEqual([
      ["good", undefined],
      ["odd", "cannot list"],
    ]);
  });
});

describe("lastStep()", () => {
  it("passes over events and half lines at either end", () => {
    const rows =
      '{"step":1,"reward":0}\n{"step":2,"reward":1}\n{"step":5,"event":"evaluation"}\n{"step":3,"rew';
    expect(lastStep(bytes(rows))).toBe(2);
    const long = `{"step":1,"note":"${"x".repeat(2 ** 18)}"}\n{"step":7}\n`;
    expect(lastStep(bytes(long))).toBe(7);
    expect(lastStep(null)).toBe(0);
  });
});

describe("wholeCheckpoints()", () => {
  it("leaves out those with a missing or shortened file", async () => {
    const memory = memoryFiles();
    const run = await storeRun(memory, "run", { steps: 6, saved: [4, 6] });
    const storage = memory.open("runs/run");
    const steps = async () =>
      (await wholeCheckpoints(storage, await storage.files())).map(({ step }) => step);
    expect(await steps()).toEqual([6, 4]);
    const weights = "runs/run/checkpoints/step-000006/model.safetensors";
    memory.files.set(weights, memory.files.get(weights)!.slice(1));
    expect(await steps()).toEqual([4]);
    memory.files.delete("runs/run/checkpoints/step-000004/optimizer.safetensors");
    expect(await steps()).toEqual([]);
    // Written beside the damaged one, under the name it keeps where folders cannot be renamed.
    await saveStep(run, 6);
    const [found] = await wholeCheckpoints(storage, await storage.files());
    expect(found.step).toBe(6);
  });
});

describe("names", () => {
  it("checkName() refuses what could leave its folder", () => {
    expect(checkName("digits-20260131-184502")).toBe("digits-20260131-184502");
    for (const name of ["", "..", ".hidden", "a/b", "a\\b", "a b"])
      expect(() => checkName(name)).toThrow(DataError);
  });

  it("freshName() makes a usable name that is not taken", () => {
    expect(freshName("my run.v2", [])).toBe("my-run.v2");
    expect(freshName("../x", [])).toBe("x");
    expect(freshName("a", ["a", "a-2"])).toBe("a-3");
    for (const wanted of ["", "…", "../..", "ü b"]) expect(checkName(freshName(wanted, []))).toBeTruthy();
  });

  it("listStoredModels() leaves out what is not complete", async () => {
    const memory = memoryFiles();
    await memory.open("models/half").writeFile("model.safetensors", bytes("x"));
    await memory.open("models/whole").writeFile("config.json", bytes("{}"));
    expect(await listStoredModels(memory.open)).toEqual(["whole"]);
  });
});
