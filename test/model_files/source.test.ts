import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadModelFiles, openModelFolder, openModelMemory } from "../../src/data/source.ts";
import { DataError } from "../../src/errors.ts";
import { countParameters, parseModelConfig, tensorNames } from "../../src/model/config.ts";
import { type WritableTensor, writeSafetensors } from "../../src/model/safetensors.ts";

const sharedFolder = fileURLToPath(new URL("../../../shared/", import.meta.url));
const raw = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: 8,
  hidden_size: 4,
  intermediate_size: 6,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  tie_word_embeddings: true,
  eos_token_id: 2,
};
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

function tinyTensors(): Record<string, WritableTensor> {
  const tensors: Record<string, WritableTensor> = {};
  for (const [index, { name, shape }] of tensorNames(parseModelConfig(raw)).entries()) {
    const count = shape.reduce((a, b) => a * b, 1);
    tensors[name] = { dtype: "F32", shape, data: new Float32Array(count).fill(index + 1) };
  }
  return tensors;
}

function tinyFolder(tensors = tinyTensors()): Record<string, Uint8Array> {
  return { "config.json": bytesOf(raw), "model.safetensors": writeSafetensors(tensors) };
}

async function refusal(files: Record<string, Uint8Array>): Promise<DataError> {
  const error = await loadModelFiles(openModelMemory(files)).catch((cause) => cause);
  if (error instanceof DataError) return error;
  throw new Error(`nothing was refused, got ${String(error)}`);
}

describe("loadModelFiles()", () => {
  it("loads one file, ignores a tied head's copy, takes the ids of generation_config.json", async () => {
    const tensors = tinyTensors();
    tensors["lm_head.weight"] = { dtype: "F32", shape: [8, 4], data: new Float32Array(32) };
    const files = {
      ...tinyFolder(tensors),
      "generation_config.json": bytesOf({ eos_token_id: [5, 2] }),
      "tokenizer_config.json": bytesOf({ chat_template: [{ name: "default", template: "{{ x }}" }] }),
    };
    const loaded = await loadModelFiles(openModelMemory(files));
    expect([...loaded.tensors.keys()]).toEqual(tensorNames(loaded.config).map(({ name }) => name));
    expect(loaded.tensors.get("model.norm.weight")?.data).toEqual(
      Float32Array.from(tensors["model.norm.weight"].data as Float32Array),
    );
    expect(loaded.config.eosIds).toEqual([5, 2]);
    expect(loaded.chatTemplate).toBe("{{ x }}");
    expect(loaded.tokenizerJson).toBeUndefined();
  });

  it("loads shards by their index", async () => {
    const tensors = tinyTensors();
    const names = Object.keys(tensors);
    const part = (from: number, to?: number) =>
      writeSafetensors(Object.fromEntries(names.slice(from, to).map((name) => [name, tensors[name]])));
    const shard = (name: string) => `model-0000${names.indexOf(name) < 4 ? 1 : 2}-of-00002.safetensors`;
    const files: Record<string, Uint8Array> = {
      "config.json": bytesOf(raw),
      "model.safetensors.index.json": bytesOf({
        metadata: {},
        weight_map: Object.fromEntries(names.map((name) => [name, shard(name)])),
      }),
      "model-00001-of-00002.safetensors": part(0, 4),
      "model-00002-of-00002.safetensors": part(4),
    };
    const whole = await loadModelFiles(openModelMemory(tinyFolder()));
    expect((await loadModelFiles(openModelMemory(files))).tensors).toEqual(whole.tensors);

    const { "model-00002-of-00002.safetensors": _, ...withoutSecond } = files;
    expect(await refusal(withoutSecond)).toMatchObject({ code: "model/missing-file" });
    const swapped = { ...files, "model-00002-of-00002.safetensors": part(0, 4) };
    expect(await refusal(swapped)).toMatchObject({ code: "model/missing-tensor" });
    const escaping = bytesOf({ weight_map: { x: "../secret.safetensors" } });
    expect(await refusal({ ...files, "model.safetensors.index.json": escaping })).toMatchObject({
      code: "model/bad-index",
    });
  });

  it("refuses missing, extra and wrong-shaped tensors by name", async () => {
    const missing = tinyTensors();
    delete missing["model.norm.weight"];
    expect(await refusal(tinyFolder(missing))).toMatchObject({
      code: "model/missing-tensor",
      message: expect.stringContaining("model.norm.weight"),
    });
    const extra = {
      ...tinyTensors(),
      "model.layers.7.mlp.up_proj.weight": missing["model.embed_tokens.weight"],
    };
    expect(await refusal(tinyFolder(extra))).toMatchObject({
      code: "model/extra-tensor",
      message: expect.stringContaining("model.layers.7"),
    });
    const bent = tinyTensors();
    bent["model.embed_tokens.weight"] = { dtype: "F32", shape: [4, 8], data: new Float32Array(32) };
    expect(await refusal(tinyFolder(bent))).toMatchObject({
      code: "model/wrong-shape",
      message: expect.stringMatching(/model\.embed_tokens\.weight.*\[4, 8\].*\[8, 4\]/),
    });
  });

  it("refuses missing and damaged files by name", async () => {
    const { "config.json": config, "model.safetensors": weights } = tinyFolder();
    expect((await refusal({ "model.safetensors": weights })).message).toContain("config.json is missing");
    expect((await refusal({ "config.json": config, "pytorch_model.bin": weights })).code).toBe(
      "model/missing-file",
    );
    expect(await refusal({ "config.json": config, "model.safetensors": weights.slice(0, -3) })).toMatchObject(
      {
        code: "safetensors/damaged",
        message: expect.stringContaining("model.safetensors"),
      },
    );
    const text = new TextEncoder().encode("{");
    expect((await refusal({ ...tinyFolder(), "tokenizer.json": text })).message).toContain("tokenizer.json");
  });

  it("says which folder does not exist", async () => {
    await expect(openModelFolder("no/such/folder")).rejects.toMatchObject({ code: "model/no-folder" });
  });

  describe.skipIf(!existsSync(`${sharedFolder}reference`))("on models that other programs wrote", () => {
    it.each([
      "reference/vectors/models/qwen2-like",
      "reference/vectors/models/qwen3-like",
      "reference/vectors/models/llama-gqa",
      "reference/vectors/models/llama31-like",
      "material/weights/verl-digit-llama",
    ])("loads %s", async (folder) => {
      const { config, tensors } = await loadModelFiles(await openModelFolder(sharedFolder + folder));
      const held = [...tensors.values()].reduce((total, { data }) => total + data.length, 0);
      expect(held).toBe(countParameters(config));
      for (const [name, { data }] of tensors) {
        expect(data.every(Number.isFinite), name).toBe(true);
      }
    });
  });
});
