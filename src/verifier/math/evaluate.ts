/**
 * Values of an expression: exactly, where it is rational, and as complex doubles at given values of its symbols.
 * Both walk with a budget, so that sums over huge ranges and power towers end at once.
 */

import * as C from "./complex.ts";
import * as R from "./rational.ts";
import { children, type Node } from "./syntax.ts";

const BUDGET = 20_000;
const MAX_FACTORIAL = 1000n;

/** The value cannot be found here; something stronger may. */
export class Undecided extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "Undecided";
  }
}

type Bindings = ReadonlyMap<string, C.Complex>;

interface Budget {
  left: number;
}

const spend = (budget: Budget): void => {
  if (--budget.left < 0) throw new Undecided("too much arithmetic");
};

/** The exact value of an expression without symbols; null where it is irrational, too large or not a number. */
export function evaluateExact(node: Node, budget: Budget = { left: BUDGET }): R.Rational | null {
  spend(budget);
  const value = (inner: Node) => evaluateExact(inner, budget);
  const all = (
    items: Node[],
    join: (a: R.Rational, b: R.Rational) => R.Rational | null,
  ): R.Rational | null => {
    let total: R.Rational | null = null;
    for (const item of items) {
      const next = value(item);
      if (next === null) return null;
      total = total === null ? next : join(total, next);
      if (total === null) return null;
    }
    return total;
  };
  switch (node.kind) {
    case "number":
      return node.value;
    case "sum":
      return all(node.items, R.add);
    case "product":
      return all(node.items, R.multiply);
    case "quotient":
      return all([node.top, node.bottom], R.divide);
    case "power":
      return all([node.base, node.exponent], R.power);
    case "percent": {
      const inner = value(node.item);
      return inner && R.divide(inner, { top: 100n, bottom: 1n });
    }
    case "list":
      return node.items.length === 1 && node.open !== "" ? value(node.items[0]) : null;
    case "call": {
      const args: R.Rational[] = [];
      for (const arg of node.args) {
        const exact = value(arg);
        if (exact === null) return null;
        args.push(exact);
      }
      return exactCall(node.name, args);
    }
    default:
      return null;
  }
}

const whole = (n: bigint): R.Rational => ({ top: n, bottom: 1n });

function exactCall(name: string, args: R.Rational[]): R.Rational | null {
  const [a, b] = args;
  if (a === undefined) return null;
  switch (name) {
    case "abs":
      return { top: a.top < 0n ? -a.top : a.top, bottom: a.bottom };
    case "floor":
      return whole(R.floor(a));
    case "ceil":
      return whole(-R.floor({ top: -a.top, bottom: a.bottom }));
    case "sgn":
      return whole(a.top < 0n ? -1n : a.top > 0n ? 1n : 0n);
    case "min":
      return args.reduce((x, y) => (R.compareRationals(x, y) <= 0 ? x : y));
    case "max":
      return args.reduce((x, y) => (R.compareRationals(x, y) >= 0 ? x : y));
    case "mod": {
      const quotient = b && R.divide(a, b);
      const product = quotient && R.multiply(b, whole(R.floor(quotient)));
      return product && R.subtract(a, product);
    }
    case "gcd":
      return args.reduce<R.Rational | null>((x, y) => x && commonDivisor(x, y), R.ZERO);
    case "lcm":
      return args.reduce<R.Rational | null>((x, y) => x && commonMultiple(x, y), a);
    case "factorial": {
      if (a.bottom !== 1n || a.top < 0n || a.top > MAX_FACTORIAL) return null;
      let product = 1n;
      for (let k = 2n; k <= a.top; k++) product *= k;
      return whole(product);
    }
    case "binomial": {
      if (b === undefined || a.bottom !== 1n || b.bottom !== 1n) return null;
      if (b.top < 0n || a.top < b.top || a.top > MAX_FACTORIAL) return null;
      let chosen = 1n;
      for (let k = 1n; k <= b.top; k++) chosen = (chosen * (a.top - b.top + k)) / k;
      return whole(chosen);
    }
    default:
      return null;
  }
}

const commonDivisor = (a: R.Rational, b: R.Rational): R.Rational | null =>
  R.rational(R.greatestCommonDivisor(a.top * b.bottom, b.top * a.bottom), a.bottom * b.bottom);

function commonMultiple(a: R.Rational, b: R.Rational): R.Rational | null {
  if (a.top === 0n || b.top === 0n) return R.ZERO;
  const divisor = commonDivisor(a, b);
  const product = R.multiply(a, b);
  const multiple = divisor && product && R.divide(product, divisor);
  return multiple && (multiple.top < 0n ? { top: -multiple.top, bottom: multiple.bottom } : multiple);
}

/**
 * The value at the given values of the symbols; parts may be infinite or NaN.
 * @throws {Undecided} where the expression holds something that has no numeric value here
 */
