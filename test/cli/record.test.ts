/** `record` on a disk: the recording, and beside it the policy of the run's newest checkpoint. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadModelFiles, openModelFolder } from "../../src/data/source.ts";
import { freshAdapters } from "../../src/model/adapters/init.ts";
import { adapterFolderFiles } from "../../src/model/adapters/peft.ts";
import { parseModelConfig } from "../../src/model/config.ts";
import { parseSafetensors } from "../../src/model/safetensors.ts";
import { writeCheckpoint } from "../../src/runs/checkpoint.ts";
import { openDiskStorage } from "../../src/runs/disk.ts";
import type { RecordedRun } from "../../src/runs/recorded_run.ts";
import { createRun, type RunDirectory } from "../../src/runs/run_directory.ts";
import { TINY_CONFIG } from "../runs/memory_files.ts";
import { saveStep, TINY_RECIPE } from "../runs/stored_run.ts";
import { runInProcess } from "./in_process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;
let run: RunDirectory;
const out = () => join(folder, "mine.json");
const policyFolder = () => join(folder, "mine_policy");

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "record-"));
  run = await createRun(openDiskStorage(join(folder, "run")), TINY_RECIPE);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function recordTo(file: string): Promise<{ printed: string; code: number }> {
  const { code, stdout, stderr } = await runInProcess(["record", "--run", "run", "--out", file], {
    cwd: folder,
  });
  return { printed: stdout + stderr, code };
}

async function record(): Promise<{ printed: string; recorded: RecordedRun }> {
  const { printed, code } = await recordTo("mine.json");
  expect(code, printed).toBe(0);
  return { printed, recorded: JSON.parse(readFileSync(out(), "utf8")) as RecordedRun };
}

const ADAPTERS = { rank: 2, alpha: 4, targets: ["q_proj"] as const };

/** A checkpoint of adapters over the built-in model, as a run on this machine names it. */
async function saveAdapters(step: number) {
  const config = parseModelConfig({ ...TINY_CONFIG, vocab_size: 28 });
  const tensors = freshAdapters(config, ADAPTERS, 3);
  const baseModel = join(root, "public/models/chain-sum");
  const modelFiles = { ...adapterFolderFiles({ settings: ADAPTERS, tensors, baseModel, revision: null }) };
  const counts = { step, weightVersion: step, optimizerStep: step, dataCursor: 0, inFlight: [] };
  await writeCheckpoint(run.storage, {
    state: { ...counts, random: {}, recipeHash: run.recipeHash },
    modelFiles: { ...modelFiles, "tokenizer.json": new TextEncoder().encode("{}") },
  });
  return modelFiles;
}

describe("record", () => {
  it("writes the newest checkpoint as a model beside the recording, its weights in f16", async () => {
    await saveStep(run, 2);
    await saveStep(run, 4);
    const { printed, recorded } = await record();
    expect(recorded.policy).toEqual({ folder: "mine_policy", step: 4, version: 4, dtype: "F16" });
    expect(printed).toContain("The policy after step 4");
    expect(readdirSync(policyFolder())).toEqual([
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    const model = await loadModelFiles(await openModelFolder(policyFolder()));
    expect(model.config.raw.torch_dtype).toBe("float16");
    expect([...model.tensors.values()].every(({ data }) => data.every((value) => value === 4))).toBe(true);
    const file = parseSafetensors(new Uint8Array(readFileSync(join(policyFolder(), "model.safetensors"))));
    expect(new Set([...file.tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(["F16"]));
  });

  it("only reads the run: what is being written there stays, and is not taken", async () => {
    await saveStep(run, 2);
    await run.storage.writeFile("checkpoints/step-000006.tmp/model.safetensors", new Uint8Array(8));
    const { recorded } = await record();
    expect(recorded.policy?.step).toBe(2);
    expect(readdirSync(join(folder, "run/checkpoints"))).toEqual(["step-000002", "step-000006.tmp"]);
  });

  it("leaves weights in f32 where f16 would make one infinite", async () => {
    await saveStep(run, 65_520);
    const { recorded } = await record();
    expect(recorded.policy?.dtype).toBe("F32");
    const { tensors } = await loadModelFiles(await openModelFolder(policyFolder()));
    expect([...tensors.values()][0].data[0]).toBe(65_520);
  });

  it("takes the adapters of a run that trained them as they are, over the model that the recipe names", async () => {
    const saved = await saveAdapters(3);
    const { recorded } = await record();
    expect(recorded.policy).toMatchObject({ step: 3, dtype: "F32" });
    const read = (name: string) => readFileSync(join(policyFolder(), name));
    expect(new Uint8Array(read("adapter_model.safetensors"))).toEqual(saved["adapter_model.safetensors"]);
    const before = JSON.parse(new TextDecoder().decode(saved["adapter_config.json"]));
    expect(JSON.parse(read("adapter_config.json").toString())).toEqual({
      ...before,
      base_model_name_or_path: "builtin:chain-sum",
    });
    expect(readdirSync(policyFolder()).length).toBe(3);
  });

  it("leaves nothing of an earlier policy, and nothing at all where the run has no checkpoint", async () => {
    await saveStep(run, 2);
    await record();
    await run.storage.remove("checkpoints");
    await saveAdapters(3);
    await record();
    expect(readdirSync(policyFolder())).not.toContain("model.safetensors");
    await run.storage.remove("checkpoints");
    const { recorded, printed } = await record();
    expect(recorded.policy).toBeNull();
    expect(printed).toContain("the run has no checkpoint");
    expect(existsSync(policyFolder())).toBe(false);
  });

  it("does not touch what somebody else put into the folder", async () => {
    await saveStep(run, 2);
    await record();
    writeFileSync(join(policyFolder(), "notes.txt"), "mine");
    await run.storage.remove("checkpoints");
    await record();
    expect(readdirSync(policyFolder())).toEqual(["notes.txt"]);
  });

  it("says so where a folder lies in the file's place", async () => {
    const { code, printed } = await recordTo("run");
    expect(code).toBe(1);
    expect(printed).toContain("[runs/io]");
    expect(printed).toContain("--out");
  });
});
