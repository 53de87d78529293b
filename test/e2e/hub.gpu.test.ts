import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HubServer, serveHub } from "../data/hub/server.ts";
import { hasModel, modelFolder } from "../loop/tiny.ts";
import { command as runCommand } from "./command.ts";

const files = () =>
  Object.fromEntries(
    readdirSync(modelFolder).map((name) => [name, new Uint8Array(readFileSync(join(modelFolder, name)))]),
  );

describe.skipIf(!hasModel)("a model on the hub", () => {
  let hub: HubServer;
  const cache = mkdtempSync(join(tmpdir(), "hub-cache-"));
  beforeAll(async () => {
    hub = await serveHub({
      "webgrpo/chain-sum": { files: files() },
      "webgrpo/gated": { files: files(), token: "hf_right" },
    });
  });
  afterAll(async () => {
    await hub.close();
    rmSync(cache, { recursive: true, force: true });
  });
  const command = (...words: string[]) =>
    runCommand(words, { env: { HF_ENDPOINT: hub.url, WEBGRPO_MODELS: cache, HF_TOKEN: "" } });
  const prompt = ["--prompt", "3 - 2 =", "--temperature", "0", "--seed", "1"];

  it("is downloaded once, answers as its folder does, is listed and removed", async () => {
    const first = await command("generate", "--model", "webgrpo/chain-sum", ...prompt);
    expect(first.stderr).toContain("Downloaded webgrpo/chain-sum");
    const asked = hub.requests.length;
    const again = await command("generate", "--model", "webgrpo/chain-sum@main", ...prompt);
    expect(hub.requests.length).toBe(asked);
    const local = await command("generate", "--model", modelFolder, ...prompt);
    expect(local.stdout.length).toBeGreaterThan(3);
    expect([first.stdout, again.stdout]).toEqual([local.stdout, local.stdout]);

    const listed = await command("models");
    expect(listed.stdout).toMatch(/webgrpo\/chain-sum +main +[0-9a-f]{12} .*whole/);
    const removed = await command("models", "--remove", "webgrpo/chain-sum");
    expect(removed.stdout).toContain("given back");
    expect(readdirSync(cache)).toEqual([]);
  });

  it("ends with a clear error where it is not there, or not for everybody", async () => {
    const missing = await command("eval", "--model", "webgrpo/none", "--task", "chain_sum");
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining("[hub/not-found]")]);
    const gated = await command("train", "--model", "webgrpo/gated", "--dry-run");
    expect([gated.code, gated.stderr]).toEqual([1, expect.stringContaining("HF_TOKEN")]);
  });
});
