/** Rewrites of expression trees that bring different spellings of one answer together. */

import { contains, integerNode, type Node, type RelationOperator } from "./syntax.ts";

/** `z = 1 + 1 = 2` says that z is 2; what follows ≈ is dropped. */
export function lastOfChain(node: Node): Node {
  if (node.kind !== "relation") return node;
  const rounding = node.operators.indexOf("~");
  if (rounding >= 0) {
    const items = node.items.slice(0, rounding + 1);
    if (rounding === 0) return items[0];
    return lastOfChain({ kind: "relation", items, operators: node.operators.slice(0, rounding) });
  }
  if (node.items.length > 2 && node.operators.every((operator) => operator === "=")) {
    return { kind: "relation", operators: ["="], items: [node.items[0], node.items[node.items.length - 1]] };
  }
  return node;
}

/** `a ± b` becomes the bare list of both values, also as an item of a list or behind `x =`. */
export function expandPlusMinus(node: Node): Node {
  if (!contains(node, (inner) => inner.kind === "plusMinus")) return node;
  if (node.kind === "relation" && node.operators.length === 1 && node.operators[0] === "=") {
    return expandPlusMinus(node.items[1]);
  }
  if (node.kind === "list" && node.open !== "(" && node.open !== "[") {
    const items = node.items.flatMap((item) => {
      const expanded = expandPlusMinus(item);
      return expanded.kind === "list" && expanded.open === "" ? expanded.items : [expanded];
    });
    return { ...node, items };
  }
  if (node.kind === "list") return node;
  return { kind: "list", open: "", close: "", items: [choose(node, 1), choose(node, -1)] };
}

function choose(node: Node, sign: 1 | -1): Node {
  const inside = (inner: Node) => choose(inner, sign);
  switch (node.kind) {
    case "plusMinus": {
      const right: Node = {
        kind: "product",
        items: [integerNode(node.flipped ? -sign : sign), inside(node.right)],
      };
      return { kind: "sum", items: [inside(node.left), right] };
    }
    case "sum":
    case "product":
      return { ...node, items: node.items.map(inside) };
    case "quotient":
      return { ...node, top: inside(node.top), bottom: inside(node.bottom) };
    case "power":
      return { ...node, base: inside(node.base), exponent: inside(node.exponent) };
    case "call":
      return { ...node, args: node.args.map(inside) };
    default:
      return node;
  }
}

const INFINITY: Node = { kind: "constant", name: "infinity" };
const MINUS_INFINITY: Node = { kind: "product", items: [integerNode(-1), INFINITY] };
const isSymbol = (node: Node): boolean => node.kind === "symbol";

/** The interval an inequality in one symbol describes, or the interval itself; null for anything else. */
export function toInterval(node: Node): Node | null {
  if (node.kind === "list" && (node.open === "(" || node.open === "[") && node.items.length === 2)
    return node;
  if (node.kind !== "relation") return null;
  const { items, operators } = node;
  if (operators.length === 1) {
    const [left, right] = items;
    if (operators[0] === "in") return toInterval(right);
    if (isSymbol(left)) return halfLine(operators[0], right);
    if (isSymbol(right)) return halfLine(FLIP[operators[0]], left);
    return null;
  }
  if (operators.length !== 2 || !isSymbol(items[1])) return null;
  const up = operators.every((operator) => operator === "<" || operator === "<=");
  const down = operators.every((operator) => operator === ">" || operator === ">=");
  if (!up && !down) return null;
  const [low, high] = up ? [items[0], items[2]] : [items[2], items[0]];
  const [first, second] = up ? operators : [operators[1], operators[0]];
  const closed = (operator: RelationOperator) => operator.endsWith("=");
  return {
    kind: "list",
    open: closed(first) ? "[" : "(",
    close: closed(second) ? "]" : ")",
    items: [low, high],
  };
}

const FLIP: Readonly<Record<string, RelationOperator>> = { "<": ">", ">": "<", "<=": ">=", ">=": "<=" };

function halfLine(operator: RelationOperator | undefined, bound: Node): Node | null {
  switch (operator) {
    case "<":
    case "<=":
      return { kind: "list", open: "(", close: operator === "<" ? ")" : "]", items: [MINUS_INFINITY, bound] };
    case ">":
    case ">=":
      return { kind: "list", open: operator === ">" ? "(" : "[", close: ")", items: [bound, INFINITY] };
    default:
      return null;
  }
}

/** The parts of a union: intervals as they are, finite sets item by item; null for other set expressions. */
export function flattenSet(node: Node): Node[] | null {
  if (node.kind === "setOperation") {
    if (node.operator !== "union") return null;
    const parts = node.items.map(flattenSet);
    return parts.some((part) => part === null) ? null : parts.flatMap((part) => part ?? []);
  }
  if (node.kind === "list" && (node.open === "{" || node.open === "")) return node.items;
  return [node];
}

/** Sums, products and multiples of matrices become one matrix, as far as the shapes allow. */
export function foldMatrices(node: Node): Node {
  if (node.kind !== "product" && node.kind !== "sum") return node;
  const items = node.items.map(foldMatrices);
  if (!items.some((item) => item.kind === "matrix")) return node;
  return items.reduce((a, b) => (node.kind === "product" ? multiply(a, b) : addRows(a, b)) ?? node);
}

function addRows(a: Node, b: Node): Node | null {
  if (a.kind !== "matrix" || b.kind !== "matrix" || a.rows.length !== b.rows.length) return null;
  const rows = a.rows.map((row, r) =>
    row.map((item, c): Node => ({ kind: "sum", items: [item, b.rows[r][c] ?? integerNode(0)] })),
  );
  return { kind: "matrix", rows };
}

function multiply(a: Node, b: Node): Node | null {
  if (a.kind === "matrix" && b.kind === "matrix") {
    const size = a.rows[0].length * a.rows.length * b.rows[0].length;
    if (size > 512 || a.rows.some((row) => row.length !== b.rows.length)) return null;
    const rows = a.rows.map((row) =>
      b.rows[0].map((_, c): Node => {
        const items = row.map((item, k): Node => ({ kind: "product", items: [item, b.rows[k][c]] }));
        return { kind: "sum", items };
      }),
    );
    return { kind: "matrix", rows };
  }
  const [matrix, factor] = a.kind === "matrix" ? [a, b] : [b, a];
  if (matrix.kind !== "matrix") return { kind: "product", items: [a, b] };
  const rows = matrix.rows.map((row) =>
    row.map((item): Node => ({ kind: "product", items: [factor, item] })),
  );
  return { kind: "matrix", rows };
}
