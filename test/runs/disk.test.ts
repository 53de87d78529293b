import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { DataError } from "../../src/errors.ts";
import { checkModelFolder, listRuns, openDiskStorage } from "../../src/runs/disk.ts";
import { createRun, freshRunName, openRun, recipeHash } from "../../src/runs/run_directory.ts";
import { storageError } from "../../src/runs/storage.ts";

const folders: string[] = [];
const makeFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), "webgrpo-runs-"));
  folders.push(folder);
  return folder;
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
const text = (value: string) => new TextEncoder().encode(value);
const shown = (bytes: Uint8Array | null) => bytes && new TextDecoder().decode(bytes);

describe("openDiskStorage()", () => {
  it("writes, appends, lists, renames and removes", async () => {
    const root = makeFolder();
    const storage = openDiskStorage(join(root, "deep", "run"));
    expect(await storage.list("")).toEqual([]);
    expect(await storage.read("a.txt")).toBeNull();
    await storage.writeFile("folder/b.txt", text("one"));
    await storage.writeFile("folder/b.txt", text("two"));
    await storage.append("a.txt", "x");
    await storage.append("a.txt", "y");
    expect([shown(await storage.read("folder/b.txt")), shown(await storage.read("a.txt"))]).toEqual([
      "two",
      "xy",
    ]);
    expect(await storage.list("")).toEqual(["a.txt", "folder"]);
    await storage.rename("folder", "moved");
    expect(await storage.list("moved")).toEqual(["b.txt"]);
    expect([await storage.exists("folder"), await storage.exists("moved/b.txt")]).toEqual([false, true]);
    await storage.remove("moved");
    await storage.remove("never there");
    expect(await storage.list("")).toEqual(["a.txt"]);
    await expect(async () => storage.read("../outside")).rejects.toThrow(RangeError);
  });

  it("takes a model only where no checkpoint lies, is tried first, and nothing stays of the trial", async () => {
    const root = makeFolder();
    await checkModelFolder(join(root, "new"));
    expect(readdirSync(join(root, "new"))).toEqual([]);
    writeFileSync(join(root, "new", "state.json"), "{}");
    await expect(checkModelFolder(join(root, "new"))).rejects.toMatchObject({ code: "runs/exists" });
    writeFileSync(join(root, "file"), "");
    await expect(checkModelFolder(join(root, "file", "x"))).rejects.toMatchObject({ code: "runs/io" });
  });

  it.skipIf(!existsSync("/dev/full"))("keeps the old file and says so when the disk is full", async () => {
    const root = makeFolder();
    const storage = openDiskStorage(root);
    await storage.writeFile("state.json", text("old"));
    // The device that is always full stands in for the part file's disk.
    symlinkSync("/dev/full", join(root, "state.json.part"));
    const error = await storage.writeFile("state.json", text("new")).catch((cause) => cause);
    expect(error).toBeInstanceOf(DataError);
    expect(error).toMatchObject({ code: "runs/disk-full", message: expect.stringContaining("state.json") });
    expect(error.hint).toContain("--out");
    expect(shown(await storage.read("state.json"))).toBe("old");
    expect(readdirSync(root)).toEqual(["state.json"]);
  });

  it.skipIf(!existsSync("/sys"))("says that a folder may not be written to", async () => {
    // The kernel's own tree takes no files, not even from root.
    const error = await openDiskStorage("/sys/webgrpo-run")
      .writeFile("recipe.json", text("{}"))
      .catch((cause) => cause);
    expect(error).toMatchObject({
      code: "runs/read-only",
      message: expect.stringContaining("/sys/webgrpo-run"),
    });
  });

  it.each([
    ["EACCES", "runs/read-only"],
    ["EROFS", "runs/read-only"],
    ["EDQUOT", "runs/disk-full"],
    ["EIO", "runs/io"],
  ])("calls %s %s", (code, expected) => {
    expect(storageError("write x", Object.assign(new Error("refused"), { code })).code).toBe(expected);
    const quota = new DOMException("full", "QuotaExceededError");
    expect(storageError("write x", quota)).toMatchObject({ code: "runs/disk-full", cause: quota });
  });
});

