/**
 * Finds the answer in free text: the statement of a final answer, boxed answers, formulas, and the last number, in
 * that order. Neighbouring boxes or formulas joined by commas or "and" are one answer.
 */

import { findBoxed } from "../boxed.ts";
import { undouble } from "./normalise.ts";

export interface ExtractOptions {
  /** `latex`: boxes and formulas; `expr`: also bare numbers and fractions in running text. */
  kinds: readonly ("latex" | "expr")[];
}

interface Span {
  content: string;
  start: number;
  end: number;
}

const BOTH: ExtractOptions = { kinds: ["latex", "expr"] };
const ANCHOR = /(?:final answer(?:\s+is)?|the answer is|answer is|answer:)\s*:?/gi;
const FORMULA =
  /\$\$([\s\S]{1,4000}?)\$\$|\\\[([\s\S]{1,4000}?)\\\]|\\\(([^\n]{1,4000}?)\\\)|(?<!\\)\$((?:[^$\n\\]|\\.){1,4000})(?<!\\)\$/g;
const NUMBER =
  /(?<![\p{L}\d_.,^{\\])[-−]?(?:\d{1,3}(?:(?:,| )\d{3})+(?!\d)|\d+)?(?:\.\d+)?(?:\s*\/\s*-?\d+)?(?:\s*(?:%|pct\b|percent\b))?/gu;
/** What may stand between two boxes or formulas of one answer. */
const JOINT = /^(?:\s|\$|\\[()[\],;:!]|\\q?quad|\\text|\{|\}|,|;|and|or|\.)*$/;
const MAX_JOINT = 60;
const WORDS = /\p{L}{4}/u;
/** A text that is one expression without a single word. */
const BARE =
  /^(?=.{1,80}$)(?=.*\d)(?:[-+*/^=().,;\d{}[\]\s]|\\(?:[dt]?frac|sqrt|pi|cdot|times|left|right)(?![a-z]))+$/s;
const CONCLUSION = /(?:^|[.!?]\s+)(?:therefore|thus|hence|so)\b/gi;

/** The answer a text gives, as written there; null where there is none. */
export function extractAnswer(raw: string, options: ExtractOptions = BOTH): string | null {
  const text = undouble(raw.slice(-20_000));
  const latex = options.kinds.includes("latex");
  const anchors = [...text.matchAll(ANCHOR)];
  const anchor = anchors[anchors.length - 1];
  if (anchor) {
    const stated = text.slice(anchor.index + anchor[0].length);
    const sentence = stated.replace(/I hope it is correct[\s\S]*$/i, "").slice(0, 600);
    const answer =
      (latex && (joined(boxes(sentence), sentence) ?? joined(formulas(sentence), sentence, "first"))) ||
      (lastNumber(sentence, options) ?? shortPhrase(sentence));
    if (answer) return answer;
  }
  if (latex) {
    const boxed = joined(boxes(text), text);
    if (boxed) return boxed;
    const formula = conclusion(text, options) ?? joined(formulas(text), text);
    if (formula) return formula;
  }
  const trimmed = text.trim();
  if (options.kinds.includes("expr") && BARE.test(trimmed)) return trimmed;
  const number = lastNumber(text, options);
  if (number) return number;
  return trimmed !== "" && trimmed.length <= 60 && !WORDS.test(trimmed) ? trimmed : null;
}

/** The few words a stated answer consists of, such as the letter of a choice. */
function shortPhrase(sentence: string): string | null {
  const phrase = sentence.split(/[.\n]/)[0].trim();
  return phrase !== "" && phrase.length <= 40 ? phrase : null;
}

/** The number or formula of a last sentence that begins with "therefore" or the like, if words follow no formula. */
function conclusion(text: string, options: ExtractOptions): string | null {
  const starts = [...text.matchAll(CONCLUSION)];
  const start = starts[starts.length - 1];
  if (!start || !options.kinds.includes("expr")) return null;
  const sentence = text.slice(start.index + 1).split(/[.!?](?:\s|$)/)[0];
  return formulas(text.slice(start.index)).length === 0 ? lastNumber(sentence, options) : null;
}

const boxes = (text: string): Span[] => findBoxed(text);

function formulas(text: string): Span[] {
  return [...text.matchAll(FORMULA)].map((match) => ({
    content: (match[1] ?? match[2] ?? match[3] ?? match[4]).trim(),
    start: match.index,
    end: match.index + match[0].length,
  }));
}

/** The last (or first) span, with its neighbours while only a joint lies between. */
function joined(spans: Span[], text: string, which: "last" | "first" = "last"): string | null {
  if (spans.length === 0) return null;
  const chosen = [which === "last" ? spans[spans.length - 1] : spans[0]];
  const rest = which === "last" ? spans.slice(0, -1).reverse() : spans.slice(1);
  for (const span of rest) {
    const edge = chosen[chosen.length - 1];
    const between = which === "last" ? text.slice(span.end, edge.start) : text.slice(edge.end, span.start);
    if (!isJoint(between)) break;
    chosen.push(span);
  }
  if (which === "last") chosen.reverse();
  const content = chosen.map((span) => span.content).join(" , ");
  return content === "" ? null : content;
}

function isJoint(between: string): boolean {
  if (between.length > MAX_JOINT) return false;
  if (JOINT.test(between)) return true;
  // "\boxed{a} \text{ for part one and } \boxed{b}", "\boxed{a} \) and \( y = \boxed{b}"
  return (
    /\\text\{[^{}]*\b(?:and|or)\b[^{}]*\}/.test(between) ||
    /^[\s\\)\]$]*(?:,|and|or)[\s\\([$]*[A-Za-z](?:_\{?\w+\}?)?\s*=\s*$/.test(between)
  );
}

function lastNumber(text: string, options: ExtractOptions): string | null {
  if (!options.kinds.includes("expr")) return null;
  const plain = text.replace(/\\\$|[$€£]/g, " ").replace(/,\\!/g, ",");
  const found = [...plain.matchAll(NUMBER)].filter(
    (match) =>
      /\d/.test(match[0]) &&
      !/^[\p{L}]/u.test(plain.slice(match.index + match[0].length).replace(/^m²/u, "")),
  );
  return found.length === 0 ? null : found[found.length - 1][0].trim();
}
