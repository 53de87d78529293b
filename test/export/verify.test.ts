import { describe, expect, it } from "vitest";
import { decoderGraph } from "../../src/export/onnx_decoder.ts";
import { OnnxPolicy } from "../../src/export/onnx_policy.ts";
import { encodeOnnx } from "../../src/export/onnx_proto.ts";
import { comparePolicy, randomPrompts } from "../../src/export/verify.ts";
import { randomTensors, shapes } from "./decoder_reference.ts";

const config = shapes["Qwen2, biases, one key head"];

describe("comparePolicy()", () => {
  it("finds the first token that differs and by how much the export prefers its own", async () => {
    const policy = await OnnxPolicy.open(
      await encodeOnnx(decoderGraph(config, randomTensors(config, 12))),
      config,
    );
    const prompts = randomPrompts(config, 8);
    const ours = await Promise.all(prompts.map((prompt) => policy.greedy(prompt, 8)));
    const wrong = ours.map((tokens) => [...tokens]);
    wrong[1][5] = (ours[1][5] + 1) % config.vocabSize;
    wrong[1][6] = -1;
    const [first, second, third] = await comparePolicy(policy, prompts, wrong);
    expect([first.difference, third.difference]).toEqual([null, null]);
    expect(second).toMatchObject({ prompt: prompts[1], ours: wrong[1], theirs: ours[1] });
    expect(second.difference?.at).toBe(5);
    expect(second.difference?.gap).toBeGreaterThan(0);
    await policy.release();
  });
});

describe("randomPrompts()", () => {
  it("gives ids of the vocabulary, leaves room, and is the same each time", () => {
    const prompts = randomPrompts(config, 64);
    expect(prompts.map(({ length }) => length)).toEqual([1, 7, 24]);
    expect(new Set(prompts.flat()).size).toBeGreaterThan(10);
    expect(prompts.flat().every((id) => Number.isInteger(id) && id >= 0 && id < config.vocabSize)).toBe(true);
    expect(randomPrompts(config, 64)).toEqual(prompts);
    expect(randomPrompts(config, 505).map(({ length }) => length)).toEqual([1, 7, 7]);
  });
});
