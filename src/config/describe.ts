/**
 * Lists the recipe's fields with their metadata, read from the schema: for `--help`, the page's form, docs/config.md
 * and error messages. Knows valibot's shape so that nobody else has to.
 */
import * as v from "valibot";
import type { FieldMeta } from "./field.ts";
import { recipeSchema } from "./schema.ts";

export interface FieldDescription extends FieldMeta {
  /** Dotted path; `[]` stands for the position in a list of groups. */
  path: string;
  /** The written default; undefined where the field is absent or derived. */
  default: unknown;
}

interface SchemaShape {
  type: string;
  wrapped?: SchemaShape;
  item?: SchemaShape;
  entries?: Record<string, SchemaShape>;
  default?: unknown;
}

function readMeta(schema: SchemaShape): FieldMeta | undefined {
  const found = v.getMetadata(schema as unknown as v.GenericSchema) as Partial<FieldMeta>;
  return found.kind === undefined ? undefined : (found as FieldMeta);
}

function readDefault(schema: SchemaShape): unknown {
  if (schema.type !== "optional") return undefined;
  return typeof schema.default === "function" ? (schema.default as () => unknown)() : schema.default;
}

function* walk(schema: SchemaShape, path: string): Generator<FieldDescription> {
  const inner = schema.wrapped ?? schema;
  const meta = readMeta(inner);
  if (meta && path !== "") yield { ...meta, path, default: readDefault(schema) };
  if (inner.type === "array" && inner.item?.entries) yield* walk(inner.item, `${path}[]`);
  for (const [key, entry] of Object.entries(inner.entries ?? {})) {
    yield* walk(entry, path === "" ? key : `${path}.${key}`);
  }
}

const all: FieldDescription[] = [...walk(recipeSchema as unknown as SchemaShape, "")];
const byPath = new Map(all.map((field) => [field.path, field]));

/** All fields in the order of the schema, groups included (kind `group`). */
export function describeFields(): readonly FieldDescription[] {
  return all;
}

/** The field at a dotted path (`tasks.0.weight` finds `tasks[].weight`), or undefined. */
export function findField(path: string): FieldDescription | undefined {
  return byPath.get(path.replace(/\.\d+(?=\.|$)/g, "[]"));
}

/** Dotted paths of all fields that hold a value. */
export function settingPaths(): string[] {
  return all.filter((field) => field.kind !== "group").map((field) => field.path);
}

/** What a field takes, in words: `a whole number from 1 to 16`. */
export function describeBounds(field: FieldMeta): string {
  const { kind, min, max, choices } = field;
  const range = min !== undefined && max !== undefined ? ` from ${min} to ${max}` : "";
  if (kind === "choice") return `one of ${choices?.join(", ")}`;
  if (kind === "switch") return "true or false";
  if (kind === "integer") return `a whole number${range}`;
  if (kind === "number") return `a number${range}`;
  if (kind === "list") return range === "" ? "a list of strings" : `a list of numbers${range}`;
  return kind === "text" ? "a string" : "an object";
}

/** The default as a reader sees it: JSON, or what it is derived from. */
export function describeDefault(field: FieldDescription): string {
  if (field.derived !== undefined) return field.derived;
  if (field.default === undefined) return "required";
  return JSON.stringify(field.default);
}
