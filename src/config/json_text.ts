/**
 * Where things stand in a JSON text: the line of each setting, and of the first place that is no JSON. The engine's own
 * parser decides what is JSON; this one only tells where, in every browser alike.
 */

export interface JsonPlaces {
  /** Line, from 1, of each key by its dotted path; positions in lists count as keys. */
  lines: ReadonlyMap<string, number>;
  /** Where the text stops being JSON, or null. */
  broken: { line: number; column: number; offset: number } | null;
  /** The first setting that is written twice, of which JSON would keep the last without a word; or null. */
  repeated: { path: string; line: number } | null;
}

/** Characters of the longest text that is read: a hundred times the longest recipe. */
const LONGEST_TEXT = 200_000;
/** Groups within groups; a recipe has four. Deeper ones would exhaust the stack of whoever walks through them. */
export const DEEPEST = 64;

/** How deep brackets stand within each other, counted without reading the text as JSON. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (quoted && sign === "\\") at++;
    else if (sign === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (sign === "{" || sign === "[") deepest = Math.max(deepest, ++depth);
    else if (sign === "}" || sign === "]") depth--;
  }
  return deepest;
}

/** Why a text is no recipe whatever it says: it is too long or too deep to be looked at. Null where it is neither. */
export function excess(text: string): { found: string; hint: string } | null {
  if (text.length > LONGEST_TEXT) {
    return {
      found: `it has ${text.length} characters, a recipe at most ${LONGEST_TEXT}`,
      hint: "keep problems in a file of their own, which `data.file` names",
    };
  }
  if (depthOf(text) <= DEEPEST) return null;
  return { found: `its brackets stand more than ${DEEPEST} deep`, hint: "take what is nested so deep out" };
}

/** Ends the scan at the first character that cannot stand there. */
class Unexpected extends Error {}

class Scanner {
  readonly offsets = new Map<string, number>();
  repeated: { path: string; offset: number } | null = null;
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
    if (this.offsets.has(own)) this.repeated ??= { path: own, offset: start };
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

/** Tells lines, from 1, by offset; a text has a thousand keys to ask about. */
function lineFinder(text: string): (offset: number) => number {
  const ends = [...text.matchAll(/\n/g)].map(({ index }) => index);
  return (offset) => {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle] < offset) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}

/** Finds the places of a text that may be no JSON; none where it is too long or too deep. */
export function placesOf(text: string): JsonPlaces {
  if (excess(text)) return { lines: new Map(), broken: null, repeated: null };
  const lineAt = lineFinder(text);
  const scanner = new Scanner(text);
  let broken: JsonPlaces["broken"] = null;
  try {
    scanner.whole();
  } catch (cause) {
    if (!(cause instanceof Unexpected)) throw cause;
    const offset = Math.min(scanner.at, text.length);
    const column = offset - text.lastIndexOf("\n", offset - 1);
    broken = { line: lineAt(offset), column, offset };
  }
  const lines = new Map([...scanner.offsets].map(([path, offset]) => [path, lineAt(offset)]));
  const { repeated } = scanner;
  return { lines, broken, repeated: repeated && { path: repeated.path, line: lineAt(repeated.offset) } };
}

/** The line of a path, or of the nearest group around it that the text has; null where it has none. */
export function lineOf({ lines }: Pick<JsonPlaces, "lines">, path: string): number | null {
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
