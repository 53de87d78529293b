/** How tokens and probabilities are written on the page. */
import type { NextToken } from "./api.ts";

const INVISIBLE: Record<string, string> = { "\n": "⏎", "\t": "⇥", "\u00a0": "⍽" };

/** A token as one can see it: blanks and line ends get a sign, the end of the answer a word. */
export function visibleText({ text, end }: Pick<NextToken, "text" | "end">): string {
  if (end) return "end";
  if (text === "") return "∅";
  // Only blanks at the edges would be lost to the eye.
  const edged = text.replace(/^ +| +$/g, (blanks) => "␣".repeat(blanks.length));
  return edged.replace(/[\n\t\u00a0]/g, (sign) => INVISIBLE[sign]);
}

/** The same for a voice that reads it out. */
export function spokenText({ text, end }: Pick<NextToken, "text" | "end">): string {
  if (end) return "end of the answer";
  if (text.trim() === "") return text.includes("\n") ? "line break" : "space";
  return text.replaceAll("-", "minus").trim();
}

/** `83.4 %`, `100 %`, `< 0.1 %`. */
export function writePercent(probability: number): string {
  const percent = 100 * probability;
  if (percent > 0 && percent < 0.1) return "<\u202f0.1\u00a0%";
  const rounded = percent >= 99.95 ? "100" : percent.toFixed(1);
  return `${rounded}\u00a0%`;
}
