/** Numbers and texts of rollouts as the page writes them: true minus signs, fixed digits, visible white space. */
import type { Prompt } from "../../../rollout.ts";

/** What is shown where nothing was recorded. */
export const NOTHING = "–";

const withMinus = (text: string) => text.replace("-", "−");

/** A number with fixed digits; −0.00 is written 0.00. */
export function fixed(value: number | null | undefined, digits = 2): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  const text = value.toFixed(digits);
  return withMinus(Number(text) === 0 ? (0).toFixed(digits) : text);
}

/** A reward: at least two digits, at most four. */
export function exact(value: number | null | undefined): string {
  const text = fixed(value, 4);
  return text === NOTHING ? text : text.replace(/0{1,2}$/, "");
}

/** Fixed digits with a sign, which carries the meaning where colour only repeats it. */
export function signed(value: number | null | undefined, digits = 2): string {
  const text = fixed(value, digits);
  return text === NOTHING || text.startsWith("−") || Number(text) === 0 ? text : `+${text}`;
}

/** A probability; small ones keep two meaningful digits. */
export function percent(share: number): string {
  const value = share * 100;
  if (value >= 99.95 && value < 100) return "> 99.9 %";
  if (value >= 10) return `${value.toFixed(1)} %`;
  if (value >= 0.01) return `${Number(value.toPrecision(2))} %`;
  return "< 0.01 %";
}

export function milliseconds(ms: number): string {
  if (ms < 0.01) return "< 0.01 ms";
  return `${ms < 10 ? ms.toFixed(2) : count(Math.round(ms))} ms`;
}

const counts = new Intl.NumberFormat("en");

export function count(value: number): string {
  return counts.format(value);
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** `v3`, or `v3→v4` where the weights changed on the way. */
export function versions(first: number, last: number): string {
  return first === last ? `v${first}` : `v${first}→v${last}`;
}

export function promptText(prompt: Prompt): string {
  return typeof prompt === "string" ? prompt : prompt.map(({ content }) => content).join("\n");
}

/** Every character seen: spaces as ·, line ends as ↵, tabs as ⇥; an empty token says so. */
export function visibleText(text: string): string {
  if (text === "") return "(no text)";
  return text.replaceAll(" ", "·").replaceAll("\r", "␍").replaceAll("\n", "↵").replaceAll("\t", "⇥");
}

/** A token within running text: spaces stay spaces between words, and are dots where there is nothing else to see. */
export function tokenLabel(text: string): string {
  if (text === "") return "∅";
  if (/^ +$/.test(text)) return visibleText(text);
  return text.replaceAll("\r", "␍").replaceAll("\n", "↵").replaceAll("\t", "⇥");
}

const SHORTEST_PREFIX = 24;

/** Length of what all texts begin with, cut back to a word; 0 where it is too short to be worth leaving out. */
export function sharedPrefix(texts: readonly string[]): number {
  if (texts.length < 2) return 0;
  let length = texts[0].length;
  for (const text of texts) {
    length = Math.min(length, text.length);
    while (length > 0 && texts[0].slice(0, length) !== text.slice(0, length)) length--;
    if (length < SHORTEST_PREFIX) return 0;
  }
  const cut = texts[0].slice(0, length).search(/\S*$/);
  return cut < SHORTEST_PREFIX || texts.some((text) => text.length <= cut) ? 0 : cut;
}
