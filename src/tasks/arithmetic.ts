/** Small expressions without parentheses over whole numbers, for the Countdown task and its teacher. */
import type { Random } from "../random.ts";

export const OPERATORS = ["+", "-", "*", "/"] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Expression {
  numbers: readonly number[];
  /** Between the numbers: one fewer. */
  operators: readonly Operator[];
}

/** Draws an expression that uses every number once, in any order. */
export function drawExpression(
  numbers: readonly number[],
  allowed: readonly Operator[],
  random: Random,
): Expression {
  const operators = Array.from({ length: numbers.length - 1 }, () => random.pick(allowed));
  return { numbers: random.shuffle(numbers), operators };
}

/** Works an expression out, products before sums; null where a division leaves a remainder. */
export function evaluateExpression({ numbers, operators }: Expression): number | null {
  let sum = 0;
  let product = numbers[0];
  let sign = 1;
  for (const [i, operator] of operators.entries()) {
    const next = numbers[i + 1];
    if (operator === "*") product *= next;
    else if (operator === "/") {
      if (next === 0 || product % next !== 0) return null;
      product /= next;
    } else {
      sum += sign * product;
      sign = operator === "-" ? -1 : 1;
      product = next;
    }
  }
  return sum + sign * product;
}

/** Spells an expression without spaces: `3*5+2`. */
export function spell({ numbers, operators }: Expression): string {
  return numbers.map((number, i) => (i === 0 ? `${number}` : `${operators[i - 1]}${number}`)).join("");
}
