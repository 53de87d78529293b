import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FileStore } from "../../../src/data/file_store.ts";
import { openDiskStore } from "../../../src/data/file_store_disk.ts";
import { listCached } from "../../../src/data/hub/cache.ts";
import {
  fetchDatasetFile,
  hasDatasetFile,
  listCachedDatasets,
  listStoredDatasets,
  removeCachedDataset,
  removeDatasetParts,
} from "../../../src/data/hub/datasets.ts";
import type { DownloadOptions } from "../../../src/data/hub/download.ts";
import { readProblems } from "../../../src/data/problems.ts";
import { type HubServer, type ServedRepo, serveHub } from "./server.ts";

const train = new Uint8Array(readFileSync(new URL("../parquet/gsm8k.snappy.parquet", import.meta.url)));
const spaced = new TextEncoder().encode('{"prompt": "1+1", "answer": "2"}\n'.repeat(400));

let root: string;
let store: FileStore;
let hub: HubServer;
let repos: Record<string, ServedRepo>;
const options = (more: DownloadOptions = {}): DownloadOptions => ({
  hubUrl: hub.url,
  rangeBytes: 512,
  patienceMs: 1,
  ...more,
});
const file = (path: string, revision = "main", id = "a/sums") => ({ id, revision, path });

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "datasets-"));
  store = openDiskStore(root);
  const files = { "main/train.parquet": train, "data/two words.jsonl": spaced };
  repos = {
    "datasets/a/sums": { files, revisions: ["refs/convert/parquet"] },
    "datasets/a/gated": { files, token: "hf_right" },
    "a/sums": { files: {} },
  };
  hub = await serveHub(repos);
});
afterEach(async () => {
  await hub.close();
  rmSync(root, { recursive: true, force: true });
});

describe("fetchDatasetFile", () => {
  it("brings a file whole and right, and never twice", async () => {
    const fetched = await fetchDatasetFile(store, file("main/train.parquet"), options());
    expect(fetched.content).toEqual(train);
    expect(fetched.downloadedBytes).toBe(train.length);
    expect((await readProblems(fetched.content)).problems).toHaveLength(3);
    const asked = hub.requests.length;
    const again = await fetchDatasetFile(store, file("main/train.parquet"), options());
    expect(again).toEqual({ ...fetched, downloadedBytes: 0 });
    await fetchDatasetFile(store, file("main/train.parquet", fetched.commit), options());
    expect(hub.requests.length).toBe(asked);
    expect(readdirSync(join(root, "datasets", "a--sums", fetched.commit, "main"))).toEqual(["train.parquet"]);
  });

  it("asks for names with spaces and for revisions with slashes", async () => {
    const wanted = file("data/two words.jsonl", "refs/convert/parquet");
    const { content } = await fetchDatasetFile(store, wanted, options());
    expect(content).toEqual(spaced);
    expect((await fetchDatasetFile(store, wanted, options())).downloadedBytes).toBe(0);
  });

  it("keeps the files of one revision of one commit, though the hub moves on", async () => {
    const { commit } = await fetchDatasetFile(store, file("main/train.parquet"), options());
    const second = await fetchDatasetFile(store, file("data/two words.jsonl"), options());
    expect(second.commit).toBe(commit);
    expect(hub.requests.some((path) => path.includes(`revision/${commit}`))).toBe(true);
    expect(await listCachedDatasets(store)).toMatchObject([
      { id: "a/sums", commit, revisions: ["main"], bytes: train.length + spaced.length },
    ]);
    // They are no models.
    expect(await listCached(store)).toEqual([]);
  });

  it("goes on where it was cut", async () => {
    hub.faults.cutAfter = 6000;
    const wanted = file("data/two words.jsonl");
    const cut = fetchDatasetFile(store, wanted, options({ parallel: 1 }));
    await expect(cut).rejects.toMatchObject({ code: "hub/unreachable" });
    expect(await listCachedDatasets(store)).toEqual([]);
    hub.faults.cutAfter = undefined;
    const { content, downloadedBytes } = await fetchDatasetFile(store, wanted, options());
    expect(content).toEqual(spaced);
    expect(downloadedBytes).toBeLessThan(spaced.length - 4000);
  });

  it("is known beforehand to ask nobody, or to ask", async () => {
    const wanted = file("main/train.parquet");
    expect(await hasDatasetFile(store, wanted)).toBe(false);
    const { commit } = await fetchDatasetFile(store, wanted, options());
    const asked = hub.requests.length;
    const has = (path: string, revision?: string) => hasDatasetFile(store, file(path, revision));
    expect(await has("main/train.parquet")).toBe(true);
    expect(await has("main/train.parquet", commit)).toBe(true);
    expect(await has("main/train.parquet", "refs/convert/parquet")).toBe(false);
    expect(await has("data/two words.jsonl")).toBe(false);
    writeFileSync(join(root, "datasets", "a--sums", commit, "main/train.parquet"), "cut");
    expect(await has("main/train.parquet")).toBe(false);
    expect(hub.requests.length).toBe(asked);
  });

  it("fetches anew what was cut off on disk", async () => {
    const { commit } = await fetchDatasetFile(store, file("main/train.parquet"), options());
    writeFileSync(join(root, "datasets", "a--sums", commit, "main", "train.parquet"), "short");
    const mended = await fetchDatasetFile(store, file("main/train.parquet"), options());
    expect(mended.content).toEqual(train);
    expect(mended.downloadedBytes).toBe(train.length);
  });
});