describe("a run directory", () => {
  it("is made once and opened again", async () => {
    const parent = makeFolder();
    const storage = openDiskStorage(join(parent, "first"));
    const run = await createRun(storage, { name: "digits", trainer: { b: 1, a: 2 } });
    await expect(createRun(storage, {})).rejects.toMatchObject({ code: "runs/exists" });
    const again = await openRun(storage);
    expect(again.recipe).toEqual({ name: "digits", trainer: { b: 1, a: 2 } });
    expect(again.recipeHash).toBe(run.recipeHash);
    expect(recipeHash({ trainer: { a: 2, b: 1 }, name: "digits" })).toBe(run.recipeHash);
    expect(recipeHash({ trainer: { a: 2, b: 2 }, name: "digits" })).not.toBe(run.recipeHash);
    expect(await listRuns(parent)).toEqual(["first"]);
    await run.writeSummary({ steps: 3 });
    await run.writeTrace("{}");
    expect(await storage.list("")).toEqual(["recipe.json", "summary.json", "trace.json"]);
  });

  it("is not made over what lies there, and beside anything else", async () => {
    const root = makeFolder();
    writeFileSync(join(root, "summary.json"), "mine");
    await expect(createRun(openDiskStorage(root), {})).rejects.toMatchObject({
      code: "runs/exists",
      message: expect.stringContaining("summary.json"),
    });
    expect(readdirSync(root)).toEqual(["summary.json"]);
    const other = makeFolder();
    writeFileSync(join(other, "notes.txt"), "");
    await createRun(openDiskStorage(other), {});
    // A file where the folder should be.
    const inFile = createRun(openDiskStorage(join(other, "notes.txt")), {});
    await expect(inFile).rejects.toMatchObject({ code: "runs/io", hint: expect.stringContaining("--out") });
  });

  it("refuses folders that are no runs", async () => {
    const root = makeFolder();
    await expect(openRun(openDiskStorage(root))).rejects.toMatchObject({ code: "runs/not-a-run" });
    for (const text of ["{", "[]", "null"]) {
      writeFileSync(join(root, "recipe.json"), text);
      await expect(openRun(openDiskStorage(root))).rejects.toMatchObject({ code: "runs/not-a-run" });
    }
  });

  it("forgets the rows after the checkpoint it resumes from", async () => {
    const storage = openDiskStorage(makeFolder());
    const run = await createRun(storage, {});
    for (const step of [1, 2, 3, 4]) {
      await run.logMetrics({ step, reward: step / 10 });
      await run.logRollouts([
        { step, completion: "a\nb" },
        { step, completion: "c" },
      ]);
    }
    // Killed within a line.
    await storage.append("metrics.ndjson", '{"step":5,"rew');
    expect((await run.readMetrics()).length).toBe(4);
    await run.rewindTo(2);
    expect(await run.readMetrics()).toEqual([
      { step: 1, reward: 0.1 },
      { step: 2, reward: 0.2 },
    ]);
    expect((await run.readRollouts()).map(({ step }) => step)).toEqual([1, 1, 2, 2]);
    await storage.append("metrics.ndjson", '{"step":3,');
    await run.rewindTo(9);
    await run.logMetrics({ step: 3 });
    expect((await run.readMetrics()).map(({ step }) => step)).toEqual([1, 2, 3]);
  });

  it("names a broken row in the middle by its line", async () => {
    const storage = openDiskStorage(makeFolder());
    const run = await createRun(storage, {});
    await storage.append("metrics.ndjson", '{"step":1}\nnonsense\n{"step":2}\n');
    await expect(run.readMetrics()).rejects.toMatchObject({
      code: "runs/bad-row",
      message: expect.stringContaining("line 2"),
    });
  });

  it("gets a name that is free", () => {
    const now = new Date("2026-01-31T18:45:02Z");
    const first = freshRunName("my digits", now, []);
    expect(first).toBe("my-digits-20260131-184502");
    expect(freshRunName("my digits", now, [first, `${first}-2`])).toBe(`${first}-3`);
  });
});
