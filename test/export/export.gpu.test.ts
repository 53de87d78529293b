/** `export` as the command line runs it: our kernels on the one side, onnxruntime-web on the other. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { loadModelFiles, openModelFolder } from "../../src/data/source.ts";
import { fromBfloat16, toBfloat16 } from "../../src/model/float16.ts";
import { modelFolderFiles } from "../../src/runs/model_folder.ts";
import { runInProcess } from "../cli/in_process.ts";
import { randomTensors, shapes } from "./decoder_reference.ts";

const folder = mkdtempSync(join(tmpdir(), "webgrpo-export-"));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...words: string[]) => runInProcess(["export", ...words], { cwd: folder });

function writeModel(name: string, shape: string): string {
  const config = shapes[shape];
  mkdirSync(join(folder, name));
  const files = modelFolderFiles({ config, tensors: randomTensors(config, 13) });
  for (const [file, bytes] of Object.entries(files)) writeFileSync(join(folder, name, file), bytes);
  return name;
}

const verified = (text: string) => text.match(/all 64 greedy tokens the same/g)?.length ?? 0;

describe("export --format onnx", () => {
  it("writes the built-in policy for transformers.js and finds its 64 greedy tokens the same", async () => {
    const model = ["--model", "builtin:chain-sum", "--format", "onnx", "--out", "policy"];
    const { code, stdout, stderr } = await run(...model, "--prompt", "7 + 9 - 5 =", "--prompt", "1 + 2 =");
    expect({ code, verified: verified(stdout) }, stderr).toEqual({ code: 0, verified: 2 });
    const files = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"];
    for (const file of [...files, "onnx/model.onnx"])
      expect(existsSync(join(folder, "policy", file))).toBe(true);
    expect(existsSync(join(folder, "policy", "model.safetensors"))).toBe(false);
  });

  it.each(Object.keys(shapes))("finds 64 greedy tokens the same: %s", async (shape) => {
    const name = writeModel(`model ${Object.keys(shapes).indexOf(shape)}`, shape);
    const out = `${name}.onnx`;
    const { code, stdout, stderr } = await run("--model", name, "--format", "onnx", "--out", out, "--json");
    expect(code, stderr).toBe(0);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { event: string; theirs?: number[]; difference?: unknown });
    expect(events.map(({ event }) => event)).toEqual(["exported", "verified", "verified", "verified"]);
    for (const { theirs, difference } of events.slice(1)) {
      expect([theirs?.length, difference]).toEqual([64, null]);
    }
    expect(existsSync(join(folder, out))).toBe(true);
  });
});

describe("export --format hf", () => {
  it("writes a folder that loads again, rounded to the width asked for", async () => {
    const model = ["--model", "builtin:chain-sum", "--format", "hf", "--out", "half", "--dtype", "BF16"];
    expect(await run(...model)).toMatchObject({ code: 0, stderr: "" });
    const builtIn = fileURLToPath(new URL("../../public/models/chain-sum", import.meta.url));
    const [was, is] = await Promise.all(
      [builtIn, join(folder, "half")].map(async (path) => loadModelFiles(await openModelFolder(path))),
    );
    const name = "model.layers.1.mlp.up_proj.weight";
    expect(is.tensors.get(name)?.data).toEqual(fromBfloat16(toBfloat16(was.tensors.get(name)!.data)));
    expect(is.tokenizerJson).toEqual(was.tokenizerJson);
    expect(JSON.parse(readFileSync(join(folder, "half", "config.json"), "utf8")).torch_dtype).toBe(
      "bfloat16",
    );
  });

  it.each([
    ["--format hf --no-verify --out x", "belong to `--format onnx`"],
    ["--format hf --out x.onnx", "no name for a folder"],
    ["--format onnx --dtype F16 --out x", "its weights are F32"],
    ["--format onx --out x", "did you mean `onnx`?"],
  ])("refuses %s", async (words, message) => {
    const { code, stderr } = await run("--model", "builtin:chain-sum", ...words.split(" "));
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it("does not write over the model that it reads", async () => {
    const name = writeModel("own", "Qwen3, tied");
    const { code, stderr } = await run("--model", name, "--format", "hf", "--out", name);
    expect(code).toBe(2);
    expect(stderr).toContain("own folder");
  });

  it("does not write into a run's checkpoint", async () => {
    mkdirSync(join(folder, "checkpoint"));
    writeFileSync(join(folder, "checkpoint", "state.json"), "{}");
    const words = ["--model", "builtin:chain-sum", "--format", "hf", "--out", "checkpoint"];
    const { code, stderr } = await run(...words);
    expect(code).toBe(2);
    expect(stderr).toContain("run's checkpoint");
    expect(readdirSync(join(folder, "checkpoint"))).toEqual(["state.json"]);
  });
});
