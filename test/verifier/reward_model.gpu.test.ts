/** A reward model in ONNX as a reward function: in the sandbox worker, under Deno. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { GraphBuilder } from "../../src/export/onnx_graph.ts";
import { encodeOnnx, FLOAT, INT64 } from "../../src/export/onnx_proto.ts";
import type { Prompt } from "../../src/rollout.ts";
import { digitTokenizerFiles } from "../../src/text/char_tokenizer.ts";
import { digitTokenizer } from "../../src/text/tokenizer.ts";
import type { GroupToScore } from "../../src/verifier/api.ts";
import { createScorer, type Scorer } from "../../src/verifier/score.ts";

const folder = mkdtempSync(join(tmpdir(), "webgrpo-reward-model-"));
afterAll(() => rmSync(folder, { recursive: true }));
let scorer: Scorer | undefined;
afterEach(() => scorer?.dispose());

/** A token is worth its id squared; a sequence what its tokens are worth, `labels` times over. */
async function writeRewardModel(path: string, vocabSize: number, labels = 1): Promise<void> {
  const g = new GraphBuilder(new Map());
  for (const name of ["input_ids", "attention_mask"])
    g.inputs.push({ name, dataType: INT64, dims: ["batch_size", "sequence_length"] });
  g.outputs.push({ name: "logits", dataType: FLOAT, dims: ["batch_size", labels] });
  const worth = Float32Array.from({ length: vocabSize * labels }, (_, i) => Math.floor(i / labels) ** 2);
  const each = g.op("Gather", [g.floats("worth", [vocabSize, labels], worth), "input_ids"]);
  const mask = g.op("Cast", ["attention_mask"], { to: FLOAT });
  const seen = g.op("Mul", [each, g.op("Unsqueeze", [mask, g.integers(2)])]);
  g.op("ReduceSum", [seen, g.integers(1)], { keepdims: 0 }, "logits");
  writeFileSync(path, await encodeOnnx(g.graph("reward model")));
}

const template = "{% for message in messages %}{{ message.content }}{% endfor %}";

beforeAll(async () => {
  const { vocabSize } = await digitTokenizer();
  const { tokenizerJson, tokenizerConfig } = digitTokenizerFiles();
  mkdirSync(join(folder, "whole", "onnx"), { recursive: true });
  mkdirSync(join(folder, "bare"));
  const write = (name: string, json: unknown) =>
    writeFileSync(join(folder, "whole", name), JSON.stringify(json));
  write("tokenizer.json", tokenizerJson);
  write("tokenizer_config.json", { ...tokenizerConfig, chat_template: template });
  await writeRewardModel(join(folder, "whole", "onnx", "model.onnx"), vocabSize);
  await writeRewardModel(join(folder, "whole", "onnx", "two.onnx"), vocabSize, 2);
  await writeRewardModel(join(folder, "bare", "model.onnx"), vocabSize);
});

function group(prompt: Prompt, completions: string[]): GroupToScore {
  const rollouts = completions.map((text, id) => ({
    ...{ id, groupId: 0, problemId: "p", taskId: "t", temperature: 1, finishReason: "stop" as const },
    promptTokens: Uint32Array.of(1),
    completionTokens: new Uint32Array(text.length),
    generatorLogprobs: new Float32Array(text.length),
    generatorEntropies: new Float32Array(text.length),
    policyVersions: new Int32Array(text.length),
  }));
  return {
    problem: { id: "p", taskId: "t", prompt, answer: null, columns: {} },
    rollouts,
    completions,
  };
}

const open = async (file: string) => {
  const options = { rewards: ["reward_model"], rewardModule: join(folder, file), timeoutMs: 5000 };
  scorer = await createScorer({ ...options, lengthMax: 100, lengthCache: 0 });
  return scorer;
};

async function worth(text: string): Promise<number> {
  const ids = (await digitTokenizer()).encode(text);
  return ids.reduce((sum, id) => sum + id ** 2, 0);
}

describe("a reward model in ONNX", () => {
  it("rewards prompt and completion as its tokenizer reads them, text and messages alike", async () => {
    const opened = await open("whole/onnx/model.onnx");
    const want = await Promise.all([worth("12345"), worth("123"), worth("1239")]);
    expect(new Set(want).size).toBe(3);
    const chat: Prompt = [{ role: "user", content: "123" }];
    for (const prompt of ["123", chat]) {
      const { rollouts } = await opened.scoreGroup(group(prompt, ["45", "", "9"]), { global_step: 0 });
      expect(rollouts.map(({ reward }) => reward)).toEqual(want);
    }
  });

  it.each([
    ["whole/onnx/two.onnx", /one float32 a sequence is needed/],
    ["bare/model.onnx", /tokenizer\.json lies neither/],
    ["whole/onnx/none.onnx", /no such file/],
  ])("is refused: %s", async (file, message) => {
    await expect(open(file)).rejects.toMatchObject({
      code: "verifier/reward-module",
      message: expect.stringMatching(message),
    });
  });
});
