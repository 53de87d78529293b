import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readText, writeText } from "../../src/data/file_store.ts";
import { openOpfsStore } from "../../src/data/file_store_opfs.ts";
import { type PrivateFiles, stubPrivateFiles } from "../runs/private_files.ts";

let files: PrivateFiles;
beforeEach(() => {
  files = stubPrivateFiles();
});
afterEach(() => vi.unstubAllGlobals());

describe("openOpfsStore()", () => {
  const store = openOpfsStore("hub");

  it("writes, reads, lists, moves and removes", async () => {
    expect([await store.open("a"), await store.list("x"), await store.sizeOf("a")]).toEqual([null, [], null]);
    await writeText(store, "model/config.json", "{}");
    await writeText(store, "model/config.json", "{ }");
    expect(await readText(store, "model/config.json")).toBe("{ }");
    expect(files.paths()).toEqual(["hub/model/config.json"]);
    const part = await store.open("model/weights.part", { create: true });
    await part?.write(2, Uint8Array.of(7, 8));
    await expect(store.open("model/weights.part", { create: true })).rejects.toMatchObject({
      code: "runs/read-only",
    });
    await part?.close();
    await store.move("model/weights.part", "model/weights");
    expect(await store.list("model")).toEqual([
      { name: "config.json", isFolder: false },
      { name: "weights", isFolder: false },
    ]);
    expect(await store.sizeOf("model/weights")).toBe(4);
    await store.remove("model");
    expect(files.paths()).toEqual([]);
  });

  it("takes a file that goes while it is looked at for one that is not there", async () => {
    const gone = async () => {
      await writeText(store, "a.part", "half");
      files.onLook(() => store.move("a.part", "a"));
    };
    await gone();
    expect(await store.sizeOf("a.part")).toBeNull();
    await gone();
    expect(await store.open("a.part")).toBeNull();
  });
});
