/**
 * What the chat view and its worker say to each other. The worker has a GPU device of its own and keeps two policies on
 * it: the model a run began with, and the newest checkpoint the run has saved, or the policy that came with a recorded
 * run. It only ever reads what is stored.
 */
import type { Message, Problem } from "../../../rollout.ts";
import type { TaskChoice } from "../../../tasks/registry.ts";
import type { ModelAccess } from "../../session/api.ts";

/** `first`: the weights the run began with; `newest`: the newest checkpoint of the run. */
export type Which = "first" | "newest";
export const BOTH: readonly Which[] = ["first", "newest"];

/** Where the two policies come from, and how answers are judged. */
export interface ChatSource {
  /** The page's address. */
  base: string;
  /** What the recipe's `model` names. */
  model: string;
  /** The run's name in the origin's private files; null: nothing of it is stored here. */
  run: string | null;
  /** The policy that came with a recorded run: its folder on the page's own origin. */
  recorded?: { address: string } & PolicyNote;
  /** The recipe's `verifier` settings. */
  verifier: Record<string, unknown>;
  /** Folders that were given to the page, as `ModelAccess` has them. */
  dropped?: ModelAccess["dropped"];
}

/** A policy that can be asked. */
export interface PolicyNote {
  version: number;
  /** The step after which it was saved; 0 for the first. */
  step: number;
}

export interface ChatSubject {
  adapter: string;
  first: PolicyNote;
  /** Null where the run has saved nothing yet, or where there is no run. */
  newest: PolicyNote | null;
  /** The tasks the policies were made for; empty where they may be asked anything. */
  tasks: TaskChoice[];
  /** Longest completion. */
  maxTokens: number;
  /** Whether text is put into the model's own chat template. */
  conversational: boolean;
}

/** Text as the policy reads it, or what a chat template makes text of. */
export type ChatPrompt = string | Message[];

/** What a prompt becomes, or why it cannot be asked. */
export type ReadPrompt = { ok: true; tokens: string[] } | { ok: false; reason: string };

export interface ChatRequest {
  which: Which;
  prompt: ChatPrompt;
  temperature: number;
  seed: number;
}

export interface ChatToken {
  id: number;
  text: string;
  /** Natural log of the probability it was drawn with. */
  logprob: number;
  /** It ends the completion. */
  end: boolean;
}

export interface ChatAnswer {
  tokens: ChatToken[];
  /** stop: by the end-of-sequence token; length: by the bound; stopped: by the user. */
  finishReason: "stop" | "length" | "stopped";
  version: number;
}

/** One token that might come next. */
export interface NextToken {
  id: number;
  text: string;
  end: boolean;
}

/** What might come after a prompt and the tokens that follow it. */
export interface NextTokens {
  /** (V) at temperature 1. */
  logits: Float32Array;
  /** The most probable ones, best first: at every temperature the same. */
  top: NextToken[];
  version: number;
}

/** An answer judged as in training. */
export interface ChatVerdict {
  /** Null where nobody can tell. */
  correct: boolean | null;
  reward: number | null;
  /** The answer that was found in the completion, and the right one, where there is one. */
  found: string | null;
  expected: string | null;
  /** Why it was judged so. */
  reason: string;
}

/** Served by `workers/chat.ts`. */
export interface ChatApi {
  /** Loads what is not loaded yet. @throws GpuUnavailableError, GpuLimitError, DataError */
  open(source: ChatSource): Promise<ChatSubject>;
  /** The step of a checkpoint that is newer than the loaded one, or null. */
  newerStep(): Promise<number | null>;
  /** Loads the newest checkpoint if it is not loaded. */
  renew(): Promise<PolicyNote | null>;
  read(prompt: ChatPrompt): Promise<ReadPrompt>;
  /** What might come after `begun`, the ids of a completion's first tokens. */
  nextTokens(which: Which, prompt: ChatPrompt, begun: readonly number[], count: number): Promise<NextTokens>;
  describe(ids: readonly number[]): Promise<NextToken[]>;
  /** Resolves with the whole answer; `onTokens` (a Comlink proxy) is told of tokens as they come. */
  chat(request: ChatRequest, onTokens: (tokens: ChatToken[]) => void): Promise<ChatAnswer>;
  /** Judges a completion; null where there is no reward that can. */
  grade(problem: Problem, ids: readonly number[]): Promise<ChatVerdict | null>;
  /** Ends the answers that are being written. */
  stop(): void;
  /** Loses the device on purpose: tests of recovery. */
  loseDevice(): void;
}
