/**
 * Where things stand in a JSON text: the line of each setting, and of the first place that is no JSON. The engine's own
 * parser decides what is JSON; this one only tells where, in every browser alike.
 */

export interface JsonPlaces {
  /** Line, from 1, of each key by its dotted path; positions in lists count as keys. */
  lines: ReadonlyMap<string, number>;
  /** Where the text stops being JSON, or null. */
  broken: { line: number; column: number; offset: number } | null;
}

/** Ends the scan at the first character that cannot stand there. */
class Unexpected extends Error {}

class Scanner {
  readonly offsets = new Map<string, number>();
  at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  whole(): void {
    this.value("");
    this.space();
    if (this.at < this.text.length) throw new Unexpected();
  }

  private space(): void {
    while (/[ \t\r\n]/.test(this.text[this.at] ?? "")) this.at++;
  }

  private take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) throw new Unexpected();
    this.at = pattern.lastIndex;
    return found[0];
  }

  private value(path: string): void {
    this.space();
    const first = this.text[this.at];
    if (first === "{") this.items("}", () => this.member(path));
    else if (first === "[") this.items("]", (index) => this.element(path, index));
    else if (first === '"') this.string();
    else this.take(/true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
  }

  private string(): string {
    // Any character from the space on, but for the quote and the backslash.
    return this.take(/"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y);
  }

  private items(end: string, item: (index: number) => void): void {
    this.at++;
    this.space();
    if (this.text[this.at] === end) {
      this.at++;
      return;
    }
    for (let index = 0; ; index++) {
      item(index);
      this.space();
      if (this.text[this.at] === end) {
        this.at++;
        return;
      }
      if (this.text[this.at] !== ",") throw new Unexpected();
      this.at++;
    }
  }

  private member(path: string): void {
    this.space();
    const start = this.at;
    const key = JSON.parse(this.string()) as string;
    const own = path === "" ? key : `${path}.${key}`;
    this.offsets.set(own, start);
    this.space();
    this.take(/:/y);
    this.value(own);
  }

  private element(path: string, index: number): void {
    this.space();
    const own = path === "" ? String(index) : `${path}.${index}`;
    this.offsets.set(own, this.at);
    this.value(own);
  }
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split("\n").length;

/** Finds the places of a text that may be no JSON. */
export function placesOf(text: string): JsonPlaces {
  const scanner = new Scanner(text);
  let broken: JsonPlaces["broken"] = null;
  try {
    scanner.whole();
  } catch (cause) {
    if (!(cause instanceof Unexpected)) throw cause;
    const offset = Math.min(scanner.at, text.length);
    const column = offset - text.lastIndexOf("\n", offset - 1);
    broken = { line: lineAt(text, offset), column, offset };
  }
  const lines = new Map([...scanner.offsets].map(([path, offset]) => [path, lineAt(text, offset)]));
  return { lines, broken };
}

/** The line of a path, or of the nearest group around it that the text has; null where it has none. */
export function lineOf({ lines }: JsonPlaces, path: string): number | null {
  for (let at = path; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) {
    const line = lines.get(at);
    if (line !== undefined) return line;
  }
  return null;
}

/** From where to where a line goes, its end left out. */
export function lineRange(text: string, line: number): [number, number] {
  const lines = text.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  return [start, start + (lines[line - 1]?.length ?? 0)];
}

/** A recipe as text, as the recipes of the project are written. */
export function formatRecipe(recipe: Record<string, unknown>): string {
  return JSON.stringify(recipe, null, 2);
}
