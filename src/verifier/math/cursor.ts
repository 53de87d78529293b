/** A place in a list of tokens, with the bound on depth that every reader of answers keeps. */

import { UnreadableAnswer } from "./syntax.ts";
import type { Token } from "./tokens.ts";

const MAX_DEPTH = 48;

export abstract class TokenCursor {
  protected at = 0;
  private depth = 0;
  protected readonly tokens: Token[];
  protected readonly text: string;

  constructor(tokens: Token[], text: string) {
    this.tokens = tokens;
    this.text = text;
  }

  /** The token at hand as written: commands and escaped marks with their backslash; empty at the end. */
  protected shown(ahead = 0): string {
    const token = this.tokens[this.at + ahead];
    return token === undefined ? "" : token.kind === "command" ? `\\${token.text}` : token.text;
  }

  protected takeMark(mark: string): boolean {
    if (this.shown() !== mark) return false;
    this.at++;
    return true;
  }

  protected nested<T>(read: () => T): T {
    if (++this.depth > MAX_DEPTH) throw new UnreadableAnswer(`nested deeper than ${MAX_DEPTH}`);
    const value = read();
    this.depth--;
    return value;
  }

  /** The raw text of a {…} group, for names and environments. */
  protected skipGroup(): string {
    if (!this.takeMark("{")) throw new UnreadableAnswer("expected {");
    let open = 1;
    let text = "";
    while (this.at < this.tokens.length) {
      const shown = this.shown();
      this.at++;
      if (shown === "{") open++;
      else if (shown === "}" && --open === 0) return text;
      text += shown;
    }
    throw new UnreadableAnswer("unclosed group");
  }
}
