/** Splits normalised LaTeX or plain mathematics into tokens. */

import { UnreadableAnswer } from "./syntax.ts";

export type Token =
  | { kind: "number"; text: string; tight: boolean }
  /** A single letter, a plain-text function name, or a Greek letter's command without its backslash. */
  | { kind: "name"; text: string; tight: boolean }
  | { kind: "command"; text: string; tight: boolean }
  | { kind: "mark"; text: string; tight: boolean };

/** Longer answers are compared as text only. */
export const MAX_CHARACTERS = 2000;

const GREEK =
  "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar aleph";
const GREEK_NAMES = new Set(GREEK.split(" "));
const PLAIN_NAMES = [
  "infinity",
  "arcsin",
  "arccos",
  "arctan",
  "sqrt",
  "sinh",
  "cosh",
  "tanh",
  "sin",
  "cos",
  "tan",
  "cot",
  "sec",
  "csc",
  "log",
  "ln",
  "exp",
  "lcm",
  "gcd",
  "min",
  "max",
  "inf",
  "pi",
];
/** Commands that may be run together with what follows, as in `\quadx`. */
const SPLITTABLE = [
  "lgroup",
  "rgroup",
  "lbrack",
  "rbrack",
  "lbrace",
  "rbrace",
  "lvert",
  "rvert",
  "times",
  "cdot",
  "quad",
  "vert",
  "leq",
  "geq",
  "neq",
  "pi",
  "mid",
  "cup",
  "ln",
];

const UNICODE: Readonly<Record<string, string>> = {
  "−": "-",
  "–": "-",
  "×": "*",
  "·": "*",
  "⋅": "*",
  "∗": "*",
  "÷": "/",
  "≤": "<=",
  "≥": ">=",
  "≠": "!=",
  "≈": "~",
  "∪": "\\cup ",
  "∩": "\\cap ",
  "∈": "\\in ",
  "∉": "\\notin ",
  "∅": "\\emptyset ",
  "∞": "\\infty ",
  π: "\\pi ",
  "√": "\\sqrt",
  "±": "\\pm ",
  "∓": "\\mp ",
  "²": "^2",
  "³": "^3",
  "½": "\\frac{1}{2}",
  "¼": "\\frac{1}{4}",
  "¾": "\\frac{3}{4}",
  α: "\\alpha ",
  β: "\\beta ",
  γ: "\\gamma ",
  θ: "\\theta ",
  λ: "\\lambda ",
  μ: "\\mu ",
};

function commandToken(name: string): [string, string] {
  for (const stem of SPLITTABLE) {
    if (name !== stem && name.startsWith(stem) && !KNOWN_LONGER.has(name))
      return [stem, name.slice(stem.length)];
  }
  return [name, ""];
}
const KNOWN_LONGER = new Set(["pitchfork", "leqslant", "geqslant", "leqq", "geqq", "cupdot", "midpoint"]);

/**
 * The tokens of one answer.
 * @throws {UnreadableAnswer} for text beyond MAX_CHARACTERS or a character of no known use
 */
export function tokenize(text: string): Token[] {
  if (text.length > MAX_CHARACTERS) throw new UnreadableAnswer(`longer than ${MAX_CHARACTERS} characters`);
  let rest = text.replace(/[^\p{ASCII}]/gu, (c) => UNICODE[c] ?? c);
  const tokens: Token[] = [];
  let tight = false;
  const push = (kind: Token["kind"], value: string) => {
    tokens.push({ kind, text: value, tight });
    tight = true;
  };
  while (rest !== "") {
    const space = /^\s+/.exec(rest);
    if (space) {
      tight = false;
      rest = rest.slice(space[0].length);
      continue;
    }
    const number = /^(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+(?![.\d]))?/.exec(rest);
    const command = /^\\([a-zA-Z]+)/.exec(rest);
    const word = /^[a-zA-Z]+/.exec(rest);
    let taken: string;
    if (number) {
      taken = number[0];
      push("number", taken);
    } else if (command) {
      const [name, left] = commandToken(command[1]);
      taken = rest.slice(0, command[0].length - left.length);
      push(GREEK_NAMES.has(name) ? "name" : "command", name);
    } else if (word) {
      taken = PLAIN_NAMES.find((name) => word[0].toLowerCase().startsWith(name)) ?? word[0][0];
      push("name", taken.length > 1 ? taken : word[0][0]);
    } else {
      taken = /^(?:\\[{}|\\%$#&_]|<=|>=|!=|==|=<|=>|\*\*)/.exec(rest)?.[0] ?? rest[0];
      if (!/[\p{ASCII}\p{L}]/u.test(taken)) throw new UnreadableAnswer(`unknown character ${taken}`);
      push(/\p{L}/u.test(taken) ? "name" : "mark", taken);
    }
    rest = rest.slice(taken.length);
  }
  return tokens;
}
