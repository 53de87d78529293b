/** A run of adapters from the command line, and what every other command makes of its checkpoint. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CommandContext } from "../../src/cli/command.ts";
import { openPolicy } from "../../src/cli/models.ts";
import type { ModelText } from "../../src/data/source.ts";
import { loadAllWeights, modelWeights } from "../../src/data/weights_handle.ts";
import { packTensors } from "../../src/model/layout.ts";
import { loadParameters } from "../../src/model/load.ts";
import { Policy } from "../../src/model/policy.ts";
import { expectClose, largest, testGpu } from "../gpu_harness.ts";
import { hasModel, modelFolder } from "../loop/tiny.ts";
import { command, type Ended, freshFolder, removeFolders, tinyTrain } from "./command.ts";

const adapted = ["--set", "trainer.lora.rank=8", "--set", "trainer.learningRate=1e-2"];
const asked = ["--set", "evaluation.problems=32", "--set", "evaluation.samples=2"];

const lastEvent = ({ stdout }: Ended) => JSON.parse(stdout.trim().split("\n").at(-1)!);
const checkpoint = (run: string, step: number) =>
  join(run, "checkpoints", `step-${String(step).padStart(6, "0")}`);

/** Log-probabilities of a text of 12 tokens; adapters beside the model instead of merged into it. */
async function logprobs(model: ModelText, beside = false): Promise<Float32Array> {
  const adapter = beside ? model.adapters?.at(-1) : undefined;
  const base = beside ? { ...model, adapters: model.adapters?.slice(0, -1) } : model;
  const { config } = model;
  const settings = adapter?.settings ?? null;
  const options = { config, capacity: 16, maxPositions: 16, adapters: settings };
  using policy = await Policy.create(await testGpu(), options);
  await loadParameters(policy.gpu, policy.weights, await modelWeights(base));
  if (adapter) policy.trained.write(packTensors(policy.trained.layout, adapter.tensors));
  const tokens = Uint32Array.from({ length: 12 }, (_, i) => (7 * i + 3) % config.vocabSize);
  const rows = Uint32Array.from({ length: 11 }, (_, i) => i);
  policy.load({
    tokens,
    positions: Uint32Array.from({ length: 12 }, (_, i) => i),
    offsets: Uint32Array.from([0, 12]),
    rows,
    targets: tokens.slice(1),
  });
  policy.forward(1);
  policy.recorder.submit();
  return policy.head.logprobs.readFloats(0, rows.length);
}

