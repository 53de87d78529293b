/** Reads and writes plain JSON by dotted path: what a form's edits do to a draft. Nothing is changed in place. */
import { findField } from "../../../config/describe.ts";
import { mergeLayers } from "../../../config/resolve.ts";

export type Layer = Record<string, unknown>;

export const isLayer = (value: unknown): value is Layer =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value at a path, or undefined. */
export function valueAt(layer: unknown, path: string): unknown {
  let value = layer;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Layer)[key];
  }
  return value;
}

/** The layer with a value at a path; keys keep their order, new ones come last in their group. */
export function withValue(layer: Layer, path: string, value: unknown): Layer {
  const [key, ...rest] = path.split(".");
  const below = layer[key];
  if (Array.isArray(below) && rest.length > 0) {
    const list = [...below];
    const [index, ...deeper] = rest;
    const item = list[Number(index)];
    list[Number(index)] =
      deeper.length === 0 ? value : withValue(isLayer(item) ? item : {}, deeper.join("."), value);
    return { ...layer, [key]: list };
  }
  if (rest.length === 0) return { ...layer, [key]: value };
  return { ...layer, [key]: withValue(isLayer(below) ? below : {}, rest.join("."), value) };
}

/** The layer without what stands at a path; a group that becomes empty goes too. */
export function withoutValue(layer: Layer, path: string): Layer {
  const [key, ...rest] = path.split(".");
  if (!Object.hasOwn(layer, key)) return layer;
  const { [key]: below, ...others } = layer;
  if (rest.length === 0) return others;
  if (Array.isArray(below)) {
    const [index, ...deeper] = rest;
    const item = below[Number(index)];
    if (deeper.length === 0) return { ...layer, [key]: below.filter((_, i) => i !== Number(index)) };
    return isLayer(item) ? withValue(layer, `${key}.${index}`, withoutValue(item, deeper.join("."))) : layer;
  }
  if (!isLayer(below)) return layer;
  const left = withoutValue(below, rest.join("."));
  return Object.keys(left).length === 0 ? others : { ...layer, [key]: left };
}

export const sameJson = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What holds at a path where the draft says nothing: the recipe's word, else the schema's default. */
export function inheritedAt(base: Layer, path: string): unknown {
  return valueAt(base, path) ?? findField(path)?.default;
}

const SOURCES = ["task", "tasks", "data"] as const;
export type SourceKind = (typeof SOURCES)[number];

/** The kind of source a recipe takes its problems from; a recipe without any takes the standard task. */
export function sourceKind(layer: Layer): SourceKind {
  return SOURCES.find((kind) => layer[kind] !== undefined) ?? "task";
}

/** The list that a path leads into, or null: lists are replaced whole, so a draft has all of one or nothing of it. */
const listAround = (path: string) => /^(.*?)\.\d+(?:\.|$)/.exec(path)?.[1] ?? null;

/**
 * The draft after a field of the form was set. A value that would hold anyway is taken out, so that the draft says only
 * what differs; `undefined` takes it out as well.
 * @param base what the draft extends, merged
 */
export function setField(draft: Layer, base: Layer, path: string, value: unknown): Layer {
  let next = draft;
  if (path === "task.name") next = withoutValue(next, "task.options");
  const list = listAround(path);
  if (list !== null && valueAt(next, list) === undefined)
    next = withValue(next, list, valueAt(base, list) ?? []);
  if (value === undefined || (list === null && sameJson(value, inheritedAt(base, path)))) {
    return withoutValue(next, path);
  }
  // Options need the name of their task where no recipe below says it.
  const named = valueAt(mergeLayers(base, next), "task.name") !== undefined;
  if (path === "task.options" && !named) next = withValue(next, "task.name", "chain_sum");
  return withValue(next, path, value);
}

const STARTERS: Record<SourceKind, unknown> = {
  task: { name: "chain_sum" },
  tasks: [
    { name: "chain_sum", weight: 1 },
    { name: "sorting", weight: 1 },
  ],
  data: { file: "" },
};

/** The draft after another kind of source was chosen. */
export function setSource(draft: Layer, base: Layer, kind: SourceKind): Layer {
  let next = draft;
  for (const each of SOURCES) next = withoutValue(next, each);
  return sourceKind(base) === kind ? next : { ...next, [kind]: STARTERS[kind] };
}

/** The list at a path with the draft's own copy of it, so that its entries can be changed. */
export function setItems(draft: Layer, base: Layer, path: string, items: unknown[]): Layer {
  return sameJson(items, valueAt(base, path)) ? withoutValue(draft, path) : withValue(draft, path, items);
}
