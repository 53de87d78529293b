/** Reads sums, products, powers, functions and delimiters of an answer by recursive descent. */

import { isMinusOne, mixedNumber, numberOf, productOf, sumOf } from "./build.ts";
import { TokenCursor } from "./cursor.ts";
import { integerNode, type Node, negated, UnreadableAnswer } from "./syntax.ts";
import type { Token } from "./tokens.ts";
import { FUNCTION_NAMES, HYPERBOLIC_SHORT, IGNORED_COMMANDS, OPAQUE_COMMANDS } from "./vocabulary.ts";

const INVERSE = /^(?:a(?:r|rc)?)(sinh|cosh|tanh|sin|cos|tan|cot|sec|csc)$/;
const DELIMITERS: Readonly<Record<string, [closer: string, name: string]>> = {
  "\\lfloor": ["\\rfloor", "floor"],
  "\\llcorner": ["\\lrcorner", "floor"],
  "\\lceil": ["\\rceil", "ceil"],
  "\\ulcorner": ["\\urcorner", "ceil"],
  "\\lvert": ["\\rvert", "abs"],
  "\\lVert": ["\\rVert", "abs"],
};
const OPENERS: Readonly<Record<string, "(" | "[" | "{">> = {
  "(": "(",
  "[": "[",
  "\\{": "{",
  "\\lbrace": "{",
  "\\lbrack": "[",
  "\\lgroup": "(",
  "\\langle": "(",
};

export abstract class ExpressionReader extends TokenCursor {
  /** How many |…| are open: inside one, a bar closes instead of opening. */
  private bars = 0;
  /** Variables of the sums and products being read, so that i counts terms inside \\sum_{i=…}. */
  private readonly foldVariables: string[] = [];
  abstract readList(done: () => boolean): Node;
  abstract readBracketed(open: "(" | "[" | "{"): Node;
  abstract readMatrix(): Node;

  readSum(): Node {
    return this.nested(() => {
      const items: Node[] = [];
      for (;;) {
        const sign = this.shown();
        if (sign === "\\pm" || sign === "\\mp") {
          this.at++;
          const left: Node = items.length === 0 ? integerNode(0) : sumOf(items.splice(0));
          items.push({ kind: "plusMinus", left, right: this.readProduct(), flipped: sign === "\\mp" });
        } else if (sign === "+" || sign === "-") {
          this.at++;
          let minus = sign === "-";
          while (this.shown() === "+" || this.shown() === "-") {
            minus = minus !== (this.shown() === "-");
            this.at++;
          }
          items.push(this.readProduct(minus));
        } else if (items.length === 0) items.push(this.readProduct());
        else return sumOf(items);
      }
    });
  }

  /** A product; a leading minus is inside the left side of a `\\mod` that follows. */
  private readProduct(minus = false): Node {
    let node = this.readPower();
    let pending = minus;
    for (;;) {
      const mark = this.shown();
      if (mark === "*" || mark === "\\cdot" || mark === "\\times" || mark === "\\ast") {
        this.at++;
        node = productOf(node, this.readSigned());
      } else if (mark === "/" || mark === "\\div" || mark === ":") {
        this.at++;
        node = { kind: "quotient", top: node, bottom: this.readSigned() };
      } else if (mark === "\\mod" || mark === "\\bmod") {
        this.at++;
        node = { kind: "call", name: "mod", args: [pending ? negated(node) : node, this.readSigned()] };
        pending = false;
      } else if (this.startsOperand()) {
        const before = this.tokens[this.at - 1];
        const right = this.readPower();
        node = mixedNumber(node, right, before) ?? productOf(node, right);
      } else return pending ? negated(node) : node;
    }
  }

  private readSigned(): Node {
    if (this.shown() === "-" || this.shown() === "+") {
      const minus = this.shown() === "-";
      this.at++;
      return this.nested(() => (minus ? negated(this.readSigned()) : this.readSigned()));
    }
    return this.readPower();
  }

  private startsOperand(): boolean {
    const token = this.tokens[this.at];
    if (token === undefined) return false;
    if (token.kind === "number" || token.kind === "name") return true;
    const shown = this.shown();
    if (shown in OPENERS || shown === "{") return true;
    if (shown === "|" || shown === "\\vert" || shown === "\\|") return this.bars === 0;
    if (token.kind !== "command") return false;
    if (shown in DELIMITERS) return true;
    return !/^\\(?:r(?:floor|ceil|vert|Vert|brace|brack|group|angle)|[lu]rcorner|mod|bmod|cdot|times|ast|div|pm|mp|end|mid|choose|cup|bigcup|cap|setminus|backslash|in|notin|approx|sim|simeq|equiv|coloneqq|neq?|l[et]|g[et]|[lg]eq(?:q|slant)?|to|rightarrow)$/.test(
      shown,
    );
  }

