import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FileStore } from "../../../src/data/file_store.ts";
import { openDiskStore } from "../../../src/data/file_store_disk.ts";
import { fetchModel, listCached, removeCached } from "../../../src/data/hub/cache.ts";
import type { DownloadOptions, DownloadProgress } from "../../../src/data/hub/download.ts";
import { reopenModelSource } from "../../../src/data/source.ts";
import { randomStream } from "../../../src/random.ts";
import { storageError } from "../../../src/runs/storage.ts";
import { type HubServer, serveHub } from "./server.ts";

const random = randomStream(7, 1);
const bytes = (length: number) => Uint8Array.from({ length }, () => random.int(0, 255));
const shards = {
  "model-00001-of-00002.safetensors": bytes(90_001),
  "model-00002-of-00002.safetensors": bytes(50_000),
};
const files: Record<string, Uint8Array> = {
  "config.json": new TextEncoder().encode('{"model_type":"llama"}'),
  "tokenizer.json": bytes(9000),
  "model.safetensors.index.json": new TextEncoder().encode("{}"),
  ...shards,
  "model.safetensors": bytes(5000),
  "README.md": bytes(10),
  "pytorch_model.bin": bytes(5000),
};
const wanted = [
  "config.json",
  ...Object.keys(shards),
  "model.safetensors.index.json",
  "tokenizer.json",
].sort();
const WANTED_BYTES = wanted.reduce((sum, name) => sum + files[name].byteLength, 0);

let root: string;
let store: FileStore;
let hub: HubServer;
const options = (more: DownloadOptions = {}): DownloadOptions => ({
  hubUrl: hub.url,
  rangeBytes: 8192,
  patienceMs: 1,
  ...more,
});

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "models-"));
  store = openDiskStore(root);
  hub = await serveHub({ "a/sharded": { files }, "a/gated": { files, token: "hf_right" } });
});
afterEach(async () => {
  await hub.close();
  rmSync(root, { recursive: true, force: true });
});

const folderOf = (commit: string) => join(root, "a--sharded", commit);

