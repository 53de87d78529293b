import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  loadModelFiles,
  loadModelText,
  type ModelSource,
  openModelBlobs,
  openModelFolder,
  openModelMemory,
  openModelUrl,
  reopenModelSource,
} from "../../src/data/source.ts";
import { openTensors } from "../../src/data/tensor_stream.ts";
import { config, jsonBytes, randomTensors, shardedFolder, wholeFolder } from "./checkpoint_files.ts";
import { type FileServer, serveFiles } from "./file_server.ts";

const random = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7919) >> 3);
const big = random(3 * 2 ** 20 + 17);
const files: Record<string, Uint8Array> = {
  ...shardedFolder(randomTensors("BF16", 1), 2),
  "big.bin": big,
  "empty.bin": new Uint8Array(0),
};

let folder: string;
let server: FileServer;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "model-"));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  writeFileSync(join(folder, "notes.txt"), "not the model's");
  server = await serveFiles(files);
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const blobs = () =>
  new Map(Object.entries(files).map(([name, bytes]) => [name, new Blob([bytes as BlobPart])]));
const places: [string, () => ModelSource | Promise<ModelSource>][] = [
  ["a folder", () => openModelFolder(folder, { hidden: ["notes.txt"] })],
  ["a folder below the working one", () => openModelFolder(relative(".", folder), { hidden: ["notes.txt"] })],
  ["files that were given", () => openModelBlobs(blobs())],
  ["memory", () => openModelMemory(files)],
  ["an address", () => openModelUrl(server.address)],
];

async function gather(source: ModelSource): Promise<Map<string, number[]>> {
  const tensors = await openTensors(source, config);
  const all = new Map<string, number[]>();
  for (const name of tensors.names) {
    const values: number[] = [];
    await tensors.stream(name, (chunk) => void values.push(...chunk), { chunkBytes: 99 });
    all.set(name, values);
  }
  return all;
}

describe("a model's source in", () => {
  it.each(places)("%s reads whole files and any part of them", async (_, open) => {
    const source = await open();
    expect(await source.size("big.bin")).toBe(big.byteLength);
    expect(await source.size("empty.bin")).toBe(0);
    expect(await source.size("none.bin")).toBeNull();
    expect(await source.read("none.bin")).toBeNull();
    expect(await source.readRange("none.bin", 0, 8)).toBeNull();
    expect(await source.readRange("empty.bin", 0, 8)).toEqual(new Uint8Array(0));
    const end = big.byteLength;
    const parts = [
      [0, 8],
      [8, 100],
      [2 ** 20 - 3, 6],
      [2 ** 20, 2 ** 21],
      [5, 2 ** 20],
      [end - 5, 5],
      [end - 5, 50],
      [end, 4],
      [end + 9, 4],
      [3, 0],
    ];
    for (const [at, length] of parts) {
      const bytes = (await source.readRange("big.bin", at, length))!;
      expect(Buffer.from(bytes).equals(big.subarray(at, at + length)), `${length} from ${at}`).toBe(true);
    }
    expect(Buffer.from((await source.read("big.bin"))!).equals(big)).toBe(true);
    if (source.handle.kind !== "address") expect(await source.list()).toEqual(Object.keys(files).sort());
  });

  it.each(places)("%s opens again from a copy of its handle", async (_, open) => {
    const source = await open();
    const want = await gather(openModelMemory(files));
    const again = await reopenModelSource(structuredClone(source.handle));
    expect(again.where).toBe(source.where);
    expect(await gather(again)).toEqual(want);
    if (source.handle.kind !== "address") expect(await again.list()).toEqual(await source.list());
    // Not of memory: element by element, millions take seconds.
    if (source.handle.kind !== "memory") expect(again.handle).toEqual(source.handle);
  });

  it.each(places)("%s gives a model without its weights, and with them", async (_, open) => {
    const source = await open();
    const text = await loadModelText(source);
    expect(text.source).toBe(source);
    expect(text.config).toEqual(config);
    expect(text).not.toHaveProperty("tensors");
    const model = await loadModelFiles(source);
    expect(model.source).toBe(source);
    expect(new Map([...model.tensors].map(([name, { data }]) => [name, [...data]]))).toEqual(
      await gather(openModelMemory(files)),
    );
  });

  it("nothing but whole files is loaded too, each read once", async () => {
    const asked: string[] = [];
    const { where, read, list } = openModelMemory(files);
    const model = await loadModelFiles({
      where,
      list,
      read: async (name) => {
        asked.push(name);
        return read(name);
      },
    });
    expect(model.source).toBeUndefined();
    expect(asked.filter((name) => name.endsWith(".safetensors"))).toEqual([
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
    ]);
    const whole = await loadModelFiles(openModelMemory(files));
    expect(model.tensors).toEqual(whole.tensors);
  });

  it("text files are read with it", async () => {
    const source = openModelMemory({
      ...files,
      "generation_config.json": jsonBytes({ eos_token_id: [5, 2] }),
      "tokenizer.json": jsonBytes({ model: {} }),
      "tokenizer_config.json": jsonBytes({ chat_template: "{{ config }}" }),
      "chat_template.jinja": new TextEncoder().encode("{{ file }}"),
    });
    const text = await loadModelText(source);
    expect(text.config.eosIds).toEqual([5, 2]);
    expect(text).toMatchObject({
      tokenizerJson: { model: {} },
      tokenizerConfig: { chat_template: "{{ config }}" },
      generationConfig: { eos_token_id: [5, 2] },
      chatTemplate: "{{ file }}",
    });
  });
});

