/**
 * A reward model as an ONNX file: a classifier with one output reads prompt and completion and says how good they are.
 * Runs inside the sandbox worker, through onnxruntime-web; its tokenizer and chat template lie in the file's folder or the
 * one above, as Hugging Face's exporters leave them.
 */
import type { InferenceSession, Tensor } from "onnxruntime-web";
import { DataError } from "../errors.ts";
import { loadOnnxRuntime, type OnnxRuntime, sessionOptions } from "../export/onnx_runtime.ts";
import type { Message, Prompt } from "../rollout.ts";
import { type ChatTemplate, loadChatTemplate, renderPrompt } from "../text/chat_template.ts";
import { loadTokenizer, type Tokenizer, type TokenizerFiles } from "../text/tokenizer.ts";
import type { RewardFunction } from "./api.ts";

/** What the reward is called in `verifier.rewards`. */
export const REWARD_MODEL = "reward_model";

/** What a classifier may be given besides the ids, from the number of tokens. */
const OTHER_INPUTS: Readonly<Record<string, (index: number) => number>> = {
  attention_mask: () => 1,
  position_ids: (index) => index,
  token_type_ids: () => 0,
};

const unusable = (url: string, what: string, hint: string) =>
  new DataError("verifier/reward-model", `Cannot use the reward model ${url}: ${what}`, { hint });

/** Opens the model and asks it once. @throws DataError `verifier/reward-model`, WebgrpoError `export/no-runtime` */
export async function openRewardModel(url: string): Promise<RewardFunction> {
  const runtime = await loadOnnxRuntime();
  const bytes = await readAddress(new URL(url));
  if (bytes === null) throw unusable(url, "there is no such file", "Name an .onnx file");
  const { tokenizer, template } = await loadText(url);
  const session = await runtime.InferenceSession.create(bytes, sessionOptions);
  const stranger = session.inputNames.find(
    (name) => name !== "input_ids" && !Object.hasOwn(OTHER_INPUTS, name),
  );
  if (stranger !== undefined) {
    throw unusable(
      url,
      `it wants the input ${stranger}; input_ids and ${Object.keys(OTHER_INPUTS).join(", ")} can be given`,
      "Export it for sequence classification, without a key/value cache",
    );
  }
  const score = async (ids: Uint32Array): Promise<number> => {
    const results = await session.run(feedsOf(runtime, session, ids));
    const output = results[session.outputNames[0]];
    if (output.size === 1 && output.type === "float32") return (output.data as Float32Array)[0];
    const found = `${output.type} of shape [${output.dims.join(", ")}]`;
    throw unusable(
      url,
      `${session.outputNames[0]} is ${found}, one float32 a sequence is needed`,
      "Export a reward model with one label",
    );
  };
  await score(Uint32Array.of(0));
  return async ({ prompts, completions }) => {
    const scores: number[] = [];
    for (const [k, completion] of completions.entries())
      scores.push(await score(encode(prompts[k], completion, tokenizer, template)));
    return scores;
  };
}

function feedsOf(runtime: OnnxRuntime, session: InferenceSession, ids: Uint32Array): Record<string, Tensor> {
  const row = (values: ArrayLike<number>) =>
    new runtime.Tensor("int64", BigInt64Array.from(Array.from(values), BigInt), [1, ids.length]);
  const others = session.inputNames.filter((name) => name !== "input_ids");
  return {
    input_ids: row(ids),
    ...Object.fromEntries(
      others.map((name) => [name, row(Array.from(ids, (_, i) => OTHER_INPUTS[name](i)))]),
    ),
  };
}

/** Text as it stands, between the model's own special tokens; messages through its template, which writes them itself. */
function encode(
  prompt: Prompt,
  completion: string | Message[],
  tokenizer: Tokenizer,
  template: ChatTemplate | null,
): Uint32Array {
  if (typeof prompt === "string" && typeof completion === "string")
    return tokenizer.encode(prompt + completion, { addSpecialTokens: true });
  const messages = [prompt, completion].flatMap((part) =>
    typeof part === "string" ? [{ role: "user", content: part } as Message] : part,
  );
  return tokenizer.encode(renderPrompt(messages, template, { addGenerationPrompt: false }));
}

async function loadText(url: string): Promise<{ tokenizer: Tokenizer; template: ChatTemplate | null }> {
  const tokenizerJson = await readJson(url, "tokenizer.json");
  if (tokenizerJson === undefined) {
    throw unusable(
      url,
      "tokenizer.json lies neither in its folder nor in the one above",
      "Put the model's tokenizer files beside it",
    );
  }
  const template = await readBeside(url, "chat_template.jinja");
  const files: TokenizerFiles = {
    tokenizerJson,
    tokenizerConfig: await readJson(url, "tokenizer_config.json"),
    modelConfig: await readJson(url, "config.json"),
    chatTemplate: template === null ? undefined : new TextDecoder().decode(template),
  };
  return { tokenizer: await loadTokenizer(files), template: await loadChatTemplate(files) };
}

async function readJson(url: string, name: string): Promise<unknown> {
  const bytes = await readBeside(url, name);
  return bytes === null ? undefined : JSON.parse(new TextDecoder().decode(bytes));
}

async function readBeside(url: string, name: string): Promise<Uint8Array | null> {
  return (await readAddress(new URL(name, url))) ?? (await readAddress(new URL(`../${name}`, url)));
}

/** Null where there is none: Deno rejects a fetch of a file that is not there, a server answers with a status. */
async function readAddress(address: URL): Promise<Uint8Array | null> {
  const response = await fetch(address).catch(() => null);
  return response?.ok ? new Uint8Array(await response.arrayBuffer()) : null;
}
