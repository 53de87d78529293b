import { unzipSync, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { readZip } from "../../src/runs/read_zip.ts";
import { type FileToZip, zipFiles } from "../../src/runs/zip_folder.ts";

const text = (value: string) => new TextEncoder().encode(value);
const rows = text('{"step":1,"reward":0.5}\n'.repeat(60_000));
const weights = Uint8Array.from({ length: 100_001 }, (_, k) => (k * 2654435761) >>> 24);

function entry(name: string, bytes: Uint8Array | null): FileToZip {
  return { name, bytes: bytes?.length ?? 0, modified: Date.UTC(2026, 0, 31), read: async () => bytes };
}

const blobOf = (bytes: Uint8Array) => new Blob([bytes as Uint8Array<ArrayBuffer>]);
const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());

async function contents(zip: Blob): Promise<Record<string, Uint8Array>> {
  const found: Record<string, Uint8Array> = {};
  for (const { name, read } of await readZip(zip)) found[name] = await read();
  return found;
}

describe("zipFiles()", () => {
  it("packs rows, passes weights through, leaves out what is gone, and others can read it", async () => {
    const zip = await zipFiles([
      entry("run/metrics.ndjson", rows),
      entry("run/model.safetensors", weights),
      entry("run/empty.txt", new Uint8Array()),
      entry("run/gone.txt", null),
    ]);
    expect(zip.size).toBeLessThan(weights.length + rows.length / 20);
    for (const found of [unzipSync(await bytesOf(zip)), await contents(zip)]) {
      expect(Object.keys(found)).toEqual(["run/metrics.ndjson", "run/model.safetensors", "run/empty.txt"]);
      expect(Buffer.compare(found["run/metrics.ndjson"], rows)).toBe(0);
      expect(Buffer.compare(found["run/model.safetensors"], weights)).toBe(0);
      expect(found["run/empty.txt"]).toHaveLength(0);
    }
  });

  it("refuses more than the format can hold before it reads anything", async () => {
    const huge = { ...entry("a", null), bytes: 2 ** 33, read: () => Promise.reject(new Error("was read")) };
    await expect(zipFiles([huge])).rejects.toMatchObject({ code: "zip/too-large" });
  });
});

describe("readZip()", () => {
  const plain = zipSync({ folder: { "a.json": text('{"a":1}'), "b.bin": weights } });

  it("reads what other programs packed", async () => {
    const found = await contents(blobOf(plain));
    expect(Object.keys(found)).toEqual(["folder/a.json", "folder/b.bin"]);
    expect(Buffer.compare(found["folder/b.bin"], weights)).toBe(0);
    const behindText = Uint8Array.from([...plain, ...text("")]);
    expect(Object.keys(await contents(blobOf(behindText)))).toHaveLength(2);
  });

  it("says what is no zip, and what is cut", async () => {
    for (const wrong of [text("hello"), new Uint8Array(), weights])
      await expect(readZip(blobOf(wrong))).rejects.toMatchObject({ code: "zip/not-a-zip" });
    await expect(readZip(blobOf(plain.slice(0, -10)))).rejects.toMatchObject({ code: "zip/not-a-zip" });
    await expect(readZip(blobOf(plain.slice(20)))).rejects.toMatchObject({ code: "zip/damaged" });
  });

  it("notices every changed byte of the contents", async () => {
    const stored = zipSync({ "a.bin": [weights, { level: 0 }] });
    const start = 30 + "a.bin".length;
    for (const at of [start, start + 5000, start + weights.length - 1]) {
      const changed = stored.slice();
      changed[at] ^= 1;
      await expect(contents(blobOf(changed))).rejects.toMatchObject({
        code: "zip/damaged",
        message: expect.stringContaining("a.bin does not match its checksum"),
      });
    }
    const packed = zipSync({ "rows.ndjson": rows });
    for (let at = 60; at < packed.length - 100; at += Math.ceil(packed.length / 40)) {
      const changed = packed.slice();
      changed[at] ^= 255;
      await expect(contents(blobOf(changed))).rejects.toMatchObject({ code: "zip/damaged" });
    }
  });

  it("refuses what is encrypted, and lengths that packing cannot explain", async () => {
    const single = zipSync({ "b.bin": weights });
    const directory = single.findIndex(
      (_, k) => k > 100 && [0x50, 0x4b, 1, 2].every((b, j) => single[k + j] === b),
    );
    const encrypted = single.slice();
    encrypted[directory + 8] |= 1;
    await expect(readZip(blobOf(encrypted))).rejects.toMatchObject({ code: "zip/unsupported" });
    const bomb = single.slice();
    bomb.set([0xff, 0xff, 0xff, 0x7f], directory + 24);
    await expect(readZip(blobOf(bomb))).rejects.toMatchObject({ code: "zip/damaged" });
  });
});