describe.skipIf(!hasModel)("a checkpoint of adapters", () => {
  let place: string;
  let run: string;
  let adapters: string;
  let trained: Ended;
  beforeAll(async () => {
    place = await freshFolder();
    run = join(place, "run");
    adapters = checkpoint(run, 2);
    trained = await command(tinyTrain(run, ...adapted, ...asked, "--steps", "2", "--json"), {
      limitMs: 180_000,
    });
    expect(trained.code, trained.stderr).toBe(0);
  }, 200_000);
  afterAll(removeFolders);

  const context = () => ({ cwd: place, root: place, env: {} }) as unknown as CommandContext;
  const open = (name: string) => openPolicy(name, context());
  const done = async (...words: string[]) => {
    const ended = await command(words, { cwd: place, limitMs: 180_000 });
    expect(ended.code, ended.stderr).toBe(0);
    return ended;
  };

  it("is a PEFT folder with the model's texts, and names the model by its folder", () => {
    const texts = ["generation_config.json", "tokenizer.json", "tokenizer_config.json"];
    const ours = ["optimizer.safetensors", "state.json"];
    const files = ["adapter_config.json", "adapter_model.safetensors", ...texts, ...ours];
    expect(readdirSync(adapters).sort()).toEqual(files.sort());
    expect(JSON.parse(readFileSync(join(adapters, "adapter_config.json"), "utf8"))).toMatchObject({
      peft_type: "LORA",
      r: 8,
      lora_alpha: 16,
      base_model_name_or_path: modelFolder,
      revision: null,
    });
  });

  it("is evaluated as its run was evaluated at last", async () => {
    // Merged here, beside the model there: only a draw that falls within their rounding could differ.
    const words = ["--task", "chain_sum", "--limit", "32", "--samples", "2", "--json"];
    const {
      "pass@1": once,
      "pass@2": twice,
      mean_length,
    } = lastEvent(await done("eval", "--model", adapters, ...words));
    const { eval: evaluated } = lastEvent(trained);
    expect({ once, twice, mean_length }).toEqual({
      once: evaluated.after["pass@1"],
      twice: evaluated.after["pass@2"],
      mean_length: evaluated.after.mean_length,
    });
    expect(evaluated.after["pass@1"]).not.toBe(evaluated.before["pass@1"]);
  });

  it("becomes a merged folder that loads with the same numbers, and generates the same", async () => {
    await done("export", "--model", adapters, "--format", "hf", "--out", "merged");
    const [policy, merged] = [await open(adapters), await open("merged")];
    expect(merged.adapters).toBeUndefined();
    expect(merged.generationConfig).toEqual(policy.generationConfig);
    const whole = await logprobs(merged);
    expect(await logprobs(policy)).toEqual(whole);
    // Beside the model instead of in its weights: sums in another order, each rounded to f32.
    const beside = await logprobs(policy, true);
    expectClose("logprobs", beside, whole, { atol: 1e-5 * largest(whole) });
    const before = await logprobs({ ...policy, adapters: [] });
    expect(largest(whole.map((value, i) => value - before[i]))).toBeGreaterThan(1e-2);
    const words = ["--prompt", "7 + 9 - 5 =", "--samples", "2", "--json"];
    const answers = await Promise.all(
      [adapters, "merged"].map(async (model) => (await done("generate", "--model", model, ...words)).stdout),
    );
    expect(answers[0]).toContain("completion");
    expect(answers[0]).toBe(answers[1]);
  });

  it("becomes a PEFT folder that loads with the same numbers", async () => {
    await done("export", "--model", adapters, "--format", "peft", "--out", "peft");
    expect(existsSync(join(place, "peft", "optimizer.safetensors"))).toBe(false);
    const [policy, again] = [await open(adapters), await open("peft")];
    expect(again.adapters).toEqual(policy.adapters);
    expect(await logprobs(again)).toEqual(await logprobs(policy));
    await done("export", "--model", adapters, "--format", "peft", "--out", "half", "--dtype", "BF16");
    const half = (await open("half")).adapters?.[0].tensors;
    const [[name, { data }]] = policy.adapters![0].tensors;
    expectClose(name, half!.get(name)!.data, data, { rtol: 2 ** -8 });
    expect(half!.get(name)!.data).not.toEqual(data);
  });

  it("becomes ONNX whose greedy tokens are the same", async () => {
    const { stdout } = await done("export", "--model", adapters, "--format", "onnx", "--out", "policy.onnx");
    expect(stdout.match(/all 64 greedy tokens the same/g)?.length).toBe(3);
  });

  it("refuses what does not go with the format", async () => {
    const refused = async (...words: string[]) => {
      const { code, stderr } = await command(["export", ...words], { cwd: place });
      expect(code).toBe(2);
      return stderr;
    };
    const model = ["--model", adapters, "--format", "peft"];
    expect(await refused(...model, "--out", "x.onnx")).toContain("no name for a folder");
    expect(await refused(...model, "--out", "x", "--no-verify")).toContain("belong to `--format onnx`");
    expect(await refused(...model, "--out", adapters)).toContain("own folder");
    const plain = ["--model", modelFolder, "--format", "peft", "--out", "x"];
    expect(await refused(...plain)).toContain("this policy has no adapters");
  });

  it("is where a run of every parameter can begin", async () => {
    const out = join(place, "full");
    await done(...tinyTrain(out, "--model", adapters, "--steps", "1", "--set", "trainer.learningRate=0"));
    const merged = await loadAllWeights(await open(adapters));
    const full = await loadAllWeights(await open(checkpoint(out, 1)));
    expect(full.tensors).toEqual(merged.tensors);
  });

  it("is where a run of other adapters can begin, whose checkpoints lie over it", async () => {
    const out = join(place, "second");
    const words = ["--model", adapters, "--set", "trainer.lora.rank=4"];
    await done(...tinyTrain(out, ...words, "--steps", "1", "--set", "trainer.learningRate=1e-2"));
    const { adapters: found, source } = await open(checkpoint(out, 1));
    expect(found?.map(({ settings }) => settings.rank)).toEqual([8, 4]);
    expect(found?.[1].baseModel).toBe(adapters);
    expect(source?.where).toBe(modelFolder);
    const resumed = await done("train", "--resume", out, "--steps", "2", "--json");
    expect(lastEvent(resumed)).toMatchObject({ event: "summary", steps: 2 });
  });

  it("is not gone on from with other adapters, and the run stays as it was", async () => {
    const before = readFileSync(join(run, "recipe.json"), "utf8");
    const words = ["train", "--resume", run, "--steps", "3"];
    const { code, stderr } = await command([...words, "--set", "trainer.lora.rank=4"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/with adapters of rank 4.*: it holds adapters of rank 8/);
    expect(readFileSync(join(run, "recipe.json"), "utf8")).toBe(before);
    expect(lastEvent(await done(...words, "--json"))).toMatchObject({ event: "summary", steps: 3 });
  });
});
