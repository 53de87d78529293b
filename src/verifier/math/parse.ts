/**
 * Reads an answer, LaTeX or plain, into an expression tree: lists, sets, intervals, relations, matrices, and the
 * arithmetic that `expression.ts` reads. Depth and length are bounded, so hostile input is refused, never followed.
 */

import { ExpressionReader } from "./expression.ts";
import { type ListCloser, type Node, type RelationOperator, UnreadableAnswer } from "./syntax.ts";
import { tokenize } from "./tokens.ts";

const RELATIONS: Readonly<Record<string, RelationOperator>> = {
  "=": "=",
  "==": "=",
  "!=": "!=",
  "<": "<",
  "<=": "<=",
  "=<": "<=",
  ">": ">",
  ">=": ">=",
  "=>": ">=",
  "~": "~",
  "\\ne": "!=",
  "\\neq": "!=",
  "\\le": "<=",
  "\\leq": "<=",
  "\\leqslant": "<=",
  "\\leqq": "<=",
  "\\lt": "<",
  "\\gt": ">",
  "\\ge": ">=",
  "\\geq": ">=",
  "\\geqslant": ">=",
  "\\geqq": ">=",
  "\\in": "in",
  "\\notin": "notin",
  "\\approx": "~",
  "\\sim": "~",
  "\\simeq": "~",
  "\\equiv": "=",
  "\\coloneqq": "=",
};

const SET_OPERATORS: Readonly<Record<string, "union" | "intersection" | "difference">> = {
  "\\cup": "union",
  "\\bigcup": "union",
  "\\cap": "intersection",
  "\\setminus": "difference",
  "\\backslash": "difference",
};

class AnswerReader extends ExpressionReader {
  /** Everything up to the end: a list of relations, or the one there is. */
  readAll(): Node {
    const node = this.readList(() => this.at >= this.tokens.length);
    if (this.at < this.tokens.length) throw new UnreadableAnswer(`stuck at ${this.shown()}`);
    return node;
  }

  /** Items separated by commas or semicolons until the test says stop; one item stands for itself. */
  override readList(done: () => boolean): Node {
    const items: Node[] = [];
    while (!done()) {
      items.push(this.readRelation());
      if (!this.takeMark(",") && !this.takeMark(";")) break;
    }
    return items.length === 1 ? items[0] : { kind: "list", open: "", close: "", items };
  }

  private readRelation(): Node {
    const items = [this.readSetExpression()];
    const operators: RelationOperator[] = [];
    for (;;) {
      const operator = RELATIONS[this.shown()];
      if (operator === undefined) break;
      this.at++;
      operators.push(operator);
      items.push(this.readSetExpression());
    }
    return operators.length === 0 ? items[0] : { kind: "relation", operators, items };
  }

  private readSetExpression(): Node {
    let node = this.readSum();
    for (;;) {
      const operator = SET_OPERATORS[this.shown()];
      if (operator === undefined) return node;
      this.at++;
      const right = this.readSum();
      node =
        node.kind === "setOperation" && node.operator === operator && operator !== "difference"
          ? { ...node, items: [...node.items, right] }
          : { kind: "setOperation", operator, items: [node, right] };
    }
  }

  /** After an opening bracket: the list inside and the closer that ended it. */
  override readBracketed(open: "(" | "[" | "{"): Node {
    return this.nested(() => {
      const isCloser = () => /^(?:\)|\]|\\\}|\\rbrace|\\rbrack|\\rgroup|\\rangle)$/.test(this.shown());
      const items: Node[] = [];
      while (!isCloser()) {
        items.push(this.readRelation());
        if (!this.takeMark(",") && !this.takeMark(";")) break;
      }
      if (!isCloser()) throw new UnreadableAnswer(`no closing bracket before ${this.shown()}`);
      const closer = this.shown();
      this.at++;
      const close: ListCloser = /^(?:\]|\\rbrack)$/.test(closer) ? "]" : /brace|\}/.test(closer) ? "}" : ")";
      const matching = open + close === "()" || open + close === "[]" || open + close === "{}";
      if (items.length === 1 && matching && open !== "{") return items[0];
      return { kind: "list", open, close, items };
    });
  }

  /** After `\begin{…}`: rows up to the matching `\end`. */
  override readMatrix(): Node {
    return this.nested(() => {
      const rows: Node[][] = [[]];
      while (this.shown() !== "\\end") {
        if (this.at >= this.tokens.length) throw new UnreadableAnswer("matrix without \\end");
        if (this.takeMark("&")) continue;
        if (this.takeMark("\\\\")) rows.push([]);
        else rows[rows.length - 1].push(this.readRelation());
      }
      this.at++;
      this.skipGroup();
      const filled = rows.filter((row) => row.length > 0);
      if (filled.length === 0) throw new UnreadableAnswer("empty matrix");
      return { kind: "matrix", rows: filled };
    });
  }
}

/**
 * The expression tree of a normalised answer (`normalise.ts`).
 * @throws {UnreadableAnswer} where it cannot be read
 */
export function parseAnswer(text: string): Node {
  const tokens = tokenize(text);
  if (tokens.length === 0) throw new UnreadableAnswer("nothing there");
  return new AnswerReader(tokens, text).readAll();
}
