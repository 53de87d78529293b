/** Greedy stories of stories260K (llama2.c), published letter for letter: real weights through conversion and decoding. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Llama2cModel, readLlama2c } from "../../src/data/llama2c.ts";
import { readPieces } from "../../src/data/llama2c_tokenizer.ts";
import type { PromptGroup } from "../../src/generator/api.ts";
import { GeneratorEngine } from "../../src/generator/engine.ts";
import { tensorNames } from "../../src/model/config.ts";
import { packTensors } from "../../src/model/layout.ts";
import { testGpu } from "../gpu_harness.ts";

const folder = new URL("../../../shared/material/weights/stories260K/", import.meta.url);
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));

const BOS = 1;
/** The published text is 200 steps from BOS, which is the first of them. */
const TOKENS = 200;

/** Text of tokens that follow the beginning-of-sequence token: its successor loses its leading space. */
function piecesText(pieces: readonly string[], tokens: Iterable<number>): string {
  const text = Array.from(tokens, (token) => {
    const byte = /^<0x([0-9A-F]{2})>$/.exec(pieces[token]);
    return byte ? String.fromCharCode(Number.parseInt(byte[1], 16)) : pieces[token];
  }).join("");
  return text.replace(/^ /, "");
}

async function continueGreedily(model: Llama2cModel, prompts: readonly (readonly number[])[]) {
  const maxSequence = Math.max(...prompts.map(({ length }) => length)) + TOKENS;
  using engine = await GeneratorEngine.create(await testGpu(), {
    config: model.config,
    concurrency: prompts.length,
    maxSequence,
    decodeChunk: 16,
    recomputeCache: false,
    eosIds: model.config.eosIds,
  });
  engine.setWeights(packTensors(engine.versioned.layout, model.tensors), 0);
  const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, maxTokens: TOKENS, seed: 0 };
  engine.admit(
    prompts.map(
      (tokens, groupId): PromptGroup => ({
        groupId,
        problemId: `${groupId}`,
        taskId: "stories",
        promptTokens: Uint32Array.from(tokens),
        rolloutIds: Uint32Array.of(groupId),
        sampling,
      }),
    ),
  );
  const completions: number[][] = [];
  while (engine.busy)
    for (const { groupId, completionTokens } of await engine.advance())
      completions[groupId] = [...completionTokens];
  return completions;
}

describe.skipIf(!existsSync(folder))("stories260K", () => {
  const model = existsSync(folder) ? readLlama2c(read("stories260K.bin")) : null!;
  const pieces = existsSync(folder) ? readPieces(read("tok512.bin")).map(({ text }) => text) : [];
  const expected: string = existsSync(folder)
    ? JSON.parse(new TextDecoder().decode(read("golden.json"))).cases[0].expected
    : "";

  it("converts to the tensors of its Hugging Face configuration", () => {
    const { heads, kvHeads, headDim, layers, width, mlpWidth } = model.config;
    expect([width, mlpWidth, layers, heads, kvHeads, headDim]).toEqual([64, 172, 5, 8, 4, 8]);
    const shapes = (entries: Iterable<[string, readonly number[]]>) => [...entries].sort();
    expect(shapes([...model.tensors].map(([name, { shape }]) => [name, shape]))).toEqual(
      shapes(tensorNames(model.config).map(({ name, shape }) => [name, shape])),
    );
    expect(pieces).toHaveLength(512);
  });

  // Fails with the rotary rows left as they lie, with gate and up exchanged, and with a norm's eps of 1e-2.
  it("tells the published story letter for letter, alone and as one of seven ragged rows", async () => {
    const [alone] = await continueGreedily(model, [[BOS]]);
    expect(piecesText(pieces, alone).slice(0, expected.length)).toBe(expected);
    // What the story says cannot be more than its last token longer than what was published.
    expect(piecesText(pieces, alone.slice(0, -2)).length).toBeLessThanOrEqual(expected.length);
    const lengths = [3, 11, 1, 27, 2, 64, 7];
    const prompts = lengths.map((length, i) =>
      Array.from({ length }, (_, t) => (t === 0 ? BOS : 3 + ((t * 37 + i * 101) % 500))),
    );
    const together = await continueGreedily(model, prompts);
    expect(together[2]).toEqual(alone);
    // The other rows go on from their own prompts.
    expect(new Set(together.map((tokens) => tokens.join())).size).toBe(7);
    // A row that starts inside the story ends it as well.
    const [resumed] = await continueGreedily(model, [[BOS, ...alone.slice(0, 40)]]);
    expect(resumed.slice(0, TOKENS - 40)).toEqual(alone.slice(40));
  });
});
