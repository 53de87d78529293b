import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openOpfsStorage } from "../../src/runs/opfs.ts";
import { describeRun } from "../../src/runs/stored_runs.ts";
import { type PrivateFiles, stubPrivateFiles } from "./private_files.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (content: Uint8Array | null) => content && new TextDecoder().decode(content);

let files: PrivateFiles;
beforeEach(() => {
  files = stubPrivateFiles();
});
afterEach(() => vi.unstubAllGlobals());

describe("openOpfsStorage()", () => {
  const storage = openOpfsStorage("runs/mine");

  it("writes, appends, reads, lists, moves and removes", async () => {
    expect([await storage.read("a"), await storage.list(""), await storage.files()]).toEqual([null, [], []]);
    await storage.writeFile("deep/down/a.txt", bytes("one"));
    await storage.append("log", "1\n");
    await storage.append("log", "2\n");
    expect(text(await storage.read("log"))).toBe("1\n2\n");
    expect(await storage.list("")).toEqual(["deep", "log"]);
    expect((await storage.files()).map((file) => [file.path, file.bytes])).toEqual([
      ["deep/down/a.txt", 3],
      ["log", 4],
    ]);
    await storage.rename("deep/down/a.txt", "deep/b.txt");
    expect(files.paths()).toEqual(["runs/mine/deep/b.txt", "runs/mine/log"]);
    expect([await storage.exists("deep/b.txt"), await storage.exists("deep/down/a.txt")]).toEqual([
      true,
      false,
    ]);
    await storage.remove("");
    expect(files.paths()).toEqual([]);
  });

  it("tells of all files that stay where one goes while it looks", async () => {
    await storage.writeFile("checkpoints/step-000001.tmp/state.json", bytes("{}"));
    await storage.writeFile("recipe.json", bytes('{"name": "tiny", "steps": 3}'));
    await storage.writeFile("metrics.ndjson", bytes('{"step":1}\n'));
    files.onLook(() => storage.remove("checkpoints/step-000001.tmp"));
    expect(await describeRun("mine", storage)).toMatchObject({ recipe: "tiny", steps: 1, of: 3 });
  });
});
