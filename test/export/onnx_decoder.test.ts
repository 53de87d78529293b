/** Exported decoders in onnxruntime-web against the float64 reference. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadModelFiles, openModelFolder } from "../../src/data/source.ts";
import { decoderGraph } from "../../src/export/onnx_decoder.ts";
import { argmax, type OnnxCache, OnnxPolicy } from "../../src/export/onnx_policy.ts";
import { encodeOnnx } from "../../src/export/onnx_proto.ts";
import { type ModelConfig, tensorNames } from "../../src/model/config.ts";
import { parseSafetensors, toFloat32, toInt32 } from "../../src/model/safetensors.ts";
import { expectClose, largest, uniform } from "../gpu_harness.ts";
import { decoderReference, randomTensors, shapes, type Tensors } from "./decoder_reference.ts";

const builtIn = fileURLToPath(new URL("../../public/models/chain-sum", import.meta.url));

async function open(config: ModelConfig, tensors: Tensors): Promise<OnnxPolicy> {
  return await OnnxPolicy.open(await encodeOnnx(decoderGraph(config, tensors)), config);
}

function randomIds(config: ModelConfig, length: number, seed: number): number[] {
  const next = uniform(seed);
  return Array.from({ length }, () => Math.floor(config.vocabSize * next()));
}

/** Within 1e-4 of the largest logit. */
function expectLogits(name: string, got: ArrayLike<number>, want: Float64Array): void {
  expectClose(name, got, want, { atol: 1e-4 * largest(want) });
}

async function models(): Promise<[string, { config: ModelConfig; tensors: Tensors }][]> {
  const random = Object.entries(shapes).map(([name, config], i) => {
    return [name, { config, tensors: randomTensors(config, i + 1) }] as [
      string,
      { config: ModelConfig; tensors: Tensors },
    ];
  });
  const { config, tensors } = await loadModelFiles(await openModelFolder(builtIn));
  return [...random, ["the built-in policy", { config, tensors }]];
}

// Broken on purpose once: the head norms left out, 1/√D, the biases, the coarse table's stride, and the mask's comparison
// turned to "less". Each failed below.
describe.each(await models())("%s", (_, { config, tensors }) => {
  it("gives the reference's logits for a prompt and for steps on its cache", async () => {
    const policy = await open(config, tensors);
    const ids = randomIds(config, 21, 5);
    const V = config.vocabSize;
    const want = decoderReference(config, tensors, ids);
    let past: OnnxCache | undefined;
    for (const [from, to] of [
      [0, 14],
      [14, 15],
      [15, 16],
      [16, 21],
    ]) {
      const { logits, cache } = await policy.step({ ids: [ids.slice(from, to)], past });
      expectLogits(`logits ${from} to ${to}`, logits, want.subarray(from * V, to * V));
      past = cache;
    }
    await policy.release();
  });

  it("takes several sequences of different lengths, padded on the left", async () => {
    const policy = await open(config, tensors);
    const V = config.vocabSize;
    const rows = [randomIds(config, 9, 6), randomIds(config, 5, 7)];
    const prompt = (row: number, pad: number) => [...Array<number>(pad).fill(0), ...rows[row].slice(0, -1)];
    const padding = [0, 4];
    const first = await policy.step({ ids: [prompt(0, 0), prompt(1, 4)], padding });
    const second = await policy.step({ ids: rows.map((row) => row.slice(-1)), past: first.cache, padding });
    for (const [row, ids] of rows.entries()) {
      const want = decoderReference(config, tensors, ids);
      const last = want.length - V;
      expectLogits(
        `prompt of row ${row}`,
        first.logits.subarray((8 * row + padding[row]) * V, 8 * (row + 1) * V),
        want.subarray(0, last),
      );
      expectLogits(`step of row ${row}`, second.logits.subarray(row * V, (row + 1) * V), want.subarray(last));
    }
    await policy.release();
  });

  it("writes the reference's 64 greedy tokens", async () => {
    const policy = await open(config, tensors);
    const prompt = randomIds(config, 7, 8);
    const tokens = await policy.greedy(prompt, 64);
    // By induction: each token is the most probable one after all before it.
    const logits = decoderReference(config, tensors, [...prompt, ...tokens.slice(0, -1)]);
    const want = tokens.map((_, i) => {
      const from = (prompt.length - 1 + i) * config.vocabSize;
      return argmax(logits.subarray(from, from + config.vocabSize));
    });
    expect(tokens).toEqual(want);
    expect(new Set(tokens).size).toBeGreaterThan(1);
    await policy.release();
  });

  it("names inputs and outputs as Hugging Face's exporters do", async () => {
    const policy = await open(config, tensors);
    const layers = Array.from({ length: config.layers }, (_, layer) => layer);
    const cache = (name: string) =>
      layers.flatMap((layer) => [`${name}.${layer}.key`, `${name}.${layer}.value`]);
    expect(policy.names.inputs).toEqual([
      "input_ids",
      "attention_mask",
      "position_ids",
      ...cache("past_key_values"),
    ]);
    expect(policy.names.outputs).toEqual(["logits", ...cache("present")]);
    await policy.release();
  });
});

