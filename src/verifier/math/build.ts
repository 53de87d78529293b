/** Builds the nodes that the readers of expressions share. */

import { parseDecimal } from "./rational.ts";
import { type Node, numberNode, UnreadableAnswer } from "./syntax.ts";
import type { Token } from "./tokens.ts";

/** The product −1 · 1, as ^{-1} is read. */
export const isMinusOne = (node: Node): boolean =>
  node.kind === "product" &&
  node.items.length === 2 &&
  node.items.every((x, k) => x.kind === "number" && x.value.bottom === 1n && x.value.top === (k ? 1n : -1n));

/** A sum; one item stands for itself. */
export const sumOf = (items: Node[]): Node => (items.length === 1 ? items[0] : { kind: "sum", items });

/** A product, flat on its left side. */
export const productOf = (a: Node, b: Node): Node => ({
  kind: "product",
  items: a.kind === "product" ? [...a.items, b] : [a, b],
});

/**
 * A numeral.
 * @throws {UnreadableAnswer} where its exponent or its length is out of range
 */
export function numberOf(text: string): Node {
  const value = parseDecimal(text);
  if (value === null) throw new UnreadableAnswer(`number ${text.slice(0, 20)} is out of range`);
  const point = text.indexOf(".");
  const mantissa = text.split(/[eE]/)[0];
  const decimals = point < 0 ? 0 : mantissa.length - point - 1;
  return numberNode(value, decimals, mantissa.replace(/\D/g, "").replace(/^0+/, "").length);
}

/** `3\frac12` is three and a half where the fraction is a proper one of two integers and stands right behind. */
export function mixedNumber(left: Node, right: Node, before: Token | undefined): Node | null {
  if (before?.kind !== "number" || !/^\d+$/.test(before.text) || right.kind !== "quotient") return null;
  const { top, bottom } = right;
  if (
    top.kind !== "number" ||
    bottom.kind !== "number" ||
    top.value.bottom !== 1n ||
    bottom.value.bottom !== 1n
  ) {
    return null;
  }
  if (top.value.top >= bottom.value.top) return null;
  const whole = left.kind === "product" ? left.items[left.items.length - 1] : left;
  if (whole.kind !== "number") return null;
  const mixed: Node = { kind: "sum", items: [whole, right] };
  return left.kind === "product" ? { kind: "product", items: [...left.items.slice(0, -1), mixed] } : mixed;
}
