import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CommandContext } from "../../src/cli/command.ts";
import { openModel } from "../../src/cli/models.ts";
import { openLlama2c, readLlama2c } from "../../src/data/llama2c.ts";
import { llama2cTokenizer, readPieces, type ScoredPiece } from "../../src/data/llama2c_tokenizer.ts";
import { loadModelFiles } from "../../src/data/source.ts";
import { tensorNames } from "../../src/model/config.ts";
import { randomStream } from "../../src/random.ts";
import { loadTokenizer } from "../../src/text/tokenizer.ts";

const folder = new URL("../../../shared/material/weights/stories260K/", import.meta.url);
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));

const SIZES = { width: 8, mlpWidth: 12, layers: 2, heads: 2, kvHeads: 1, vocab: 10, maxPositions: 6 };

/** A checkpoint whose values count up from 0. */
function checkpoint(change: Partial<typeof SIZES> = {}, tied = true): Uint8Array {
  const { width, mlpWidth, layers, heads, kvHeads, vocab, maxPositions } = { ...SIZES, ...change };
  const keys = kvHeads * (width / heads) * width;
  const layer = 2 * width + 2 * width ** 2 + 2 * keys + 3 * width * mlpWidth;
  const rotary = maxPositions * (width / heads);
  const count = vocab * width * (tied ? 1 : 2) + layers * layer + width + rotary;
  const header = Int32Array.of(width, mlpWidth, layers, heads, kvHeads, tied ? vocab : -vocab, maxPositions);
  const bytes = new Uint8Array(28 + 4 * count);
  bytes.set(new Uint8Array(header.buffer));
  bytes.set(new Uint8Array(Float32Array.from({ length: count }, (_, i) => i).buffer), 28);
  return bytes;
}

function vocabularyFile(pieces: readonly ScoredPiece[]): Uint8Array {
  const parts = pieces.map(({ text, score }) => {
    const bytes = new TextEncoder().encode(text);
    const head = new DataView(new ArrayBuffer(8));
    head.setFloat32(0, score, true);
    head.setInt32(4, bytes.length, true);
    return [...new Uint8Array(head.buffer), ...bytes];
  });
  return Uint8Array.from([7, 0, 0, 0, ...parts.flat()]);
}

const PIECES: ScoredPiece[] = ["<unk>", "\n<s>\n", "\n</s>\n", "a", "b", "ab", " ", " ab", "aba", "é"].map(
  (text, id) => ({ text, score: -id }),
);

describe("readLlama2c()", () => {
  it("takes every tensor from its place, kinds before layers", () => {
    const { config, tensors } = readLlama2c(checkpoint());
    expect(config).toMatchObject({
      width: 8,
      heads: 2,
      kvHeads: 1,
      tiedHead: true,
      eosIds: [1, 2],
      bosId: 1,
    });
    expect([...tensors.keys()].sort()).toEqual(
      tensorNames(config)
        .map(({ name }) => name)
        .sort(),
    );
    const first = (name: string) => tensors.get(name)!.data[0];
    expect(first("model.embed_tokens.weight")).toBe(0);
    expect(first("model.layers.0.input_layernorm.weight")).toBe(80);
    expect(first("model.layers.1.input_layernorm.weight")).toBe(88);
    expect(first("model.layers.0.self_attn.q_proj.weight")).toBe(96);
    expect(first("model.layers.1.self_attn.v_proj.weight")).toBe(96 + 2 * 64 + 2 * 32 + 32);
    // gate, down, up: w1, w2, w3.
    const mlp = 96 + 4 * 64 + 4 * 32 + 16;
    expect(first("model.layers.0.mlp.gate_proj.weight")).toBe(mlp);
    expect(first("model.layers.0.mlp.down_proj.weight")).toBe(mlp + 2 * 96);
    expect(first("model.layers.0.mlp.up_proj.weight")).toBe(mlp + 4 * 96);
    expect(first("model.norm.weight")).toBe(mlp + 6 * 96);
  });

  it("turns rotary pairs into halves: rows 0, 2, 1, 3 of each head", () => {
    const { tensors } = readLlama2c(checkpoint());
    const query = tensors.get("model.layers.0.self_attn.q_proj.weight")!.data;
    expect(Array.from({ length: 8 }, (_, row) => (query[8 * row] - 96) / 8)).toEqual([
      0, 2, 1, 3, 4, 6, 5, 7,
    ]);
    const key = tensors.get("model.layers.0.self_attn.k_proj.weight")!.data;
    expect(Array.from({ length: 4 }, (_, row) => (key[8 * row] - key[0]) / 8)).toEqual([0, 2, 1, 3]);
  });

  it("reads a head of its own behind the rotary tables, where the vocabulary's size is negative", () => {
    const bytes = checkpoint({}, false);
    const { config, tensors } = readLlama2c(bytes);
    expect(config).toMatchObject({ tiedHead: false, vocabSize: 10 });
    const head = tensors.get("lm_head.weight")!;
    expect(head.shape).toEqual([10, 8]);
    expect(head.data.at(-1)).toBe((bytes.length - 28) / 4 - 1);
    expect(head.data[0] - tensors.get("model.norm.weight")!.data.at(-1)!).toBe(1 + 6 * 4);
  });

  it("reads from any offset of a buffer", () => {
    const larger = new Uint8Array(checkpoint().length + 3);
    larger.set(checkpoint(), 3);
    const { tensors } = readLlama2c(checkpoint());
    expect(readLlama2c(larger.subarray(3)).tensors).toEqual(tensors);
    expect(readLlama2c(Buffer.from(larger.buffer, 3)).tensors).toEqual(tensors);
  });

  it("refuses what is cut, of another version or nonsense", () => {
    const odd = (bytes: Uint8Array) => () => readLlama2c(bytes, "x.bin");
    expect(odd(checkpoint().slice(0, -4))).toThrow(
      /x\.bin as a llama2\.c checkpoint: it has \d+ bytes, its header needs/,
    );
    expect(odd(new Uint8Array(5))).toThrow(/it has 5 bytes/);
    const newer = checkpoint();
    newer.set(new Uint8Array(Uint32Array.of(0x616b3432, 2).buffer));
    expect(odd(newer)).toThrow(/it is of version 2/);
    const zero = checkpoint();
    zero.fill(0, 8, 12);
    expect(odd(zero)).toThrow(/its header says layers 0/);
    const heads = checkpoint();
    heads[12] = 3;
    expect(odd(heads)).toThrow(/8 wide with 3 heads/);
  });
});