describe("decoderGraph()", () => {
  const config = shapes["Llama 3.1's rotary scaling"];

  it("rotates far positions as exactly as near ones", async () => {
    const tensors = randomTensors(config, 9);
    const policy = await open(config, tensors);
    const ids = randomIds(config, 590, 10);
    const { logits } = await policy.step({ ids: [ids] });
    expectLogits("logits", logits, decoderReference(config, tensors, ids));
    await policy.release();
  });

  it("holds every weight once, as the checkpoint has it, and standard operators only", () => {
    const tensors = randomTensors(config, 9);
    const graph = decoderGraph(config, tensors);
    const weights = graph.initializers.filter(({ name }) => tensors.has(name));
    expect(weights.map(({ name, dims }) => ({ name, shape: dims }))).toEqual(
      expect.arrayContaining(tensorNames(config)),
    );
    expect(weights).toHaveLength(tensors.size);
    const rest = graph.initializers.filter(({ name }) => !tensors.has(name));
    const bytes = rest.reduce((sum, { rawData }) => sum + rawData.byteLength, 0);
    expect(bytes).toBeLessThan(20_000);
    expect([...new Set(graph.nodes.map(({ opType }) => opType))].sort()).toMatchInlineSnapshot(`
      [
        "Add",
        "And",
        "Cast",
        "Concat",
        "Div",
        "Gather",
        "Gemm",
        "LessOrEqual",
        "MatMul",
        "Mul",
        "Range",
        "ReduceMean",
        "Reshape",
        "Shape",
        "Sigmoid",
        "Softmax",
        "Split",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Transpose",
        "Unsqueeze",
        "Where",
      ]
    `);
  });

  it("says which tensor is missing", () => {
    const tensors = randomTensors(config, 9);
    tensors.delete("model.layers.1.mlp.up_proj.weight");
    expect(() => decoderGraph(config, tensors)).toThrow(/model\.layers\.1\.mlp\.up_proj\.weight/);
  });
});

const vectors = new URL("../../../shared/reference/vectors/models/", import.meta.url);
const names = existsSync(vectors) ? readdirSync(vectors) : [];

describe.skipIf(names.length === 0)("the float64 vectors", () => {
  it.each(names)("of %s are met by the export and by this folder's reference", async (name) => {
    const folder = new URL(`${name}/`, vectors);
    const { config, tensors } = await loadModelFiles(await openModelFolder(fileURLToPath(folder)));
    const policy = await open(config, tensors);
    const forward = parseSafetensors(readFileSync(new URL("forward.safetensors", folder))).tensors;
    const ids = [...toInt32(forward.get("ids")!)];
    const want = Float64Array.from(toFloat32(forward.get("logits")!));
    let at = 0;
    for (const length of toInt32(forward.get("lengths")!)) {
      const sequence = ids.slice(at, at + length);
      const logits = want.subarray(at * config.vocabSize, (at + length) * config.vocabSize);
      expectLogits("exported", (await policy.step({ ids: [sequence] })).logits, logits);
      expectClose("reference", decoderReference(config, tensors, sequence), logits, {
        atol: 1e-6 * largest(logits),
      });
      at += length;
    }
    await policy.release();
  });
});
