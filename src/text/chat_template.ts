/**
 * Renders conversations with the model's own chat template (Jinja); the engine is loaded on first use. Prompts that
 * are plain text pass unchanged. Knows nothing of token ids.
 */
import { DataError } from "../errors.ts";
import type { Message, Prompt } from "../rollout.ts";
import { type TokenizerFiles, tokenContent } from "./tokenizer.ts";
import { isObject } from "./tokenizer_support.ts";

export interface ChatTemplateOptions {
  /** Append what opens the assistant's turn. Default true. */
  addGenerationPrompt?: boolean;
  /** Further variables for the template, such as `enable_thinking`. */
  variables?: Record<string, unknown>;
}

export interface ChatTemplate {
  render(messages: readonly Message[], options?: ChatTemplateOptions): string;
}

const SPECIAL_NAMES = ["bos_token", "eos_token", "pad_token", "unk_token", "sep_token"];

/** Finds the folder's template: chat_template.jinja first, then tokenizer_config.json (its `default` if several). */
export function chatTemplateSource(files: TokenizerFiles): string | undefined {
  if (files.chatTemplate) return files.chatTemplate;
  const entry = isObject(files.tokenizerConfig) ? files.tokenizerConfig.chat_template : undefined;
  if (typeof entry === "string") return entry;
  if (!Array.isArray(entry)) return undefined;
  const named = entry.filter((e) => isObject(e) && typeof e.template === "string");
  return (named.find((e) => e.name === "default") ?? named[0])?.template;
}

/**
 * Compiles a template.
 * @throws DataError where it is not valid Jinja; `render` throws one where the template refuses the conversation.
 */
export async function compileChatTemplate(
  source: string,
  variables: Record<string, unknown> = {},
): Promise<ChatTemplate> {
  const { Template } = await import("@huggingface/jinja");
  const compile = () => {
    try {
      return new Template(source);
    } catch (cause) {
      throw new DataError("text/chat-template", `Cannot compile the chat template: ${String(cause)}`, {
        hint: "Check chat_template in tokenizer_config.json, or chat_template.jinja.",
        cause,
      });
    }
  };
  const template = compile();
  return {
    render(messages, options = {}) {
      try {
        return template.render({
          ...variables,
          ...options.variables,
          messages: messages.map((message) => ({ ...message })),
          add_generation_prompt: options.addGenerationPrompt ?? true,
        });
      } catch (cause) {
        throw new DataError("text/chat-template", `Cannot render the conversation: ${String(cause)}`, {
          hint: "Check the roles and their order against what the model's chat template allows.",
          cause,
        });
      }
    },
  };
}

/** Loads the folder's template with its special tokens, or null where the folder has none. */
export async function loadChatTemplate(files: TokenizerFiles): Promise<ChatTemplate | null> {
  const source = chatTemplateSource(files);
  if (source === undefined) return null;
  const config = isObject(files.tokenizerConfig) ? files.tokenizerConfig : {};
  const special = SPECIAL_NAMES.map((name) => [name, tokenContent(config[name])] as const);
  return compileChatTemplate(
    source,
    Object.fromEntries(special.filter(([, content]) => content !== undefined)),
  );
}

/**
 * Gives the text a policy reads: plain text as it stands, messages through the template.
 * @throws DataError where messages meet a model without a template.
 */
export function renderPrompt(
  prompt: Prompt,
  template: ChatTemplate | null,
  options: ChatTemplateOptions = {},
): string {
  if (typeof prompt === "string") return prompt;
  if (template === null) {
    throw new DataError(
      "text/no-chat-template",
      "Cannot render messages: the model folder has no chat template",
      {
        hint: 'Use text prompts ("prompt": "…"), or a model with chat_template in its tokenizer_config.json.',
      },
    );
  }
  return template.render(prompt, options);
}
