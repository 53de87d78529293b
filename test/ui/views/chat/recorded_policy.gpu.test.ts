/** The policy that came with a recording: fetched from its folder's address when somebody asks, and no earlier. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openModelMemory } from "../../../../src/data/source.ts";
import { openGpu } from "../../../../src/gpu/device.ts";
import { ChatServer } from "../../../../src/ui/views/chat/chat_server.ts";
import { memoryFiles } from "../../../runs/memory_files.ts";
import { adapterFolder, modelFolder, task } from "./tiny_policy.ts";

const folders: Record<string, Record<string, Uint8Array>> = {
  policy: modelFolder(7, "F16"),
  adapters: adapterFolder(0.5),
};
const asked: string[] = [];
const host = createServer((request, response) => {
  const [, folder, name] = (request.url ?? "").split("/");
  asked.push(`${folder}/${name}`);
  const bytes = folders[folder]?.[name];
  response.writeHead(bytes ? 200 : 404).end(bytes);
});

const memory = memoryFiles();
const server = new ChatServer({
  openGpu: () => openGpu({ label: "chat test", baseOnly: true }),
  findModel: async ({ model }) => ({
    source: openModelMemory(model === "as recorded" ? folders.policy : modelFolder(0)),
  }),
  openStorage: (folder) => memory.open(folder),
});

const prompt = task.heldOut(1)[0].prompt as string;
const sourceFor = (folder: string) => {
  const { port } = host.address() as AddressInfo;
  const recorded = { address: `http://127.0.0.1:${port}/${folder}`, step: 30, version: 31 };
  return { base: "https://page/", model: "builtin:tiny", run: null, recorded, verifier: {} };
};
const ask = (which: "first" | "newest") =>
  server.chat({ which, prompt, temperature: 1, seed: 4 }, () => undefined);

beforeAll(() => new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve)));
afterAll(() => {
  server.loseDevice();
  host.close();
});

describe("ChatServer of a recorded run", () => {
  it("answers with the policy beside the recording as with the same weights from anywhere", async () => {
    const subject = await server.open(sourceFor("policy"));
    expect(subject.newest).toEqual({ version: 31, step: 30 });
    const [first, newest] = await Promise.all([ask("first"), ask("newest")]);
    expect([first.version, newest.version]).toEqual([0, 31]);
    expect(newest.tokens).not.toEqual(first.tokens);
    const { logits } = await server.nextTokens("newest", prompt, [], 3);
    await server.open({ ...sourceFor("policy"), model: "as recorded", recorded: undefined });
    expect((await server.nextTokens("first", prompt, [], 3)).logits).toEqual(logits);
    expect((await ask("first")).tokens).toEqual(newest.tokens);
  });

  it("asks for nothing again once it is loaded", async () => {
    await server.open(sourceFor("policy"));
    const before = asked.length;
    expect(await server.newerStep()).toBeNull();
    expect(await server.renew()).toEqual({ version: 31, step: 30 });
    await ask("newest");
    expect(asked.length).toBe(before);
  });

  it("lays adapters over the model that the run began with", async () => {
    const { newest } = await server.open(sourceFor("adapters"));
    expect(newest).toEqual({ version: 31, step: 30 });
    const logits = async (which: "first" | "newest") =>
      (await server.nextTokens(which, prompt, [], 3)).logits;
    expect(await logits("newest")).not.toEqual(await logits("first"));
  });

  it("has no newest policy where the host left the folder out, and the first one answers", async () => {
    expect((await server.open(sourceFor("nowhere"))).newest).toBeNull();
    expect((await ask("first")).tokens.length).toBeGreaterThan(0);
  });
});