describe("fetchModel", () => {
  it("brings the files that a policy needs, whole and right, and never twice", async () => {
    const { source, model, downloadedBytes } = await fetchModel(store, "a/sharded", options());
    expect(downloadedBytes).toBe(WANTED_BYTES);
    expect(await source.list()).toEqual(wanted);
    for (const name of wanted) expect(await source.read(name), name).toEqual(files[name]);
    expect(await source.read("README.md")).toBeNull();
    expect(readdirSync(folderOf(model.commit)).filter((name) => name.includes(".part"))).toEqual([]);

    const asked = hub.requests.length;
    const again = await fetchModel(store, "a/sharded", options());
    expect(again.downloadedBytes).toBe(0);
    expect(hub.requests.length).toBe(asked);
  });

  it("brings adapters where there is no model beside them, also where only the text is wanted", async () => {
    const adapter: Record<string, Uint8Array> = {
      "adapter_config.json": new TextEncoder().encode("{}"),
      "adapter_model.safetensors": bytes(7000),
      "tokenizer.json": bytes(300),
    };
    const others = { "config.json": bytes(20), "adapter_model.bin": bytes(30) };
    const merged = { ...adapter, "model.safetensors": bytes(400), "config.json": others["config.json"] };
    const served = await serveHub({
      "a/lora": { files: { ...adapter, ...others } },
      "a/both": { files: merged },
    });
    try {
      const at = options({ hubUrl: served.url });
      const fetched = await fetchModel(store, "a/lora", { ...at, only: "text" });
      expect(await fetched.source.list()).toEqual(Object.keys(adapter).sort());
      for (const name in adapter) expect(await fetched.source.read(name)).toEqual(adapter[name]);
      expect(fetched.missingBytes).toBe(0);
      expect(await (await fetchModel(store, "a/both", at)).source.list()).toEqual(
        ["config.json", "model.safetensors", "tokenizer.json"].sort(),
      );
    } finally {
      await served.close();
    }
  });

  it("hands out files that another thread opens where they lie, without the hub", async () => {
    const { source, model } = await fetchModel(store, "a/sharded", options());
    await hub.close();
    const { handle } = source;
    expect(handle).toMatchObject({ kind: "folder", path: folderOf(model.commit) });
    const elsewhere = await reopenModelSource(structuredClone(handle));
    expect(elsewhere.where).toBe(source.where);
    expect(await elsewhere.list()).toEqual(wanted);
    for (const name of wanted) {
      expect(await elsewhere.size(name)).toBe(files[name].byteLength);
      expect(await elsewhere.readRange(name, 10, 500)).toEqual(files[name].subarray(10, 510));
    }
  });

  it("goes on where it was cut, at ten random bytes", async () => {
    const total = WANTED_BYTES;
    const cuts = Array.from({ length: 10 }, () => random.int(1, total - 1)).sort((a, b) => a - b);
    let attempts = 0;
    for (const cut of cuts) {
      hub.faults.cutAfter = Math.max(cut, hub.sentBytes + 1);
      await fetchModel(store, "a/sharded", options()).then(
        () => undefined,
        (error: unknown) => {
          attempts++;
          expect(error).toMatchObject({ code: "hub/unreachable" });
        },
      );
      for (const { complete } of await listCached(store)) expect(complete).toBe(false);
    }
    expect(attempts).toBeGreaterThan(5);
    hub.faults.cutAfter = undefined;
    const { source, model } = await fetchModel(store, "a/sharded", options());
    for (const name of wanted) expect(await source.read(name), name).toEqual(files[name]);
    expect((await listCached(store)).map(({ commit, complete }) => [commit, complete])).toEqual([
      [model.commit, true],
    ]);
    // What was on file was not asked for again: at most the ranges that were under way at each cut.
    expect(hub.sentBytes).toBeLessThan(total + attempts * 4 * 8192);
  });

  it("asks again where the hub fails for a moment", async () => {
    hub.faults.refuse = { status: 503, times: 3 };
    const { downloadedBytes } = await fetchModel(store, "a/sharded", options({ parallel: 1 }));
    expect(downloadedBytes).toBe(WANTED_BYTES);
  });

  it("takes whole files from a server without ranges", async () => {
    hub.faults.ignoreRanges = true;
    const { source } = await fetchModel(store, "a/sharded", options());
    for (const name of wanted) expect(await source.read(name), name).toEqual(files[name]);
  });

  it("tells of bytes that only grow, up to the total", async () => {
    const told: DownloadProgress[] = [];
    await fetchModel(store, "a/sharded", options({ parallel: 1, onProgress: (one) => told.push(one) }));
    const downloads = told.filter(({ phase }) => phase === "download").map(({ doneBytes }) => doneBytes);
    expect(downloads).toEqual([...downloads].sort((a, b) => a - b));
    expect(told.at(-1)).toMatchObject({ doneBytes: WANTED_BYTES, totalBytes: WANTED_BYTES });
    expect(told.some(({ phase }) => phase === "verify")).toBe(true);
  });

  it("sends the token to the hub and writes it nowhere", async () => {
    const { model } = await fetchModel(store, "a/gated", options({ token: "hf_right" }));
    const folder = join(root, model.folder);
    for (const name of readdirSync(folder))
      expect(readFileSync(join(folder, name)).includes("hf_right")).toBe(false);
  });
});

describe("fetchModel of the text only", () => {
  const isShard = (name: string) => name.endsWith(".safetensors");
  const text = wanted.filter((name) => !isShard(name));
  const TEXT_BYTES = text.reduce((sum, name) => sum + files[name].byteLength, 0);

  it("leaves the weights on the hub, says how many bytes they are, and goes on from there", async () => {
    const { source, model, ...bytes } = await fetchModel(store, "a/sharded", { ...options(), only: "text" });
    expect(bytes).toEqual({ downloadedBytes: TEXT_BYTES, missingBytes: WANTED_BYTES - TEXT_BYTES });
    expect(await source.list()).toEqual(text);
    expect(hub.sentBytes).toBe(TEXT_BYTES);
    expect(hub.requests.filter((path) => /resolve.*model-0/.test(path))).toEqual([]);
    expect(model).toMatchObject({ complete: false, textOnly: true, bytes: TEXT_BYTES });
    expect(await listCached(store)).toMatchObject([
      { id: "a/sharded", complete: false, textOnly: true, bytes: TEXT_BYTES },
    ]);

    const whole = await fetchModel(store, "a/sharded", options());
    expect(whole).toMatchObject({ downloadedBytes: WANTED_BYTES - TEXT_BYTES, missingBytes: 0 });
    expect(await whole.source.list()).toEqual(wanted);
    expect(await listCached(store)).toMatchObject([{ complete: true, textOnly: false }]);
  });

  it("counts what an earlier attempt has brought already, and asks for nothing that is there", async () => {
    hub.faults.cutAfter = WANTED_BYTES - 20_000;
    await fetchModel(store, "a/sharded", options({ parallel: 1 })).catch(() => undefined);
    hub.faults.cutAfter = undefined;
    expect(await listCached(store)).toMatchObject([{ complete: false, textOnly: false }]);
    const again = await fetchModel(store, "a/sharded", { ...options(), only: "text" });
    const present = Object.keys(shards).filter((name) =>
      existsSync(join(folderOf(again.model.commit), name)),
    );
    expect(present.length).toBeGreaterThan(0);
    const kept = present.reduce((sum, name) => sum + files[name].byteLength, 0);
    expect(again.missingBytes).toBe(WANTED_BYTES - TEXT_BYTES - kept);

    await fetchModel(store, "a/sharded", options());
    const asked = hub.requests.length;
    const whole = await fetchModel(store, "a/sharded", { ...options(), only: "text" });
    expect(whole).toMatchObject({ downloadedBytes: 0, missingBytes: 0, model: { complete: true } });
    expect(hub.requests.length).toBe(asked);
  });
});