  private readPower(): Node {
    let base = this.readAtom();
    for (;;) {
      const mark = this.shown();
      if (mark === "!") base = { kind: "call", name: "factorial", args: [base] };
      else if (mark === "\\%" || mark === "%") base = { kind: "percent", item: base };
      else if (mark === "'") base = { kind: "call", name: "prime", args: [base] };
      else if (mark === "^" || mark === "**") {
        this.at++;
        base = { kind: "power", base, exponent: this.nested(() => this.readScript()) };
        continue;
      } else return base;
      this.at++;
    }
  }

  /** What follows ^ or stands in a \frac without braces: a group, a sign with an operand, or one digit or name. */
  protected readScript(): Node {
    if (this.shown() === "{") return this.readGroup();
    if (this.shown() === "-" || this.shown() === "+") return this.readSigned();
    return this.readAtom();
  }

  /** One argument of a command: a group, or the next digit, name or command. */
  protected readArgument(): Node {
    const token = this.tokens[this.at];
    if (token?.kind === "number" && token.text.length > 1 && !token.text.includes(".")) {
      this.tokens[this.at] = { kind: "number", text: token.text.slice(1), tight: true };
      return numberOf(token.text[0]);
    }
    return this.shown() === "{" ? this.readGroup() : this.nested(() => this.readAtom());
  }

  protected readGroup(): Node {
    if (!this.takeMark("{")) throw new UnreadableAnswer(`expected { before ${this.shown()}`);
    return this.nested(() => {
      const node = this.readList(() => this.shown() === "}");
      if (this.takeMark("}")) return node;
      if (this.shown() === "\\choose" || this.shown() === "\\over") {
        const name = this.shown();
        this.at++;
        const bottom = this.readList(() => this.shown() === "}");
        if (!this.takeMark("}")) throw new UnreadableAnswer("unclosed group");
        return name === "\\over"
          ? { kind: "quotient", top: node, bottom }
          : { kind: "call", name: "binomial", args: [node, bottom] };
      }
      throw new UnreadableAnswer(`unclosed group before ${this.shown()}`);
    });
  }

  private readAtom(): Node {
    const token = this.tokens[this.at];
    if (token === undefined) throw new UnreadableAnswer("an operand is missing at the end");
    const shown = this.shown();
    if (token.kind === "number") {
      this.at++;
      return numberOf(token.text);
    }
    if (shown === "{") return this.readGroup();
    if (shown in OPENERS) {
      this.at++;
      return this.readBracketed(OPENERS[shown]);
    }
    if (shown in DELIMITERS) {
      this.at++;
      const [closer, name] = DELIMITERS[shown];
      const inside = this.readSum();
      if (!this.takeMark(closer)) throw new UnreadableAnswer(`expected ${closer}`);
      return { kind: "call", name, args: [inside] };
    }
    if (shown === "|" || shown === "\\vert" || shown === "\\|") return this.readBars(shown);
    if (token.kind === "mark") throw new UnreadableAnswer(`unexpected ${shown || "end"}`);
    this.at++;
    return this.readNamed(token);
  }

  private readBars(bar: string): Node {
    this.at++;
    this.bars++;
    const inside = this.readSum();
    this.bars--;
    if (!this.takeMark(bar)) throw new UnreadableAnswer("unclosed bar");
    return { kind: "call", name: "abs", args: [inside] };
  }

  private readNamed(token: Token): Node {
    const name = HYPERBOLIC_SHORT[token.text] ?? token.text.replace(INVERSE, "arc$1");
    if (token.kind === "command" && IGNORED_COMMANDS.has(name)) return this.nested(() => this.readAtom());
    if (token.kind === "command" && OPAQUE_COMMANDS.has(name)) {
      this.at = this.tokens.length;
      return { kind: "opaque", latex: this.text };
    }
    switch (name) {
      case "frac":
        return { kind: "quotient", top: this.readArgument(), bottom: this.readArgument() };
      case "binom":
        return { kind: "call", name: "binomial", args: [this.readArgument(), this.readArgument()] };
      case "sqrt":
        return this.readRoot();
      case "sum":
      case "prod":
        return this.readFold(name === "sum" ? "sum" : "product");
      case "log":
        return this.readLogarithm();
      case "begin":
        return this.readEnvironment();
      case "pi":
        return { kind: "constant", name: "pi" };
      case "infty":
      case "infinity":
      case "inf":
        return { kind: "constant", name: "infinity" };
      case "emptyset":
      case "varnothing":
        return { kind: "list", open: "{", close: "}", items: [] };
      case "exponentialE":
        return { kind: "constant", name: "e" };
      case "imaginaryI":
        return { kind: "constant", name: "i" };
      case "operatorname":
        return this.readNamed({ kind: "command", text: this.skipGroup().replace(/\\/g, ""), tight: true });
      case "variable":
        return this.subscripted(this.skipGroup());
      case "overline":
      case "bar":
      case "vec":
      case "hat":
      case "tilde":
        return this.subscripted(`${name === "overline" ? "bar" : name}(${this.readAccent()})`);
    }
    if (FUNCTION_NAMES.has(name)) return this.readCall(name);
    if (token.kind === "command") throw new UnreadableAnswer(`unknown command \\${name}`);
    if (name === "e") return { kind: "constant", name: "e" };
    if (name === "i" && this.shown() !== "_" && !this.foldVariables.includes("i"))
      return { kind: "constant", name: "i" };
    const symbol = this.subscripted(name);
    const applied = /^[fghFGHPQW]$/.test(name) && this.shown() === "(" && this.tokens[this.at].tight;
    return applied && symbol.kind === "symbol" ? this.readCall(`${symbol.name}()`) : symbol;
  }

