/** The expression tree of an answer, and the refusal that every step of reading one may throw. */

import type { Rational } from "./rational.ts";

export type ListBracket = "(" | "[" | "{" | "";
export type ListCloser = ")" | "]" | "}" | "";

export type Node =
  /** `decimals` counts the digits behind the point of a decimal numeral; it is 0 for an integer. */
  | { kind: "number"; value: Rational; decimals: number; digits: number }
  | { kind: "symbol"; name: string }
  | { kind: "constant"; name: "pi" | "e" | "i" | "infinity" }
  | { kind: "sum"; items: Node[] }
  | { kind: "product"; items: Node[] }
  | { kind: "quotient"; top: Node; bottom: Node }
  | { kind: "power"; base: Node; exponent: Node }
  | { kind: "percent"; item: Node }
  | { kind: "plusMinus"; left: Node; right: Node; flipped: boolean }
  | { kind: "call"; name: string; args: Node[] }
  /** A bounded sum or product: the variable runs from `from` to `to`. */
  | { kind: "fold"; operator: "sum" | "product"; variable: string; from: Node; to: Node; body: Node }
  /** `open` empty: a bare list; (…) a tuple or an open interval; […) a half-open one; {…} a set. */
  | { kind: "list"; open: ListBracket; close: ListCloser; items: Node[] }
  | { kind: "setOperation"; operator: "union" | "intersection" | "difference"; items: Node[] }
  | { kind: "relation"; operators: RelationOperator[]; items: Node[] }
  | { kind: "matrix"; rows: Node[][] }
  /** Something only a computer algebra system may understand. */
  | { kind: "opaque"; latex: string };

export type RelationOperator = "=" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "notin" | "~";

/** The text is no expression this reader knows, or it is beyond a size limit. */
export class UnreadableAnswer extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "UnreadableAnswer";
  }
}

export const numberNode = (value: Rational, decimals = 0, digits = 0): Node => ({
  kind: "number",
  value,
  decimals,
  digits,
});
export const integerNode = (n: number): Node => numberNode({ top: BigInt(n), bottom: 1n });
export const negated = (node: Node): Node => ({ kind: "product", items: [integerNode(-1), node] });

/** The nodes directly inside a node. */
export function children(node: Node): Node[] {
  switch (node.kind) {
    case "sum":
    case "product":
    case "list":
    case "setOperation":
    case "relation":
      return node.items;
    case "quotient":
      return [node.top, node.bottom];
    case "power":
      return [node.base, node.exponent];
    case "percent":
      return [node.item];
    case "plusMinus":
      return [node.left, node.right];
    case "call":
      return node.args;
    case "fold":
      return [node.from, node.to, node.body];
    case "matrix":
      return node.rows.flat();
    default:
      return [];
  }
}

/** True where the node or anything inside it satisfies the test. */
export function contains(node: Node, test: (node: Node) => boolean): boolean {
  return test(node) || children(node).some((child) => contains(child, test));
}
