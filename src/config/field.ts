/**
 * Builders for recipe fields: each is a valibot schema that carries its default, bounds, unit, description and source,
 * from which types, `--help`, the page's form and docs/config.md are derived. Called by the stage files of this folder.
 */
import * as v from "valibot";

export type FieldLevel = "basic" | "advanced";
export type FieldKind = "number" | "integer" | "text" | "choice" | "switch" | "list" | "record" | "group";

/** What a form, a help table or a document shows of one field. */
export interface FieldMeta {
  kind: FieldKind;
  /** One line in the present tense. */
  description: string;
  level: FieldLevel;
  unit?: string;
  /** Where the default comes from: a paper's section, or "prototype" (settings that worked in a prototype outside this project). */
  source?: string;
  min?: number;
  max?: number;
  choices?: readonly string[];
  /** What an absent value stands for, where the default is computed from other fields. */
  derived?: string;
}

type Described = Pick<FieldMeta, "description"> & Partial<Pick<FieldMeta, "level" | "unit" | "source">>;
type Bounded = Described & { min: number; max: number };

const meta = (kind: FieldKind, field: Described & Partial<FieldMeta>) => {
  const { description, level = "advanced", unit, source, min, max, choices, derived } = field;
  return { kind, description, level, unit, source, min, max, choices, derived } satisfies FieldMeta;
};

const realSchema = (field: Bounded & { derived?: string }) =>
  v.pipe(
    v.number(),
    v.finite(),
    v.minValue(field.min),
    v.maxValue(field.max),
    v.metadata(meta("number", field)),
  );

const wholeSchema = (field: Bounded & { derived?: string }) =>
  v.pipe(
    v.number(),
    v.safeInteger(),
    v.minValue(field.min),
    v.maxValue(field.max),
    v.metadata(meta("integer", field)),
  );

const textSchema = (field: Described & { derived?: string }) =>
  v.pipe(v.string(), v.metadata(meta("text", field)));

/** A real number within bounds, both included. */
export const real = (field: Bounded & { default: number }) => v.optional(realSchema(field), field.default);

/** A whole number within bounds, both included. */
export const whole = (field: Bounded & { default: number }) => v.optional(wholeSchema(field), field.default);

/** A real number that is computed from other fields when absent. */
export const realOrDerived = (field: Bounded & { derived: string }) => v.optional(realSchema(field));

/** One of a closed set of words, computed from other fields when absent. */
export const choiceOrDerived = <const T extends readonly string[]>(
  field: Described & { choices: T; derived: string },
) => v.optional(v.pipe(v.picklist(field.choices), v.metadata(meta("choice", field))));

/** A whole number that is computed from other fields when absent. */
export const wholeOrDerived = (field: Bounded & { derived: string }) => v.optional(wholeSchema(field));

/** A string. */
export const text = (field: Described & { default: string }) => v.optional(textSchema(field), field.default);

/** A string that may be absent. */
export const textOrNone = (field: Described & { derived: string }) => v.optional(textSchema(field));

/** A string that must be there. */
export const requiredText = (field: Described) =>
  v.pipe(v.string(), v.minLength(1), v.metadata(meta("text", field)));

/** One of a closed set of words. */
export const choice = <const T extends readonly string[]>(
  field: Described & { choices: T; default: T[number] },
) => v.optional(v.pipe(v.picklist(field.choices), v.metadata(meta("choice", field))), () => field.default);

/** True or false. */
export const flag = (field: Described & { default: boolean }) =>
  v.optional(v.pipe(v.boolean(), v.metadata(meta("switch", field))), field.default);

/** A list of strings, never empty strings. */
export const texts = (field: Described & { default: readonly string[] }) =>
  v.optional(v.pipe(v.array(v.pipe(v.string(), v.minLength(1))), v.metadata(meta("list", field))), () => [
    ...field.default,
  ]);

/** A list of numbers within bounds that is computed from other fields when absent. */
export const realsOrDerived = (field: Bounded & { derived: string }) =>
  v.optional(
    v.pipe(
      v.array(v.pipe(v.number(), v.finite(), v.minValue(field.min), v.maxValue(field.max))),
      v.metadata(meta("list", field)),
    ),
  );

/** A free record, checked by whoever reads it. */
export const record = (field: Described) =>
  v.optional(v.pipe(v.record(v.string(), v.unknown()), v.metadata(meta("record", field))), () => ({}));

/** A strict object whose absent fields take their defaults. */
export const group = <const T extends v.ObjectEntries>(description: string, entries: T) =>
  v.pipe(v.strictObject(entries), v.metadata(meta("group", { description, level: "basic" })));
