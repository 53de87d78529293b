import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HubServer, type ServedFile, serveHub } from "./server.ts";

const folder = mkdtempSync(join(tmpdir(), "served-"));
const contents: Record<string, Uint8Array> = {
  "small.json": Uint8Array.from({ length: 11 }, (_, i) => i),
  // More than is read from disk at a time, and no multiple of it.
  "large.safetensors": Uint8Array.from({ length: 8 * 2 ** 20 + 1001 }, (_, i) => i % 251),
};
let hub: HubServer;

beforeAll(async () => {
  const onDisk: Record<string, ServedFile> = {};
  for (const [name, bytes] of Object.entries(contents)) {
    onDisk[name] = { path: join(folder, name) };
    writeFileSync(join(folder, name), bytes);
  }
  hub = await serveHub({ "a/memory": { files: contents }, "a/disk": { files: onDisk } });
});
afterAll(async () => {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});

// Broken on purpose once: the range's end taken as excluded, and the hash of the first stride alone.
describe("files that the hub on this machine serves from disk", () => {
  it("are listed with the sizes and hashes that they have in memory", async () => {
    const [memory, disk] = await Promise.all(
      ["memory", "disk"].map(
        async (repo) => await (await fetch(`${hub.url}/api/models/a/${repo}/tree/main`)).json(),
      ),
    );
    expect(disk).toEqual(memory);
    expect(disk).toHaveLength(2);
  });

  it.each([
    ["small.json", 3, 7],
    ["large.safetensors", 8 * 2 ** 20 - 5, 8 * 2 ** 20 + 5],
    ["large.safetensors", 8 * 2 ** 20, 9 * 2 ** 20],
  ])("come by ranges: %s, bytes %i to %i", async (name, from, to) => {
    const answer = await fetch(`${hub.url}/a/disk/resolve/main/${name}`, {
      headers: { Range: `bytes=${from}-${to}` },
    });
    expect(answer.status).toBe(206);
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(contents[name].slice(from, to + 1));
  });
});