describe("readPieces()", () => {
  it("gives text and score by id, and refuses what is cut", () => {
    const bytes = vocabularyFile(PIECES);
    expect(readPieces(bytes)).toEqual(PIECES);
    expect(() => readPieces(bytes.slice(0, -1))).toThrow(/cut or damaged at piece 9/);
    expect(() => readPieces(bytes.slice(0, 8))).toThrow(/at piece 0/);
    expect(() => readPieces(bytes.slice(0, 4))).toThrow(/it has 0 pieces/);
  });
});

describe("llama2cTokenizer()", () => {
  it("merges by score, best piece first", async () => {
    const { model } = llama2cTokenizer(PIECES).tokenizerJson as { model: { merges: unknown } };
    expect(model.merges).toEqual([
      ["a", "b"],
      ["▁", "ab"],
      ["ab", "a"],
    ]);
  });
});

describe("openLlama2c()", () => {
  it("loads like a folder", async () => {
    const source = openLlama2c(checkpoint(), vocabularyFile(PIECES), "tiny.bin");
    const files = await loadModelFiles(source);
    expect(files.tensors).toEqual(readLlama2c(checkpoint()).tensors);
    const tokenizer = await loadTokenizer(files);
    expect(tokenizer.eosIds).toEqual([1, 2]);
    expect([...tokenizer.encode("<s>abab")]).toEqual([1, 7, 5]);
  });

  it("refuses a vocabulary of another size", () => {
    expect(() => openLlama2c(checkpoint(), vocabularyFile(PIECES.slice(1)), "tiny.bin")).toThrow(
      /tokenizer of tiny\.bin: it has 9 pieces, the model 10/,
    );
  });
});

describe("--model FILE.bin", () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "llama2c-"));
    mkdirSync(join(root, "models"));
    writeFileSync(join(root, "models", "tiny.bin"), checkpoint());
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const open = (model: string) => openModel(model, { cwd: root, root, env: {} } as unknown as CommandContext);

  it("takes the tokenizer beside it", async () => {
    await expect(open("models/tiny.bin")).rejects.toMatchObject({
      code: "model/missing-file",
      message: expect.stringContaining("neither tok10.bin nor tokenizer.bin is beside it"),
    });
    writeFileSync(join(root, "models", "tokenizer.bin"), vocabularyFile(PIECES));
    const source = await open("models/tiny.bin");
    expect((await loadModelFiles(source)).config.vocabSize).toBe(10);
    await expect(open("./none.bin")).rejects.toMatchObject({ code: "model/no-folder" });
  });
});

/** What run.c does: characters, else bytes; then always the merge that makes the best piece, the leftmost of equals. */
function encodeAsRunC(text: string, pieces: readonly ScoredPiece[]): number[] {
  const idOf = new Map(pieces.map((piece, id) => [piece.text, id] as const).reverse());
  const tokens = text === "" ? [] : [idOf.get(" ")!];
  for (const character of text) {
    const id = idOf.get(character);
    if (id !== undefined) tokens.push(id);
    else for (const byte of new TextEncoder().encode(character)) tokens.push(byte + 3);
  }
  for (;;) {
    let best = { score: -1e10, at: -1, id: -1 };
    for (let at = 0; at + 1 < tokens.length; at++) {
      const id = idOf.get(pieces[tokens[at]].text + pieces[tokens[at + 1]].text);
      if (id !== undefined && pieces[id].score > best.score) best = { score: pieces[id].score, at, id };
    }
    if (best.at < 0) return tokens;
    tokens.splice(best.at, 2, best.id);
  }
}

describe.skipIf(!existsSync(folder))("stories260K", () => {
  it("encodes as run.c does, and decodes back", async () => {
    const pieces = readPieces(read("tok512.bin"));
    expect(pieces).toHaveLength(512);
    const tokenizer = await loadTokenizer({ ...llama2cTokenizer(pieces) });
    const story: string = JSON.parse(readFileSync(new URL("golden.json", folder), "utf8")).cases[0].expected;
    const random = randomStream(5, 1);
    const pieceTexts = Array.from({ length: 200 }, () =>
      Array.from({ length: random.int(1, 12) }, () => pieces[random.int(259, 511)].text).join(""),
    );
    const texts = ["Once upon a time", "a\nb", "naïve 猫 🐈", "  two  spaces ", story, ...pieceTexts];
    for (const text of texts) {
      const ids = [...tokenizer.encode(text)];
      expect(ids, text).toEqual(encodeAsRunC(text, pieces));
      expect(tokenizer.decode(ids)).toBe(text);
    }
    expect([...tokenizer.encode("Once", { addSpecialTokens: true })]).toEqual([
      1,
      ...encodeAsRunC("Once", pieces),
    ]);
  });

  it("loads whole", async () => {
    const { config, tensors } = await loadModelFiles(
      openLlama2c(read("stories260K.bin"), read("tok512.bin"), "stories260K.bin"),
    );
    const count = [...tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
    expect([config.vocabSize, count]).toEqual([512, 260032]);
  });
});
