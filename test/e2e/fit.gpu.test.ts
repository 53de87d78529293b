/** "It fits or says why", by the real command line: plans before weights, proposals, and changes made with `--fit`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseRecipe } from "../../src/config/parse.ts";
import { loadModelConfig, openModelFolder } from "../../src/data/source.ts";
import { planMemory } from "../../src/planner/plan.ts";
import { type HubServer, serveHub } from "../data/hub/server.ts";
import { hasModel, modelFolder } from "../loop/tiny.ts";
import { type Ended, freshFolder, removeFolders, command as runCommand, tinyTrain } from "./command.ts";

const set = (...settings: string[]) => settings.flatMap((setting) => ["--set", setting]);
const events = ({ stdout }: Ended) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

let folder: string;
let cache: string;
let hub: HubServer;
beforeAll(async () => {
  folder = await freshFolder();
  cache = await freshFolder();
  if (!hasModel) return;
  const files = Object.fromEntries(
    readdirSync(modelFolder).map((name) => [name, new Uint8Array(readFileSync(join(modelFolder, name)))]),
  );
  hub = await serveHub({ "webgrpo/chain-sum": { files } });
});
afterAll(async () => {
  await hub?.close();
  await removeFolders();
});
const command = (...words: string[]) =>
  runCommand(words, { env: { HF_ENDPOINT: hub.url, WEBGRPO_MODELS: cache, HF_TOKEN: "" } });

describe.skipIf(!hasModel)("a model of the hub that is not here", () => {
  const model = ["--model", "webgrpo/chain-sum"];
  const asked = () => hub.requests.filter((path) => path.includes("model.safetensors")).length;

  it("is planned without its weights by train --dry-run and doctor, and downloaded when it trains", async () => {
    const text = await command("train", "--recipe", "smoke", ...model, "--dry-run");
    expect(text.code).toBe(0);
    expect(text.stderr).toContain("Download: 0.8 MiB of weights, once");
    expect(text.stdout).toMatch(/^GPU memory +trainer +generator$/m);
    expect(text.stdout).toMatch(/^in all +\d+ MiB +[\d.]+ MiB$/m);
    expect(text.stdout).toMatch(/^Together \d+ MiB; beside it in the processor's memory: weight board/m);

    const doctor = await command("doctor", "--quick", ...model, "--recipe", "smoke", "--json");
    const findings = Object.fromEntries(events(doctor).map((one) => [one.name, one]));
    expect(findings.model).toMatchObject({ state: "ok" });
    expect(String(findings.model.found)).toMatch(/399,488 parameters, .* 0\.8 MiB of weights to download/);
    expect(findings.memory).toMatchObject({ state: "ok" });
    expect(asked()).toBe(0);
    const listed = await command("models");
    expect(listed.stdout).toMatch(/webgrpo\/chain-sum .*without weights/);

    const small = set("gpu.maxMemoryMiB=16");
    const refused = await command("train", "--recipe", "smoke", ...model, ...small);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("[gpu/does-not-fit]")]);
    expect(asked()).toBe(0);

    const run = join(folder, "hub-run");
    const trained = await command(...tinyTrain(run, ...model, "--steps", "1"));
    expect(trained.stderr).toContain("Downloaded webgrpo/chain-sum: 1 MiB");
    expect(trained.code).toBe(0);
    expect(asked()).toBeGreaterThan(0);
    expect((await command("models")).stdout).toMatch(/webgrpo\/chain-sum +main +.*whole/);
  });
});

describe.skipIf(!hasModel)("a run that does not fit", () => {
  const tight = [...set("gpu.maxMemoryMiB=40"), "--recipe", "smoke"];

  it("ends a dry run with 1, its table and a proposal with which the next one ends with 0", async () => {
    const refused = await command("train", ...tight, "--dry-run");
    expect(refused.code).toBe(1);
    expect(refused.stdout).toMatch(/^in all +\d+ MiB/m);
    const [, proposal = ""] = /Hint: It fits with ((?:--set \S+ )+)\(/.exec(refused.stderr) ?? [];
    const accepted = await command("train", ...tight, "--dry-run", ...proposal.trim().split(" "));
    expect([proposal, accepted.code]).toEqual([expect.stringMatching(/microBatchTokens/), 0]);

    const [told] = events(await command("train", ...tight, "--dry-run", "--json"));
    expect(told).toMatchObject({ event: "dry_run", fits: false, downloadBytes: 0 });
    const doctor = await command("doctor", "--quick", ...tight);
    expect(doctor.code).toBe(1);
    expect(doctor.stdout).toMatch(/^MISSING +memory /m);
    expect(doctor.stdout).toContain(`memory: It fits with ${proposal.trim()}`);
  });

  it("trains with --fit, within the limit, and its recipe has the changes", async () => {
    const run = join(folder, "fitted");
    const more = [
      ...set("gpu.maxMemoryMiB=24", "trainer.microBatchTokens=8192", "gpu.selfTest=true"),
      "--fit",
    ];
    const ended = await command(...tinyTrain(run, "--steps", "1", ...more, "--json"));
    expect(ended.stderr).toMatch(/Changed so that it fits: --set trainer\.microBatchTokens=\d+/);
    expect(ended.code).toBe(0);
    const fitted = events(ended).find(({ event }) => event === "fitted");
    const changes = fitted?.changes as Record<string, number>;
    const recipe = parseRecipe(JSON.parse(readFileSync(join(run, "recipe.json"), "utf8")));
    expect(recipe.trainer.microBatchTokens).toBe(changes["trainer.microBatchTokens"]);
    expect(recipe.trainer.microBatchTokens).toBeLessThan(8192);
    const [, allocated] = /; ([\d.]+) MiB allocated/.exec(ended.stderr) ?? [];
    const config = await loadModelConfig(await openModelFolder(modelFolder));
    const { totalBytes } = planMemory(recipe, config, { maxSequence: 40 });
    expect(Number(allocated) * 2 ** 20).toBeLessThan(24 * 2 ** 20);
    expect(Number(allocated) * 2 ** 20).toBeGreaterThan(0.9 * totalBytes);

    const words = ["train", "--resume", run, "--fit"];
    expect((await command(...words)).stderr).toContain("[cli/resume-conflict]");
  });

  it("says that nothing fits where nothing does, with --fit as well", async () => {
    const out = join(folder, "never");
    const wide = set("gpu.maxMemoryMiB=16", "trainer.groupSize=64", "trainer.batchSize=64");
    const ended = await command(...tinyTrain(out, ...wide, ...set("generator.concurrency=512"), "--fit"));
    expect([ended.code, existsSync(out)]).toEqual([1, false]);
    expect(ended.stderr).toMatch(/Hint: Choose a smaller model or shorter completions/);
  });
});
