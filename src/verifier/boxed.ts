/** Finds \boxed{…} answers by counting braces in one pass, so that nesting of any depth is matched in linear time. */

export interface Boxed {
  /** What stands between the braces. */
  content: string;
  /** Where the command begins and where its closing brace ends. */
  start: number;
  end: number;
}

const COMMAND = /^\\(?:boxed|fbox)\s{0,8}\{/;
const LONGEST_COMMAND = 16;

/** All boxed answers in order of appearance, outermost only; boxes that never close are left out. */
export function findBoxed(text: string): Boxed[] {
  const found: Boxed[] = [];
  /** Open braces: where the box's command began, or -1 for any other brace. */
  const open: { start: number; inside: number }[] = [];
  for (let k = 0; k < text.length; k++) {
    const c = text[k];
    if (c === "\\") {
      const command = COMMAND.exec(text.slice(k, k + LONGEST_COMMAND));
      if (command) {
        open.push({ start: k, inside: k + command[0].length });
        k += command[0].length - 1;
      } else k++;
    } else if (c === "{") open.push({ start: -1, inside: k + 1 });
    else if (c === "}") {
      const brace = open.pop();
      if (brace === undefined || brace.start < 0) continue;
      while (found.length > 0 && found[found.length - 1].start > brace.start) found.pop();
      found.push({ content: text.slice(brace.inside, k), start: brace.start, end: k + 1 });
    }
  }
  return found;
}

/** The content of the last boxed answer; null where there is none. */
export function lastBoxed(text: string): string | null {
  const found = findBoxed(text);
  return found.length === 0 ? null : found[found.length - 1].content.trim();
}
