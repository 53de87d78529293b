/** Turns problems into prompt tokens for one policy; refuses, by number, those the policy has no tokens for. */
import { DataError } from "../errors.ts";
import type { Problem, Prompt, PromptTokens } from "../rollout.ts";
import { type ChatTemplate, type ChatTemplateOptions, renderPrompt } from "./chat_template.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** A problem that was refused: `index` counts from 0 within the problems given. */
export interface RefusedProblem {
  index: number;
  problem: Problem;
  reason: string;
}

export interface PromptEncoder {
  tokenizer: Tokenizer;
  /** null or absent: the model has no chat template, and only text prompts can be read. */
  template?: ChatTemplate | null;
  templateOptions?: ChatTemplateOptions;
}

/**
 * The ids that a policy reads for a prompt, as `transformers` gives them: text gets the special tokens that the tokenizer
 * puts around texts, such as a beginning-of-sequence token; a chat template writes its own, and nothing is added to them.
 * @throws DataError where the prompt cannot be rendered or has characters without a token
 */
export function tokensOfPrompt(
  prompt: Prompt,
  { tokenizer, template, templateOptions }: PromptEncoder,
): Uint32Array {
  const text = renderPrompt(prompt, template ?? null, templateOptions);
  return tokenizer.encode(text, { addSpecialTokens: typeof prompt === "string" });
}

/**
 * Encodes one problem's prompt.
 * @throws DataError where the prompt is empty, cannot be rendered, or has characters without a token.
 */
export function encodePrompt(problem: Problem, encoder: PromptEncoder): PromptTokens {
  const tokens = tokensOfPrompt(problem.prompt, encoder);
  // A beginning-of-sequence token alone is no prompt.
  if (tokens.length === 0 || problem.prompt === "") {
    throw new DataError("text/empty-prompt", `Cannot use problem ${problem.id}: its prompt is empty`);
  }
  return { problem, tokens };
}

/** Encodes every problem that can be; `maxTokens` bounds a prompt's length. Order is kept. */
export function encodePrompts(
  problems: readonly Problem[],
  encoder: PromptEncoder,
  maxTokens = Number.POSITIVE_INFINITY,
): { prompts: PromptTokens[]; refused: RefusedProblem[] } {
  const prompts: PromptTokens[] = [];
  const refused: RefusedProblem[] = [];
  problems.forEach((problem, index) => {
    try {
      const encoded = encodePrompt(problem, encoder);
      if (encoded.tokens.length <= maxTokens) prompts.push(encoded);
      else {
        const reason = `the prompt has ${encoded.tokens.length} tokens, ${maxTokens} fit`;
        refused.push({ index, problem, reason });
      }
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      refused.push({ index, problem, reason: error.message });
    }
  });
  return { prompts, refused };
}
