/** What the form shows, computed from the draft and its newest check, and what its controls do. */
import { computed, signal } from "@preact/signals";
import { mergeLayers } from "../../../config/resolve.ts";
import { PAGE_DEFAULTS } from "../../session/page_defaults.ts";
import { draftRecipe } from "../../state/app.ts";
import { checked } from "./checking.ts";
import { draftText, foundProblems, type Problem, typeText, typingProblems, writeDraft } from "./draft.ts";
import {
  inheritedAt,
  type Layer,
  type SourceKind,
  sameJson,
  setField,
  setItems,
  setSource,
  valueAt,
} from "./values.ts";

const NOTHING: Layer = {};

/** What the draft extends, merged. */
export const base = computed<Layer>(() => checked.value?.base ?? NOTHING);

/** The draft over its base as it is now, before it is checked. */
export const merged = computed<Layer>(() => {
  const { extends: _parent, ...own } = draftRecipe.value;
  return mergeLayers(base.value, own);
});

/** Mistakes by the path they are shown at. */
export const problemsByPath = computed<ReadonlyMap<string, Problem[]>>(() => {
  const found = new Map<string, Problem[]>();
  for (const problem of foundProblems.value) {
    for (const path of problem.paths) found.set(path, [...(found.get(path) ?? []), problem]);
  }
  // What stands half-typed in a field is what its reader sees; the draft still holds what was there before.
  for (const [path, problem] of typingProblems.value) found.set(path, [problem]);
  return found;
});

/** The field that has the keys; its line in the recipe is marked. */
export const focusedPath = signal<string | null>(null);

export interface FieldValue {
  /** What the draft itself says. */
  own: unknown;
  /** What holds without it: the recipe's word or the schema's default; undefined where it is derived. */
  inherited: unknown;
  /** Whose word `inherited` is: the recipe's that the draft extends, the page's own, or the schema's. */
  from: "recipe" | "page" | "schema";
  /** What a derived field comes to, where the draft is in order. */
  derived: unknown;
}

export function fieldValue(path: string): FieldValue {
  const inherited = inheritedAt(base.value, path);
  const whole = checked.value?.recipe;
  const derived = inherited === undefined && whole ? valueAt(whole, path) : undefined;
  return { own: valueAt(draftRecipe.value, path), inherited, from: originOf(path), derived };
}

function originOf(path: string): FieldValue["from"] {
  const held = valueAt(base.value, path);
  if (held === undefined) return "schema";
  return held === valueAt(PAGE_DEFAULTS, path) ? "page" : "recipe";
}

export const setPath = (path: string, value: unknown) =>
  writeDraft(setField(draftRecipe.peek(), base.peek(), path, value));
export const resetPath = (path: string) => setPath(path, undefined);
export const chooseSource = (kind: SourceKind) =>
  writeDraft(setSource(draftRecipe.peek(), base.peek(), kind));
export const writeItems = (path: string, items: unknown[]) =>
  writeDraft(setItems(draftRecipe.peek(), base.peek(), path, items));

/** What a change of the whole draft took away, until the next one. */
export const undoable = signal<{ what: string; text: string } | null>(null);

function replaceDraft(what: string, draft: Layer): void {
  undoable.value = { what, text: draftText.peek() };
  writeDraft(draft);
}

export const pickRecipe = (name: string) => replaceDraft(`Started from ${name}`, { extends: name });

/** Takes out every difference, but not the recipe. */
export function resetAll(): void {
  const { extends: parent } = draftRecipe.peek();
  replaceDraft("Reset all settings", parent === undefined ? {} : { extends: parent });
}

/** Takes a file's text as it is, also where it is no recipe: the editor says what is wrong with it. */
export function importText(name: string, text: string): void {
  undoable.value = { what: `Imported ${name}`, text: draftText.peek() };
  typeText(text.trimEnd());
}

export function undo(): void {
  const before = undoable.peek();
  if (!before) return;
  undoable.value = null;
  typeText(before.text);
}

/** Whether the draft says something else than what would hold without it. */
export function isChanged(path: string): boolean {
  const own = valueAt(draftRecipe.value, path);
  return own !== undefined && !sameJson(own, inheritedAt(base.value, path));
}

/** How many settings the draft changes under a set of paths; a list of groups counts as one. */
export function countChanged(paths: readonly string[]): number {
  return new Set(paths.map((path) => path.replace(/\[\].*/, "")).filter(isChanged)).size;
}