  private readAccent(): string {
    const token = this.tokens[this.at];
    if (this.shown() === "{") return this.skipGroup();
    if (token === undefined) throw new UnreadableAnswer("an accent over nothing");
    this.at++;
    return token.text;
  }

  /** A symbol with its subscript; `x^2_1` is (x_1)^2. */
  private subscripted(name: string): Node {
    const readSubscript = () => (this.takeMark("_") ? `_${this.readAccent()}` : "");
    const direct = readSubscript();
    if (direct !== "" || this.shown() !== "^") return { kind: "symbol", name: name + direct };
    const start = this.at;
    this.at++;
    const exponent = this.nested(() => this.readScript());
    const late = readSubscript();
    if (late !== "") return { kind: "power", base: { kind: "symbol", name: name + late }, exponent };
    this.at = start;
    return { kind: "symbol", name };
  }

  private readRoot(): Node {
    let degree: Node = integerNode(2);
    if (this.shown() === "[") {
      this.at++;
      degree = this.readSum();
      if (!this.takeMark("]")) throw new UnreadableAnswer("unclosed degree of a root");
    }
    const inside = this.readArgument();
    return {
      kind: "power",
      base: inside,
      exponent: { kind: "quotient", top: integerNode(1), bottom: degree },
    };
  }

  private readEnvironment(): Node {
    const name = this.skipGroup();
    if (!/^(?:[pbvBV]|small)?matrix$|^array$/.test(name)) throw new UnreadableAnswer(`environment ${name}`);
    if (name === "array" && this.shown() === "{") this.skipGroup();
    return this.readMatrix();
  }

  private readLogarithm(): Node {
    const base = this.takeMark("_") ? this.readArgument() : null;
    const inside = this.readCall("ln");
    if (base === null)
      return { kind: "call", name: "log", args: inside.kind === "call" ? inside.args : [inside] };
    return { kind: "quotient", top: inside, bottom: { kind: "call", name: "ln", args: [base] } };
  }

  /** A function's argument: a bracketed list, or the factors that follow up to a sign. */
  private readCall(name: string): Node {
    let exponent: Node | null = null;
    if (this.shown() === "^") {
      this.at++;
      exponent = this.readScript();
    }
    let args: Node[];
    const opener = OPENERS[this.shown()];
    if (opener !== undefined || this.shown() === "{") {
      const list = this.readAtom();
      args = list.kind === "list" ? list.items : [list];
    } else args = [this.nested(() => this.readBareArgument())];
    const inverse =
      exponent?.kind === "product" &&
      exponent.items.every((x) => x.kind === "number") &&
      isMinusOne(exponent);
    const call: Node = { kind: "call", name: inverse ? `arc${name}` : name, args };
    return exponent && !inverse ? { kind: "power", base: call, exponent } : call;
  }

  private readBareArgument(): Node {
    let node = this.readSigned();
    while (this.startsOperand() && !FUNCTION_NAMES.has(this.tokens[this.at].text)) {
      if (OPENERS[this.shown()] === "(") break;
      node = productOf(node, this.readPower());
    }
    return node;
  }

  private readFold(operator: "sum" | "product"): Node {
    let bounds: Node | null = null;
    let to: Node | null = null;
    for (;;) {
      if (this.takeMark("_")) bounds = this.readArgument();
      else if (this.takeMark("^")) to = this.readLimit();
      else break;
    }
    if (bounds?.kind !== "relation" || bounds.operators[0] !== "=" || to === null) {
      throw new UnreadableAnswer(`${operator} without bounds`);
    }
    const [variable, from] = bounds.items;
    const name =
      variable.kind === "symbol" ? variable.name : variable.kind === "constant" ? variable.name : "";
    if (name === "") throw new UnreadableAnswer(`${operator} over no variable`);
    this.foldVariables.push(name);
    const body = this.readProduct();
    this.foldVariables.pop();
    return { kind: "fold", operator, variable: name, from, to, body };
  }

  /** An upper limit: a bare letter takes no subscript, for that is the lower limit. */
  private readLimit(): Node {
    const token = this.tokens[this.at];
    if (token?.kind !== "name" || token.text.length > 1) return this.readArgument();
    this.at++;
    return { kind: "symbol", name: token.text };
  }
}
