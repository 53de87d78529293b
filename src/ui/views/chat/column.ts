/** What stands in a conversation's columns and in its history. */
import { WebgrpoError } from "../../../errors.ts";
import type { Language } from "../../../tasks/api.ts";
import type { Failure } from "../../state/run_feed.ts";
import type { ChatPrompt, ChatToken, ChatVerdict, NextTokens, Which } from "./api.ts";
import type { Question } from "./wording.ts";

/** What one policy has said. */
export interface Column {
  tokens: readonly ChatToken[];
  phase: "empty" | "writing" | "open" | "done";
  /** Why it ended, once it is done. */
  finish: "stop" | "length" | "stopped" | null;
  /** Of the policy that wrote. */
  version: number;
  verdict: ChatVerdict | null;
  /** The place looked at: `tokens[cut]` is what was chosen there. */
  cut: number;
  /** What could come at a place, and the place that it is of: until the answer is here, that of the one before. */
  next: (NextTokens & { place: string }) | null;
}

export const EMPTY: Column = {
  tokens: [],
  phase: "empty",
  finish: null,
  version: 0,
  verdict: null,
  cut: 0,
  next: null,
};

/** Names the place after a prompt and some tokens, as one policy version sees it. */
export function placeOf(prompt: ChatPrompt, begun: readonly ChatToken[], version: number): string {
  return JSON.stringify([prompt, begun.map(({ id }) => id), version]);
}

/** A prompt as the policy reads it, or why it cannot. */
export type Reading = { tokens: string[] } | { reason: string };

/** Whether two plain values say the same. */
export function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export interface Settings {
  temperature: number;
  seed: number;
}

export interface HistoryEntry extends Settings {
  id: number;
  question: Question;
  typed: string;
  language: Language;
  answers: Record<Which, { text: string; verdict: ChatVerdict | null; version: number } | null>;
}

/** An answer as text, without the token that ends it. */
export function answerText({ tokens }: Pick<Column, "tokens">): string {
  return tokens.map(({ text, end }) => (end ? "" : text)).join("");
}

/** What the history keeps of an answer; null of one that did not come to its end. */
export function toldOf(column: Column): HistoryEntry["answers"][Which] {
  const { phase, verdict, version } = column;
  return phase === "done" ? { text: answerText(column), verdict, version } : null;
}

/** What helps here, where the error's own hint is for a run. */
const OWN_HINTS: Record<string, string> = {
  "gpu/lost": "Try again: the chat opens a new device. A run that trains has devices of its own.",
  "gpu/out-of-memory": "Stop the run or choose a smaller model: the chat needs room beside it.",
};

/** An error as the page tells it. */
export function failureOf(error: unknown): Failure {
  if (error instanceof WebgrpoError) {
    return { code: error.code, message: error.message, hint: OWN_HINTS[error.code] ?? error.hint };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: "chat/failed", message, hint: "Try again; if it happens again, reload the page." };
}
