/**
 * What the chat view and its worker say to each other. The worker has a GPU device of its own and reads the policy from
 * the origin's private files, where the run that trains saves it, or from the model's folder on this origin.
 */

/** One token that might come next. */
export interface NextToken {
  id: number;
  text: string;
  logit: number;
}

export interface ChatRequest {
  /** Text as the policy reads it. */
  prompt: string;
  /** `first`: the weights the run began with; `newest`: the newest checkpoint of the run, or of the one that trains. */
  which: "first" | "newest";
  /** Stored or running run; absent: the model of the draft recipe, for both. */
  run?: string;
  temperature: number;
  maxTokens: number;
  seed: number;
}

export interface ChatToken {
  text: string;
  logprob: number;
}

export interface ChatAnswer {
  text: string;
  tokens: ChatToken[];
  finishReason: "stop" | "length";
  version: number;
}

/** Served by `workers/chat.ts`. */
export interface ChatApi {
  /** The most probable next tokens after a text, best first, with their logits at temperature 1. */
  nextTokens(request: Pick<ChatRequest, "prompt" | "which" | "run">, count: number): Promise<NextToken[]>;
  /** Resolves with the whole answer; `onTokens` (a Comlink proxy) is told of tokens as they come. */
  chat(id: number, request: ChatRequest, onTokens: (tokens: ChatToken[]) => void): Promise<ChatAnswer>;
  stop(id: number): void;
}
