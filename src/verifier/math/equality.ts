/**
 * Whether two answers mean the same: by text, by exact rationals, by structure (sets, intervals, tuples, relations,
 * matrices), by values at sample points. What these cannot settle is "undecided" and left to computer algebra.
 */

import { expandPlusMinus, flattenSet, foldMatrices, lastOfChain, toInterval } from "./forms.ts";
import { isPercentage, joinThousands, normaliseAnswer, textForm } from "./normalise.ts";
import { parseAnswer } from "./parse.ts";
import { divide } from "./rational.ts";
import { type Node, numberNode, UnreadableAnswer } from "./syntax.ts";
import { equalValues, type Outcome, proportional } from "./values.ts";

export interface Comparison {
  outcome: Outcome;
  /** The comparison that decided, in words. */
  reason: string;
}

export interface ComparisonOptions {
  /** The order of a list counts, as where numbers are to be sorted; otherwise bare lists are sets. */
  ordered?: boolean;
}

/** Longer texts are not even normalised. */
const MAX_CHARACTERS = 4000;

/** Compares an answer with the expected one; never throws, and its time is bounded whatever the texts hold. */
export function compareAnswers(expected: string, found: string, options: ComparisonOptions = {}): Comparison {
  if (Math.max(expected.length, found.length) > MAX_CHARACTERS) {
    const same = expected.trim() === found.trim();
    return { outcome: same ? "equal" : "different", reason: same ? "same text" : "too long to be read" };
  }
  const ordered = options.ordered === true;
  const wanted = textForm(expected);
  if (wanted !== "" && wanted === textForm(found)) return { outcome: "equal", reason: "same text" };
  const goldText = normaliseAnswer(expected);
  const foundText = normaliseAnswer(found);
  if (goldText !== "" && goldText.replace(/\s/g, "") === foundText.replace(/\s/g, "")) {
    return { outcome: "equal", reason: "same text after normalising" };
  }
  const percent = isPercentage(expected) !== isPercentage(found);
  let undecided: Comparison | null = null;
  let unreadable = "";
  for (const gold of readings(goldText, ordered)) {
    for (const other of readings(foundText, ordered)) {
      if (gold === null || other === null) {
        unreadable = gold === null ? "the expected answer cannot be read" : "the answer cannot be read";
        // Formulas that only this reader does not know are left to computer algebra; mere words are not.
        const text = gold === null ? goldText : foundText;
        if (/\\[a-zA-Z]/.test(text)) undecided = { outcome: "undecided", reason: unreadable };
        continue;
      }
      const outcome = guarded(() => compareTrees(gold, other));
      if (outcome === "equal") return { outcome, reason: "same value" };
      if (percent && guarded(() => comparePercent(gold, other, isPercentage(expected))) === "equal") {
        return { outcome: "equal", reason: "same value as a percentage" };
      }
      if (outcome === "undecided") undecided = { outcome, reason: "no own rule decides" };
    }
  }
  return undecided ?? { outcome: "different", reason: unreadable || "another value" };
}

/** The ways a text may be read: with thousands separators, as it stands, with a decimal comma. */
function readings(text: string, ordered: boolean): (Node | null)[] {
  const texts = new Set(ordered ? [text] : [joinThousands(text), text]);
  if (!ordered && /^[+-]?\d+,\d+$/.test(text)) texts.add(text.replace(",", "."));
  return [...texts].map((reading) => {
    try {
      const node = parseAnswer(reading);
      return ordered && node.kind === "list" ? { ...node, open: "(", close: ")" } : node;
    } catch (error) {
      if (error instanceof UnreadableAnswer) return null;
      throw error;
    }
  });
}

function guarded(judge: () => Outcome): Outcome {
  try {
    return judge();
  } catch (error) {
    if (error instanceof UnreadableAnswer || error instanceof RangeError) return "undecided";
    throw error;
  }
}

function comparePercent(gold: Node, found: Node, goldIsPercentage: boolean): Outcome {
  const plain = goldIsPercentage ? gold : found;
  if (plain.kind !== "number") return "different";
  const share = divide(plain.value, { top: 100n, bottom: 1n });
  const scaled = share && numberNode(share, plain.decimals + 2, plain.digits);
  return scaled
    ? compareTrees(goldIsPercentage ? scaled : gold, goldIsPercentage ? found : scaled)
    : "different";
}

/** Compares two trees; the first is the expected one. */
export function compareTrees(gold: Node, found: Node): Outcome {
  const a = prepare(gold);
  const b = prepare(found);
  if (a.kind === "relation" || b.kind === "relation") return compareRelations(a, b);
  if (a.kind === "matrix" || b.kind === "matrix") return compareMatrices(a, b);
  if (a.kind === "setOperation" || b.kind === "setOperation") return compareSets(a, b);
  if (a.kind === "list" || b.kind === "list") return compareLists(a, b);
  return equalValues(a, b);
}

const prepare = (node: Node): Node => foldMatrices(expandPlusMinus(lastOfChain(node)));

/** A left side that only names the answer: x, f(x), |AB|, (p,q,r), NO/BO, but not 2x or a + 3z. */
function isName(node: Node): boolean {
  switch (node.kind) {
    case "symbol":
      return true;
    case "constant":
      return node.name === "i" || node.name === "e";
    case "call":
      return true;
    case "list":
      return node.items.every(isName);
    case "product":
      return node.items.every(isName);
    case "quotient":
      return isName(node.top) && isName(node.bottom);
    default:
      return false;
  }
}