describe("a folder that is gone", () => {
  it("is named, and so is a file that cannot be read", async () => {
    const source = await openModelFolder(folder);
    rmSync(folder, { recursive: true });
    await expect(reopenModelSource(source.handle)).rejects.toMatchObject({ code: "model/no-folder" });
    const odd = await openModelFolder(join(folder, ".."));
    const name = folder.slice(folder.lastIndexOf("/") + 1);
    writeFileSync(folder, "a file now");
    await expect(odd.read(`${name}/config.json`)).rejects.toMatchObject({ code: "model/unreadable" });
  });
});

describe("openModelUrl()", () => {
  const want = () => gather(openModelMemory(files));
  const asked = (name: string) => server.requests.filter((request) => request.split(" ")[1] === name);

  it("reads ahead, so that small tensors need no request each", async () => {
    expect(await gather(openModelUrl(server.address))).toEqual(await want());
    // Smaller than what is read ahead: once for the header, and once per turn from one shard to the other, not per chunk.
    expect(asked("model-00001-of-00002.safetensors").length).toBeLessThan(config.layers * 12 + 3);
    const big = openModelUrl(server.address);
    server.requests.length = 0;
    for (let at = 0; at < 2 ** 20; at += 2 ** 14) await big.readRange("big.bin", at, 2 ** 14);
    expect(server.requests).toEqual([`GET big.bin bytes=0-${2 ** 20 - 1}`]);
  });

  it("sends no byte twice to who reads on", async () => {
    const source = openModelUrl(server.address);
    for (let at = 0, step = 1; at < files["big.bin"].byteLength; at += step, step = (step * 5) % 700_001)
      await source.readRange("big.bin", at, step);
    expect(server.sent).toBe(files["big.bin"].byteLength);
  });

  it("reads large parts into the reader's room, and keeps nothing of it", async () => {
    const source = openModelUrl(server.address);
    const room = new Uint8Array(2 ** 20 + 100);
    let at = 0;
    for (const length of [10, room.byteLength, 2 ** 20, 5, room.byteLength, 7, 2 ** 20]) {
      const bytes = (await source.readRange("big.bin", at, length, room))!;
      expect(Buffer.from(bytes).equals(big.subarray(at, at + length)), `${length} from ${at}`).toBe(true);
      room.fill(0);
      // What was read in part ahead of the room is still as it was.
      const again = (await source.readRange("big.bin", at, 4))!;
      expect([...again]).toEqual([...big.subarray(at, at + 4)]);
      at = Math.min(at + length, big.byteLength - 1);
    }
  });

  it("refuses a server that answers with other bytes than were asked for", async () => {
    const source = openModelUrl(server.address);
    server.wrong = "longer";
    await expect(source.readRange("big.bin", 0, 2 ** 20)).rejects.toMatchObject({
      code: "model/unreadable",
      message: expect.stringContaining("more bytes came than were asked for"),
    });
    server.wrong = "elsewhere";
    await expect(source.readRange("big.bin", 0, 2 ** 20)).rejects.toMatchObject({
      code: "model/unreadable",
      message: expect.stringContaining("from byte 1 on"),
    });
  });

  it("takes each file whole, once, from a server that ignores ranges", async () => {
    server.ranges = "none";
    const source = openModelUrl(server.address);
    expect(await source.size("big.bin")).toBe(files["big.bin"].byteLength);
    for (const at of [5, 2 ** 20, 0, 17]) {
      const bytes = await source.readRange("big.bin", at, 1000);
      expect(bytes).toEqual(files["big.bin"].subarray(at, at + 1000));
    }
    expect(asked("big.bin").length).toBe(1);
    expect(await gather(source)).toEqual(await want());
  });

  it("asks for the size apart where another origin hides it", async () => {
    server.ranges = "hidden";
    const source = openModelUrl(server.address);
    expect(await source.size("big.bin")).toBe(files["big.bin"].byteLength);
    expect(asked("big.bin").map((request) => request.split(" ")[0])).toEqual(["GET", "HEAD"]);
    expect(await gather(source)).toEqual(await want());
  });

  it("loads all weights by one request a file", async () => {
    await loadModelFiles(openModelUrl(server.address));
    for (const name of Object.keys(files).filter((name) => name.endsWith(".safetensors")))
      expect(asked(name)).toEqual([`GET ${name}`]);
  });

  it("takes a page for a file that is not there", async () => {
    const pages = await serveFiles({ "config.html": jsonBytes({}) });
    const source = openModelUrl(pages.address);
    expect(await source.read("config.html")).toBeNull();
    expect(await source.readRange("config.html", 0, 8)).toBeNull();
    expect(await source.size("config.html")).toBeNull();
    expect(await source.list()).toEqual([]);
    await pages.close();
  });

  it("says which file could not be fetched, and why", async () => {
    const source = openModelUrl(server.address);
    server.cut = 3;
    const cut = {
      code: "model/unreadable",
      message: expect.stringMatching(/big\.bin: the connection was cut/),
    };
    await expect(source.readRange("big.bin", 0, 100)).rejects.toMatchObject(cut);
    await expect(source.read("big.bin")).rejects.toMatchObject(cut);
    server.cut = undefined;
    server.refuse = 503;
    const refused = { code: "model/unreadable", message: expect.stringContaining("answered 503") };
    for (const attempt of [source.read("a"), source.size("a"), source.readRange("a", 0, 8)])
      await expect(attempt).rejects.toMatchObject(refused);
    await server.close();
    await expect(source.readRange("big.bin", 0, 8)).rejects.toMatchObject({
      code: "model/unreadable",
      message: expect.stringContaining("cannot be reached"),
    });
    server = await serveFiles(files);
  });
});

describe("a whole model from an address", () => {
  it.each(["served", "none", "hidden"] as const)("streams bit by bit where ranges are %s", async (ranges) => {
    const one = wholeFolder(randomTensors("F32", 2));
    const web = await serveFiles(one);
    web.ranges = ranges;
    expect(await gather(openModelUrl(web.address))).toEqual(await gather(openModelMemory(one)));
    await web.close();
  });
});
