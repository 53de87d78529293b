/**
 * Countdown: an expression over given numbers that must give a target. A parser of its own, exact, for the four
 * operations and brackets only; each numeral in the expression must be one of the given numbers.
 */
import type { Problem } from "../rollout.ts";
import * as R from "./math/rational.ts";
import type { Judgement } from "./reward.ts";

export interface Countdown {
  numbers: bigint[];
  target: R.Rational;
}

const MAX_CHARACTERS = 400;
const MAX_DEPTH = 40;

/** The numbers and the target of a problem that has such columns; null for any other problem. */
export function countdownOf(problem: Problem): Countdown | null {
  const columns = problem.columns;
  const inner = columns.metadata as Record<string, unknown> | undefined;
  const numbers = columns.numbers ?? inner?.numbers ?? columns.nums;
  const goal = columns.target ?? inner?.target;
  const target = goal === undefined || goal === null ? null : R.parseDecimal(String(goal));
  if (!Array.isArray(numbers) || target === null) return null;
  if (!numbers.every((n) => /^\d+$/.test(String(n)))) return null;
  return { numbers: numbers.map((n) => BigInt(String(n))), target };
}

class Malformed extends Error {}

/** Evaluates the expression and gathers its numerals. */
function evaluate(text: string): { value: R.Rational | null; used: bigint[] } {
  const tokens = text.match(/\d+|[-+*/()]|[^\s\d]/g) ?? [];
  const used: bigint[] = [];
  let at = 0;
  let depth = 0;
  const operand = (): R.Rational | null => {
    const token = tokens[at++];
    if (token === undefined) throw new Malformed("an operand is missing");
    if (token === "(") {
      if (++depth > MAX_DEPTH) throw new Malformed("nested too deeply");
      const value = sum();
      if (tokens[at++] !== ")") throw new Malformed("a bracket is not closed");
      depth--;
      return value;
    }
    if (!/^\d+$/.test(token)) throw new Malformed(`unexpected ${token}`);
    used.push(BigInt(token));
    return R.rational(BigInt(token));
  };
  const apply = (a: R.Rational | null, b: R.Rational | null, operator: string): R.Rational | null => {
    if (!a || !b) return null;
    const operation =
      operator === "+" ? R.add : operator === "-" ? R.subtract : operator === "*" ? R.multiply : R.divide;
    return operation(a, b);
  };
  const product = (): R.Rational | null => {
    let value = operand();
    while (tokens[at] === "*" || tokens[at] === "/") {
      const operator = tokens[at++];
      value = apply(value, operand(), operator);
    }
    return value;
  };
  const sum = (): R.Rational | null => {
    let value = product();
    while (tokens[at] === "+" || tokens[at] === "-") {
      const operator = tokens[at++];
      value = apply(value, product(), operator);
    }
    return value;
  };
  const value = sum();
  if (at < tokens.length) throw new Malformed(`unexpected ${tokens[at]}`);
  return { value, used };
}

/** The expression in a text: what stands before an equals sign, LaTeX operators in plain spelling. */
export function countdownExpression(text: string): string {
  let plain = text
    .slice(0, 4 * MAX_CHARACTERS)
    .replace(/\\(?:times|cdot)|[×·∗]/g, "*")
    .replace(/\\div|÷/g, "/")
    .replace(/[−–]/g, "-")
    .replace(/\\left|\\right|\$|\\[,;!]/g, "");
  // Innermost fractions first.
  for (let before = ""; before !== plain; ) {
    before = plain;
    plain = plain.replace(/\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}/g, "(($1)/($2))");
  }
  return plain.split("=")[0].trim();
}

/** Whether an expression reaches the target with the given numbers, each at most once (or exactly once). */
export function checkCountdown(text: string, { numbers, target }: Countdown, useAll: boolean): Judgement {
  const expected = `${target.top}${target.bottom === 1n ? "" : `/${target.bottom}`} from ${numbers.join(", ")}`;
  const wrong = (reason: string): Judgement => ({ correct: false, expected, reason });
  const expression = countdownExpression(text);
  if (expression.length > MAX_CHARACTERS) return wrong(`longer than ${MAX_CHARACTERS} characters`);
  try {
    const { value, used } = evaluate(expression);
    const left = [...numbers];
    for (const numeral of used) {
      const at = left.indexOf(numeral);
      if (at < 0) return wrong(`${numeral} is not given, or used too often`);
      left.splice(at, 1);
    }
    if (useAll && left.length > 0) return wrong(`${left.join(", ")} not used`);
    if (value === null) return wrong("divides by zero or grows out of range");
    if (!R.equal(value, target))
      return wrong(`gives ${value.top}${value.bottom === 1n ? "" : `/${value.bottom}`}`);
    return { correct: true, expected, reason: "reaches the target" };
  } catch (error) {
    if (error instanceof Malformed) return wrong(`no expression: ${error.message}`);
    throw error;
  }
}
