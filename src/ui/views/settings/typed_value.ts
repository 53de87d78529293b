/** What is typed into a field as the value it stands for, and back. Pure. */
import { describeBounds, type FieldDescription } from "../../../config/describe.ts";
import { excess } from "../../../config/json_text.ts";
import type { Problem } from "./draft.ts";

/** A value; nothing, so that what is inherited holds; or why the text is none. */
export type Typed = { kind: "value"; value: unknown } | { kind: "none" } | { kind: "bad"; problem: Problem };

/** As text in its control. */
export function spellTyped(field: FieldDescription, value: unknown): string {
  if (value === undefined) return "";
  if (field.kind === "list" && Array.isArray(value)) {
    return value.map((item) => (typeof item === "string" ? item : JSON.stringify(item))).join(", ");
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

function bad(field: FieldDescription, text: string, hint: string): Typed {
  const message = `Cannot use ${text === "" ? "what is typed" : text} as \`${field.path}\`: it takes ${describeBounds(field)}`;
  return { kind: "bad", problem: { code: "config/wrong-type", message, hint, paths: [field.path] } };
}

function readList(field: FieldDescription, text: string): Typed {
  const words = text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
  if (field.min === undefined) return { kind: "value", value: words };
  return { kind: "value", value: words.map((word) => (Number.isNaN(Number(word)) ? word : Number(word))) };
}

function readRecord(field: FieldDescription, text: string): Typed {
  const tooMuch = excess(text);
  if (tooMuch) return bad(field, `what is typed: ${tooMuch.found},`, tooMuch.hint);
  try {
    return { kind: "value", value: JSON.parse(text) };
  } catch {
    return bad(
      field,
      text.length > 40 ? `${text.slice(0, 37)}…` : text,
      'write it as JSON, such as { "maxTerms": 2 }',
    );
  }
}

/**
 * Reads what was typed. Bounds are left to the check of the draft.
 * @param unreadable the browser holds text that is no number and does not tell it
 */
export function readTyped(field: FieldDescription, text: string, unreadable = false): Typed {
  if (unreadable) return bad(field, "", "finish the number, or empty the field for its default");
  if (field.kind === "text") {
    // An empty text is a value of its own where there is a written default.
    return text === "" && field.derived !== undefined ? { kind: "none" } : { kind: "value", value: text };
  }
  if (text.trim() === "") return { kind: "none" };
  if (field.kind === "list") return readList(field, text);
  if (field.kind === "record") return readRecord(field, text);
  const value = Number(text);
  return Number.isFinite(value) ? { kind: "value", value } : bad(field, text, "write a plain number");
}
