/** The command line that starts the same run. */
import { findField } from "../../../config/describe.ts";
import { isLayer, type Layer } from "./values.ts";

/** Words that a shell takes as they are. */
const PLAIN_WORD = /^[\w@%+=:,./-]+$/;

/** Quotes a word for a POSIX shell. */
export function shellQuote(word: string): string {
  return PLAIN_WORD.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;
}

function readsAsJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A value as `--set` reads it: text fields take it as it is, others JSON or a bare word. */
function spell(path: string, value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value);
  const text = findField(path)?.kind === "text";
  const mistaken = text
    ? /^".*"$/s.test(value) || value.trim() !== value
    : readsAsJson(value) || value === "";
  return mistaken ? JSON.stringify(value) : value;
}

/** The `key=value` of each setting of a draft. Groups are opened, records and lists are not. */
export function draftSets(draft: Layer, path = ""): string[] {
  return Object.entries(draft).flatMap(([key, value]) => {
    const at = path === "" ? key : `${path}.${key}`;
    const opened = isLayer(value) && findField(at)?.kind !== "record" && Object.keys(value).length > 0;
    return opened ? draftSets(value, at) : [`${at}=${spell(at, value)}`];
  });
}

/** A draft that extends no recipe is a recipe of its own: the command line reads it from its file. */
export function commandLine(draft: Layer, file = "recipe.json"): string {
  const { extends: parent, ...own } = draft;
  if (typeof parent !== "string") return `npm run train -- --recipe ${file}`;
  const words = draftSets(own).flatMap((set) => ["--set", shellQuote(set)]);
  const recipe = parent === "default" ? [] : ["--recipe", shellQuote(parent)];
  const flags = [...recipe, ...words];
  return flags.length === 0 ? "npm run train" : `npm run train -- ${flags.join(" ")}`;
}
