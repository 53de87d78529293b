import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CommandContext } from "../../src/cli/command.ts";
import { openProblems } from "../../src/cli/problems.ts";
import { type HubServer, serveHub } from "../data/hub/server.ts";

const train = new Uint8Array(readFileSync(new URL("../data/parquet/gsm8k.gzip.parquet", import.meta.url)));
let folder: string;
let hub: HubServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "problems-"));
  hub = await serveHub({
    "datasets/openai/gsm8k": { files: { "main/train.parquet": train }, token: "hf_t" },
  });
});
afterAll(async () => {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What a command works with, and what it says on the way. */
function contextOf(env: Record<string, string>) {
  const notes: string[] = [];
  const bar = { update: () => undefined, clear: () => undefined };
  const context = {
    cwd: folder,
    env: { WEBGRPO_MODELS: join(folder, "models"), ...env },
    output: { note: (text: string) => notes.push(text), bar },
    interrupt: { signal: new AbortController().signal },
  } as unknown as CommandContext;
  return { context, notes };
}

describe("openProblems()", () => {
  it("reads a file from where the user is, and tells which rows were left out", async () => {
    writeFileSync(join(folder, "rows.jsonl"), '{"prompt":"a"}\n{"x":1}\n\n7\n{"prompt":"b"}\n');
    const { context, notes } = contextOf({});
    const problems = await openProblems("rows.jsonl", { badRows: "skip" }, context);
    expect(problems.map(({ id }) => id)).toEqual(["data/1", "data/5"]);
    expect(notes[0]).toBe("Left out 2 of 4 lines of rows.jsonl: 2, 4");
    await expect(openProblems("rows.jsonl", {}, context)).rejects.toThrow(/line 2 of rows\.jsonl/);
    await expect(openProblems("none.jsonl", {}, context)).rejects.toMatchObject({ code: "data/no-file" });
  });

  it("reads a data set of the hub with the endpoint and token of the environment, and keeps it", async () => {
    const { context, notes } = contextOf({ HF_ENDPOINT: `${hub.url}/`, HF_TOKEN: "hf_t" });
    const file = "hub:openai/gsm8k/main/train.parquet";
    const problems = await openProblems(file, { answerFrom: "gsm8k" }, context);
    expect(problems.map(({ answer }) => answer)).toEqual(["18", "2000", "7"]);
    expect(notes).toEqual([`Downloaded ${file}: 2 KiB, kept for the next time`]);
    const asked = hub.requests.length;
    expect(await openProblems(file, { answerFrom: "gsm8k" }, context)).toEqual(problems);
    expect(hub.requests.length).toBe(asked);
    const stranger = contextOf({ HF_ENDPOINT: hub.url, WEBGRPO_MODELS: join(folder, "others") });
    await expect(openProblems(file, {}, stranger.context)).rejects.toMatchObject({ code: "hub/gated" });
  });
});