describe("fetchDatasetFile refuses", () => {
  const refused = async (wanted: ReturnType<typeof file>, more: DownloadOptions = {}) =>
    fetchDatasetFile(store, wanted, options(more)).catch((error: unknown) => error);

  it("what is not there, and says what: data set, revision, file", async () => {
    const missing = { code: "hub/not-found" };
    expect(await refused(file("x", "main", "a/none"))).toMatchObject({
      ...missing,
      message: expect.stringContaining("there is no such data set or revision"),
    });
    expect(await refused(file("main/train.parquet", "v9"))).toMatchObject(missing);
    expect(await refused(file("test.parquet"))).toMatchObject({
      ...missing,
      message: expect.stringContaining("the data set has no such file"),
    });
    expect(await refused(file("main"))).toMatchObject({
      ...missing,
      message: expect.stringContaining("that is a folder"),
    });
    expect(readdirSync(root)).toEqual([]);
  });

  it("a gated one without its token, and takes it with it", async () => {
    const gated = file("main/train.parquet", "main", "a/gated");
    expect(await refused(gated)).toMatchObject({
      code: "hub/gated",
      hint: expect.stringContaining("data set's terms"),
    });
    expect((await fetchDatasetFile(store, gated, options({ token: "hf_right" }))).content).toEqual(train);
  });

  it("a file that is not what the hub promised", async () => {
    hub.faults.corrupt = "data/two words.jsonl";
    expect(await refused(file("data/two words.jsonl"))).toMatchObject({ code: "hub/wrong-hash" });
    expect(await listCachedDatasets(store)).toEqual([]);
  });
});

describe("listStoredDatasets", () => {
  const cut = async () => {
    hub.faults.cutAfter = 6000;
    const refused = fetchDatasetFile(store, file("data/two words.jsonl"), options({ parallel: 1 }));
    await expect(refused).rejects.toMatchObject({ code: "hub/unreachable" });
    hub.faults.cutAfter = undefined;
  };

  it("tells of all that takes up space, also of what has not come whole", async () => {
    expect(await listStoredDatasets(store)).toEqual([]);
    await cut();
    const [part] = await listStoredDatasets(store);
    expect(part).toMatchObject({ id: "a/sums", files: [], complete: false });
    expect(part.bytes).toBeGreaterThan(4000);
    expect(part.cutBytes).toBe(part.bytes);
    await fetchDatasetFile(store, file("main/train.parquet"), options());
    const [both] = await listStoredDatasets(store);
    expect(both).toMatchObject({ id: "a/sums", files: ["main/train.parquet"], complete: false });
    expect(both.bytes).toBeGreaterThan(part.bytes + train.length);
    expect(both.cutBytes).toBe(part.bytes);
    await fetchDatasetFile(store, file("data/two words.jsonl"), options());
    const whole = { files: ["main/train.parquet", "data/two words.jsonl"], cutBytes: 0, complete: true };
    expect(await listStoredDatasets(store)).toMatchObject([whole]);
  });

  it("loses the parts alone, or the data set with its last part", async () => {
    await cut();
    await removeDatasetParts(store, "a/sums");
    expect(readdirSync(join(root, "datasets"))).toEqual([]);
    await fetchDatasetFile(store, file("main/train.parquet"), options());
    await cut();
    await removeDatasetParts(store, "a/sums");
    expect(await listStoredDatasets(store)).toMatchObject([
      { files: ["main/train.parquet"], complete: true },
    ]);
    expect(await hasDatasetFile(store, file("main/train.parquet"))).toBe(true);
    await removeDatasetParts(store, "a/none");
  });
});

describe("removeCachedDataset", () => {
  it("gives the space back, and says so where there is nothing", async () => {
    await fetchDatasetFile(store, file("main/train.parquet"), options());
    const [{ bytes }] = await listStoredDatasets(store);
    expect(bytes).toBeGreaterThan(train.length);
    expect(await removeCachedDataset(store, "a/sums")).toBe(bytes);
    expect(readdirSync(join(root, "datasets"))).toEqual([]);
    await expect(removeCachedDataset(store, "a/sums")).rejects.toMatchObject({ code: "hub/not-cached" });
  });
});
