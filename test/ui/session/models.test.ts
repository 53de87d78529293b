import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openOpfsStore } from "../../../src/data/file_store_opfs.ts";
import { fetchModel } from "../../../src/data/hub/cache.ts";
import { fetchDatasetFile, removeCachedDataset } from "../../../src/data/hub/datasets.ts";
import { HUB_FOLDER } from "../../../src/ui/session/downloads.ts";
import { findModel } from "../../../src/ui/session/models.ts";
import { openDataFile } from "../../../src/ui/session/problems.ts";
import { type HubServer, serveHub } from "../../data/hub/server.ts";
import { memoryFiles, TINY_CONFIG } from "../../runs/memory_files.ts";
import { stubPrivateFiles } from "../../runs/private_files.ts";

const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const store = openOpfsStore(HUB_FOLDER);

let hub: HubServer;
let ask: typeof fetch;
beforeEach(async () => {
  stubPrivateFiles();
  hub = await serveHub({
    "a/tiny": { files: { "config.json": text(TINY_CONFIG), "model.safetensors": new Uint8Array(40) } },
    "datasets/a/sums": { files: { "train.jsonl": text({ prompt: "1 + 1 =", answer: "2" }) } },
  });
  ask = fetch;
  // The page's own site has no folder of that name.
  vi.stubGlobal("fetch", (input: string | URL, init?: RequestInit) =>
    String(input).startsWith(hub.url) ? ask(input, init) : Promise.resolve(new Response("", { status: 404 })),
  );
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await hub.close();
});

const placesOf = (askHub: boolean) => ({
  base: "https://page.example/",
  open: memoryFiles().open,
  access: { hubUrl: hub.url, askHub },
});

describe("findModel() of the hub", () => {
  it("opens what was downloaded, and asks nobody", async () => {
    await fetchModel(store, "a/tiny", { hubUrl: hub.url });
    const asked = hub.requests.length;
    const { source, from } = await findModel("a/tiny", placesOf(true));
    expect(from).toBe("here");
    expect(await source.read("config.json")).toEqual(text(TINY_CONFIG));
    expect(hub.requests.length).toBe(asked);
  });

  it("downloads nothing of a model of which a file has gone, as where it is being deleted", async () => {
    const { model } = await fetchModel(store, "a/tiny", { hubUrl: hub.url });
    await store.remove(`${model.folder}/model.safetensors`);
    const asked = hub.requests.length;
    await expect(findModel("a/tiny", placesOf(false))).rejects.toMatchObject({
      message: expect.stringContaining("it is not downloaded"),
    });
    expect(hub.requests.length).toBe(asked);
    expect((await findModel("a/tiny", placesOf(true))).from).toMatchObject({ hub: "a/tiny" });
    expect(hub.requests.slice(asked).filter((path) => path.includes("safetensors"))).toEqual([]);
  });
});

describe("openDataFile() of the hub", () => {
  const file = "hub:a/sums/train.jsonl";

  it("downloads nothing for who only looks", async () => {
    await fetchDatasetFile(
      store,
      { id: "a/sums", revision: "main", path: "train.jsonl" },
      { hubUrl: hub.url },
    );
    const asked = hub.requests.length;
    const wanted = text({ prompt: "1 + 1 =", answer: "2" });
    expect(await openDataFile(file, placesOf(false))).toEqual(wanted);
    await removeCachedDataset(store, "a/sums");
    await expect(openDataFile(file, placesOf(false))).rejects.toMatchObject({ code: "hub/not-cached" });
    expect(hub.requests.length).toBe(asked);
    expect(await openDataFile(file, placesOf(true))).toEqual(wanted);
  });
});
