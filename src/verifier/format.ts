/**
 * Magistral's format rule: the response opens with the thinking tag, holds exactly one pair of tags, and puts its
 * final answer in a box behind the closing tag.
 */

import { findBoxed } from "./boxed.ts";

export interface FormatOptions {
  /** Tag that opens the thoughts. */
  thinkOpen: string;
  thinkClose: string;
  /** The prompt already ends with the opening tag, so the completion must not repeat it. */
  prefilledThink: boolean;
}

export const DEFAULT_FORMAT: FormatOptions = {
  thinkOpen: "<think>",
  thinkClose: "</think>",
  prefilledThink: false,
};

export interface FormatCheck {
  ok: boolean;
  /** The first rule that is broken, or that all hold. */
  reason: string;
  thoughts: string;
  /** What stands behind the closing tag. */
  response: string;
  /** The content of the last box in the response. */
  answer: string | null;
}

const count = (text: string, part: string): number => text.split(part).length - 1;

/** Checks a completion and takes it apart; thoughts and response are filled as far as they can be told apart. */
export function checkFormat(completion: string, options: FormatOptions = DEFAULT_FORMAT): FormatCheck {
  const { thinkOpen, thinkClose, prefilledThink } = options;
  const whole = prefilledThink ? thinkOpen + completion : completion;
  const [opened, closed] = [count(whole, thinkOpen), count(whole, thinkClose)];
  const close = whole.indexOf(thinkClose);
  const thoughts = close < 0 ? whole : whole.slice(0, close).replace(thinkOpen, "");
  const response = close < 0 ? "" : whole.slice(close + thinkClose.length);
  const boxes = findBoxed(response);
  const answer = boxes.length === 0 ? null : boxes[boxes.length - 1].content.trim();
  const broken = !whole.startsWith(thinkOpen)
    ? `does not begin with ${thinkOpen}`
    : opened !== 1
      ? `${opened} times ${thinkOpen}, one is needed`
      : closed !== 1
        ? `${closed} times ${thinkClose}, one is needed`
        : answer === null
          ? `no \\boxed{…} behind ${thinkClose}`
          : null;
  return {
    ok: broken === null,
    reason: broken ?? "format holds",
    thoughts: thoughts.trim(),
    response,
    answer,
  };
}
