/** The form teachers write in, `<think>…</think>\boxed{…}`, and the four ways in which they get it wrong. */

import type { Random } from "../../random.ts";
import type { CharVocabulary } from "../../text/char_tokenizer.ts";
import type { Trace } from "../api.ts";

export const EOS = "<eos>";
export const PAD = "<pad>";

/** Builds the vocabulary of a task whose policies think in tags and box their answer. */
export function thinkVocabulary(wordings: readonly string[], characters: string): CharVocabulary {
  return {
    special: [PAD, EOS],
    pad: PAD,
    eos: EOS,
    pieces: [...wordings, "<think>", "</think>", "\\boxed{"],
    characters: `}${characters}`,
  };
}

/** Writes a whole trace; `broken` picks one of four wrong forms, of which one has no box to find the answer in. */
export function writeTrace(
  thought: string,
  boxed: string,
  detail: { style: string; right: boolean; broken: boolean },
  random: Random,
): Trace {
  const { style, right, broken } = detail;
  const way = broken ? random.int(1, 4) : 0;
  const open = way === 3 ? "" : way === 4 ? "<think><think>" : "<think>";
  const close = way === 1 ? "" : "</think>";
  const answer = way === 2 ? boxed : `\\boxed{${boxed}}`;
  const completion = `${open}${thought}${close}${answer}${EOS}`;
  return { completion, style, correct: right && way !== 2, wellFormed: !broken };
}
