/** Equality of two expressions by value: exactly where both are rational, else at fixed sample points. */

import { type Complex, complex, isFiniteValue, modulus } from "./complex.ts";
import { evaluateAt, evaluateExact, freeSymbols, Undecided } from "./evaluate.ts";
import * as R from "./rational.ts";
import { children, contains, type Node } from "./syntax.ts";

export type Outcome = "equal" | "different" | "undecided";

const POINTS = 8;
/** So many points must have finite values before equality is believed. */
const NEEDED = 3;
const CLOSE = 1e-9;
/** Between CLOSE and this, rounding may be to blame: neither equal nor different. */
const FAR = 1e-6;
/** Decimals or significant digits from which a numeral stands for any value it rounds. */
const ROUNDED_DIGITS = 6;

/** A fixed value for a symbol at a sample point, in (0.35, 2.85). */
function sample(name: string, point: number): Complex {
  let hash = 2166136261 ^ (point * 0x9e3779b1);
  for (const letter of name) hash = Math.imul(hash ^ letter.charCodeAt(0), 16777619);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return complex(0.35 + (((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32) * 2.5);
}

/** A long decimal numeral equals a value it is the rounding (or the truncation) of. */
function roundsTo(numeral: Node & { kind: "number" }, value: number): boolean {
  if (numeral.decimals < 5 && numeral.digits < ROUNDED_DIGITS) return false;
  if (numeral.decimals === 0) return false;
  const unit = 10 ** -numeral.decimals;
  const written = R.toNumber(numeral.value);
  return Math.abs(written - value) <= unit * 1.0001 + Math.abs(value) * 4e-16;
}

/** Whether two expressions have the same value for all values of their symbols. */
export function equalValues(a: Node, b: Node): Outcome {
  const opaque = (node: Node) => contains(node, (inner) => inner.kind === "opaque");
  if (opaque(a) || opaque(b)) return "undecided";
  const [left, right] = [evaluateExact(a), evaluateExact(b)];
  if (left && right) {
    if (R.equal(left, right)) return "equal";
    if (a.kind === "number" && roundsTo(a, R.toNumber(right)) && b.kind !== "number") return "equal";
    if (b.kind === "number" && roundsTo(b, R.toNumber(left)) && a.kind !== "number") return "equal";
    return "different";
  }
  const symbols = freeSymbols(b, freeSymbols(a));
  if (symbols.size > 24) return "undecided";
  return symbols.size === 0 ? equalConstants(a, b) : equalFunctions(a, b, symbols);
}

function equalConstants(a: Node, b: Node): Outcome {
  const [x, y] = [valueAt(a), valueAt(b)];
  if (x === null || y === null) return "undecided";
  if (!isFiniteValue(x) || !isFiniteValue(y)) {
    const infinite = (v: Complex) => Math.abs(v.re) === Number.POSITIVE_INFINITY;
    // An overflow is not infinity: only the written infinities are the same.
    const written = (node: Node) => contains(node, (n) => n.kind === "constant" && n.name === "infinity");
    if (infinite(x) && infinite(y)) {
      return written(a) && written(b) ? (x.re === y.re ? "equal" : "different") : "undecided";
    }
    return (infinite(x) && isFiniteValue(y)) || (infinite(y) && isFiniteValue(x)) ? "different" : "undecided";
  }
  if (a.kind === "number" && y.im === 0 && roundsTo(a, y.re)) return "equal";
  if (b.kind === "number" && x.im === 0 && roundsTo(b, x.re)) return "equal";
  const gap = distance(x, y);
  return gap <= CLOSE ? "equal" : gap > FAR ? "different" : "undecided";
}

function valueAt(node: Node, bindings: ReadonlyMap<string, Complex> = new Map()): Complex | null {
  try {
    return evaluateAt(node, bindings);
  } catch (error) {
    if (error instanceof Undecided) return null;
    throw error;
  }
}

const distance = (x: Complex, y: Complex): number =>
  modulus(complex(x.re - y.re, x.im - y.im)) / Math.max(1e-3, modulus(x), modulus(y));

/** Values for all symbols; those that bound a sum or a product get small integers. */
function bind(
  symbols: ReadonlySet<string>,
  counters: ReadonlySet<string>,
  point: number,
): Map<string, Complex> {
  return new Map(
    [...symbols].map((name) => {
      const value = sample(name, point);
      return [name, counters.has(name) ? complex(2 + Math.floor(value.re * 2)) : value];
    }),
  );
}

function counterSymbols(node: Node, found: Set<string> = new Set()): Set<string> {
  if (node.kind === "fold") freeSymbols(node.to, freeSymbols(node.from, found));
  for (const child of children(node)) counterSymbols(child, found);
  return found;
}

function equalFunctions(a: Node, b: Node, symbols: ReadonlySet<string>): Outcome {
  const counters = counterSymbols(b, counterSymbols(a));
  let close = 0;
  for (let point = 0; point < POINTS; point++) {
    const bindings = bind(symbols, counters, point);
    const [x, y] = [valueAt(a, bindings), valueAt(b, bindings)];
    if (x === null || y === null) return "undecided";
    if (!isFiniteValue(x) || !isFiniteValue(y)) continue;
    const gap = distance(x, y);
    if (gap > FAR) return "different";
    if (gap <= CLOSE) close++;
  }
  return close >= NEEDED ? "equal" : "undecided";
}

/**
 * Whether two relations left ∘ right say the same because their differences are proportional: with a positive factor
 * for inequalities, any but zero for equations.
 */
export function proportional(a: Node[], b: Node[], factor: "positive" | "any"): Outcome {
  const nodes = [...a, ...b];
  const symbols = nodes.reduce((found, node) => freeSymbols(node, found), new Set<string>());
  if (symbols.size === 0 || symbols.size > 24) return "different";
  let ratio: number | null = null;
  let close = 0;
  for (let point = 0; point < POINTS; point++) {
    const bindings = bind(symbols, new Set(), point);
    const values = nodes.map((node) => valueAt(node, bindings));
    if (values.some((value) => value === null)) return "undecided";
    const [x, y, u, v] = values.map((value) => value ?? complex(Number.NaN));
    const [first, second] = [x.re - y.re, u.re - v.re];
    if (values.some((value) => value?.im !== 0) || !Number.isFinite(first) || !Number.isFinite(second))
      continue;
    if (Math.abs(first) < 1e-9 && Math.abs(second) < 1e-9) continue;
    const here = second / first;
    if (!Number.isFinite(here) || here === 0 || (factor === "positive" && here < 0)) return "different";
    if (ratio === null) ratio = here;
    else if (Math.abs(here - ratio) > 1e-7 * Math.abs(ratio)) return "different";
    close++;
  }
  return close >= NEEDED ? "equal" : "undecided";
}