describe("fetchModel refuses", () => {
  const refused = async (id: string, more: DownloadOptions & { revision?: string } = {}) => {
    const error = await fetchModel(store, id, { ...options(), ...more }).catch((caught: unknown) => caught);
    return error as { code: string; message: string; hint: string };
  };

  it("a model or revision that is not there", async () => {
    expect(await refused("a/missing")).toMatchObject({ code: "hub/not-found" });
    expect(await refused("a/sharded", { revision: "v9" })).toMatchObject({ code: "hub/not-found" });
    expect(await listCached(store)).toEqual([]);
  });

  it("a gated model without a token, and with a wrong one", async () => {
    expect(await refused("a/gated")).toMatchObject({
      code: "hub/gated",
      hint: expect.stringContaining("HF_TOKEN"),
    });
    const wrong = await refused("a/gated", { token: "hf_wrong" });
    expect(wrong).toMatchObject({ code: "hub/gated", hint: expect.stringContaining("terms") });
    expect(`${wrong.message}${wrong.hint}`).not.toContain("hf_wrong");
  });

  it("a file that is not what the hub promised, and takes it right the next time", async () => {
    hub.faults.corrupt = "config.json";
    expect(await refused("a/sharded")).toMatchObject({ code: "hub/wrong-hash" });
    hub.faults.corrupt = "model-00001-of-00002.safetensors";
    expect(await refused("a/sharded")).toMatchObject({ code: "hub/wrong-hash" });
    hub.faults.corrupt = undefined;
    const { source } = await fetchModel(store, "a/sharded", options());
    for (const name of wanted) expect(await source.read(name), name).toEqual(files[name]);
  });

  it("a hub that cannot be reached", async () => {
    const { url } = hub;
    await hub.close();
    expect(await refused("a/sharded", { hubUrl: url })).toMatchObject({ code: "hub/unreachable" });
  });

  it("to go on with a full disk, and goes on once there is room", async () => {
    let room = 60_000;
    const full: FileStore = {
      ...store,
      async open(path, how) {
        const file = await store.open(path, how);
        if (!file || !path.endsWith(".part")) return file;
        return {
          ...file,
          async write(at, written) {
            room -= written.byteLength;
            if (room < 0) throw storageError(`write ${path}`, { code: "ENOSPC", message: "no space left" });
            await file.write(at, written);
          },
        };
      },
    };
    const error = await fetchModel(full, "a/sharded", options()).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "runs/disk-full" });
    const sent = hub.sentBytes;
    const { source, downloadedBytes } = await fetchModel(store, "a/sharded", options());
    expect(hub.sentBytes - sent).toBe(downloadedBytes);
    expect(downloadedBytes).toBeLessThan(WANTED_BYTES - 20_000);
    for (const name of wanted) expect(await source.read(name), name).toEqual(files[name]);
  });

  it("nothing more once it is stopped", async () => {
    const stop = new AbortController();
    const error = await fetchModel(
      store,
      "a/sharded",
      options({ signal: stop.signal, onProgress: () => stop.abort(new Error("enough")) }),
    ).catch((caught: unknown) => caught);
    expect((error as Error).message).toBe("enough");
  });
});

describe("removeCached", () => {
  it("gives the space back, and says so where there is nothing", async () => {
    await fetchModel(store, "a/sharded", options());
    expect(await removeCached(store, "a/sharded")).toBeGreaterThan(WANTED_BYTES);
    expect(await listCached(store)).toEqual([]);
    expect(readdirSync(root)).toEqual([]);
    await expect(removeCached(store, "a/sharded")).rejects.toMatchObject({ code: "hub/not-cached" });
  });
});