export function evaluateAt(node: Node, bindings: Bindings, budget: Budget = { left: BUDGET }): C.Complex {
  spend(budget);
  const value = (inner: Node) => evaluateAt(inner, bindings, budget);
  switch (node.kind) {
    case "number":
      return C.complex(R.toNumber(node.value));
    case "constant":
      return CONSTANTS[node.name];
    case "symbol": {
      const bound = bindings.get(node.name);
      if (bound === undefined) throw new Undecided(`no value for ${node.name}`);
      return bound;
    }
    case "sum":
      return node.items.map(value).reduce(C.add);
    case "product":
      return node.items.map(value).reduce(C.multiply);
    case "quotient":
      return C.divide(value(node.top), value(node.bottom));
    case "power": {
      if (node.base.kind === "constant" && node.base.name === "e") return C.exponential(value(node.exponent));
      return realRoot(node, value) ?? C.power(value(node.base), value(node.exponent));
    }
    case "percent":
      return C.scale(value(node.item), 0.01);
    case "list":
      if (node.items.length === 1 && node.open !== "") return value(node.items[0]);
      throw new Undecided("a list has no value");
    case "call": {
      const exact =
        node.name === "gcd" || node.name === "lcm" || node.name === "mod" ? evaluateExact(node) : null;
      return exact ? C.complex(R.toNumber(exact)) : callAt(node.name, node.args.map(value));
    }
    case "fold": {
      const from = value(node.from);
      const to = value(node.to);
      const terms = to.re - from.re;
      if (!Number.isInteger(from.re) || !Number.isInteger(to.re) || from.im + to.im !== 0 || terms > BUDGET) {
        throw new Undecided("bounds of a sum or product are no small integers");
      }
      let total = C.complex(node.operator === "sum" ? 0 : 1);
      for (let k = from.re; k <= to.re; k++) {
        const term = evaluateAt(node.body, new Map([...bindings, [node.variable, C.complex(k)]]), budget);
        total = node.operator === "sum" ? C.add(total, term) : C.multiply(total, term);
      }
      return total;
    }
    default:
      throw new Undecided(`a ${node.kind} has no value`);
  }
}

const CONSTANTS: Readonly<Record<"pi" | "e" | "i" | "infinity", C.Complex>> = {
  pi: C.complex(Math.PI),
  e: C.complex(Math.E),
  i: C.IMAGINARY,
  infinity: C.complex(Number.POSITIVE_INFINITY),
};

/** An odd root of a negative number with exponent 1/n is the real one, as in \sqrt[3]{-8}. */
function realRoot(node: Node & { kind: "power" }, value: (node: Node) => C.Complex): C.Complex | null {
  const exponent = evaluateExact(node.exponent);
  if (exponent === null || exponent.top !== 1n || exponent.bottom % 2n === 0n) return null;
  const base = value(node.base);
  if (base.im !== 0 || base.re >= 0) return null;
  return C.complex(-((-base.re) ** (1 / Number(exponent.bottom))));
}

function callAt(name: string, args: C.Complex[]): C.Complex {
  const [a, b] = args;
  if (a === undefined) throw new Undecided(`${name} of nothing`);
  const simple = C.FUNCTIONS[name];
  if (simple) return simple(a);
  if (name.endsWith("()")) return unknownFunction(name, args);
  if (name === "log" || name === "lg") return C.scale(C.logarithm(a), 1 / Math.LN10);
  if (args.some((x) => x.im !== 0)) throw new Undecided(`${name} of a complex number`);
  const reals = args.map((x) => x.re);
  switch (name) {
    case "floor":
      return C.complex(Math.floor(a.re));
    case "ceil":
      return C.complex(Math.ceil(a.re));
    case "sgn":
      return C.complex(Math.sign(a.re));
    case "min":
      return C.complex(Math.min(...reals));
    case "max":
      return C.complex(Math.max(...reals));
    case "mod":
      if (b === undefined) break;
      return C.complex(a.re - b.re * Math.floor(a.re / b.re));
    case "factorial":
      return C.complex(C.gamma(a.re + 1));
    case "binomial":
      if (b === undefined) break;
      return C.complex(C.gamma(a.re + 1) / (C.gamma(b.re + 1) * C.gamma(a.re - b.re + 1)));
  }
  throw new Undecided(`no numeric value of ${name}`);
}

/** A function known by name only gets a smooth made-up value, so that f(2) = f(1+1) holds and f(2) = f(3) does not. */
function unknownFunction(name: string, args: C.Complex[]): C.Complex {
  let seed = 0;
  for (const letter of name) seed = (seed * 31 + letter.charCodeAt(0)) % 9973;
  const mixed = args.reduce((sum, x, k) => sum + Math.sin(x.re * (k + 1.37) + seed) + Math.cos(x.im + k), 0);
  return C.complex(1.7 + Math.sin(seed) + mixed * 0.61);
}

/** The names of the free symbols. */
export function freeSymbols(node: Node, found: Set<string> = new Set()): Set<string> {
  if (node.kind === "symbol") found.add(node.name);
  for (const child of children(node)) {
    if (node.kind === "fold" && child === node.body) {
      const inside = freeSymbols(child);
      inside.delete(node.variable);
      for (const name of inside) found.add(name);
    } else freeSymbols(child, found);
  }
  return found;
}