function compareRelations(a: Node, b: Node): Outcome {
  const named = (node: Node): Node | null =>
    node.kind === "relation" &&
    node.items.length === 2 &&
    /^(?:=|in)$/.test(node.operators[0]) &&
    isName(node.items[0])
      ? node.items[1]
      : null;
  if (a.kind !== "relation" || b.kind !== "relation") {
    const value = named(a) ?? named(b);
    if (value) return a.kind === "relation" ? compareTrees(value, b) : compareTrees(a, value);
    return compareAsIntervals(a, b);
  }
  if (a.items.length === b.items.length && a.items.length === 2) {
    const [operator, other] = [a.operators[0], b.operators[0]];
    if (operator === "=" && other === "=") return compareEquations(a.items, b.items);
    if (operator === other || FLIPPED[operator] === other) {
      const items = operator === other ? b.items : [b.items[1], b.items[0]];
      const direct = allEqual([
        [a.items[0], items[0]],
        [a.items[1], items[1]],
      ]);
      if (direct !== "different" || operator === "in" || operator === "notin") return direct;
      return proportional(a.items, items, operator === "!=" ? "any" : "positive");
    }
  }
  if (a.items.length === b.items.length && a.operators.every((x, k) => x === b.operators[k])) {
    return allEqual(a.items.map((item, k) => [item, b.items[k]]));
  }
  return compareAsIntervals(a, b);
}

const FLIPPED: Readonly<Record<string, string>> = { "<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!=" };

function compareEquations(a: Node[], b: Node[]): Outcome {
  const direct = allEqual([
    [a[0], b[0]],
    [a[1], b[1]],
  ]);
  if (direct === "equal") return direct;
  if (a[0].kind === "call" && b[0].kind === "call" && a[0].name === b[0].name)
    return compareTrees(a[1], b[1]);
  if ([...a, ...b].some((node) => node.kind === "list" || node.kind === "matrix")) return direct;
  return proportional(a, b, "any");
}

function compareAsIntervals(a: Node, b: Node): Outcome {
  const [left, right] = [toInterval(a), toInterval(b)];
  return left && right ? compareTrees(left, right) : "different";
}

function compareMatrices(a: Node, b: Node): Outcome {
  const left = asRows(a);
  const right = asRows(b);
  if (!left || !right) return "different";
  const vectors =
    left.length * left[0].length === left.flat().length && (a.kind === "list" || b.kind === "list");
  if (!vectors && (left.length !== right.length || left.some((row, r) => row.length !== right[r].length))) {
    return "different";
  }
  const [x, y] = [left.flat(), right.flat()];
  return x.length === y.length ? allEqual(x.map((item, k) => [item, y[k]])) : "different";
}

/** A matrix's rows; a tuple counts as a column. */
function asRows(node: Node): Node[][] | null {
  if (node.kind === "matrix") return node.rows;
  return node.kind === "list" && node.open === "(" ? node.items.map((item) => [item]) : null;
}

function compareSets(a: Node, b: Node): Outcome {
  const [left, right] = [flattenSet(a), flattenSet(b)];
  if (left && right) return matchUnordered(left, right);
  if (a.kind !== "setOperation" || b.kind !== "setOperation" || a.operator !== b.operator) return "different";
  return a.items.length === b.items.length
    ? allEqual(a.items.map((item, k) => [item, b.items[k]]))
    : "different";
}

function compareLists(a: Node, b: Node): Outcome {
  if (a.kind !== "list" || b.kind !== "list") {
    const list = a.kind === "list" ? a : b;
    const single = list.kind === "list" && list.items.length === 1 && (list.open === "{" || list.open === "");
    if (!single || list.kind !== "list") return "different";
    return a.kind === "list" ? compareTrees(list.items[0], b) : compareTrees(a, list.items[0]);
  }
  const unordered = (open: string) => open === "{" || open === "";
  if (unordered(a.open) && unordered(b.open)) return matchUnordered(a.items, b.items);
  if (a.items.length !== b.items.length) return "different";
  if (a.open === "{" || b.open === "{") return "different";
  // A bare list may leave out a tuple's brackets, never an interval's.
  const halfOpen = (list: Node & { kind: "list" }) => list.open + list.close !== "()" && list.open !== "";
  if ((halfOpen(a) || halfOpen(b)) && a.open + a.close !== b.open + b.close) return "different";
  return allEqual(a.items.map((item, k) => [item, b.items[k]]));
}

function allEqual(pairs: [Node, Node][]): Outcome {
  let outcome: Outcome = "equal";
  for (const [a, b] of pairs) {
    const one = compareTrees(a, b);
    if (one === "different") return one;
    if (one === "undecided") outcome = one;
  }
  return outcome;
}

/** Every item of one side has its own partner on the other; where the counts differ, repeated items count once. */
function matchUnordered(a: Node[], b: Node[]): Outcome {
  if (a.length > 64 || b.length > 64) return "different";
  if (a.length !== b.length) {
    const [x, y] = [distinct(a), distinct(b)];
    return x.length === y.length ? matchUnordered(x, y) : "different";
  }
  const open = [...b];
  let outcome: Outcome = "equal";
  for (const item of a) {
    const results = open.map((other) => compareTrees(item, other));
    let at = results.indexOf("equal");
    if (at < 0) {
      at = results.indexOf("undecided");
      if (at < 0) return "different";
      outcome = "undecided";
    }
    open.splice(at, 1);
  }
  return outcome;
}

const distinct = (items: Node[]): Node[] =>
  items.filter((item, k) => !items.slice(0, k).some((earlier) => compareTrees(earlier, item) === "equal"));
