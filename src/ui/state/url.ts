/**
 * The page's state in its address: `#view=learning&recipe=smoke&set=trainer.learningRate:0.001&run=NAME&rollout=7`, so that a
 * link shows what its sender saw. Only what differs from the defaults is written. Reading and writing are pure and lose
 * nothing: `parseUrlState` of what `formatUrlState` wrote is the state again. What a teacher hides stands in the query
 * (`?hide=controls,settings`), which is read and never written.
 */
import { batch, effect, signal } from "@preact/signals";
import { DEEPEST, excess } from "../../config/json_text.ts";
import { watchDraft } from "../views/settings/draft.ts";
import {
  draftRecipe,
  feed,
  HIDEABLE,
  type Hideable,
  hidden,
  selectedRollout,
  VIEWS,
  type ViewName,
  view,
} from "./app.ts";

type Layer = Record<string, unknown>;

/** The recipe that holds where the address names none: the one that the command line takes too. */
export const STANDARD_RECIPE = "default";

export interface UrlState {
  view: ViewName | null;
  draft: Layer;
  /** Name of the run in view. */
  run: string | null;
  /** Id of the rollout that the views point at. */
  rollout: number | null;
  /** Entries that this page does not know, kept for one that does. */
  rest: [string, string][];
}

export interface ParsedUrl {
  state: UrlState;
  /** What could not be read, in words; the rest of the address still holds. */
  problems: string[];
}

/** Keys that dots may join. Others, and what is no group of settings, are written as JSON at their parent. */
const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const isLayer = (value: unknown): value is Layer =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isPlain = (value: unknown): value is Layer =>
  isLayer(value) && Object.keys(value).every((key) => PLAIN_KEY.test(key) && key !== "__proto__");
const isView = (word: string): word is ViewName => (VIEWS as readonly string[]).includes(word);

/** Encodes what would end an entry or what browsers encode by themselves; the rest stays readable. */
function encode(text: string): string {
  // `encodeURIComponent` refuses half a surrogate pair; in settings JSON has escaped it before it gets here.
  return text.toWellFormed().replace(/[^\w.~!$'()*,/:;?@[\]-]+/g, encodeURIComponent);
}

/** A value as a reader sees it: bare words where they cannot be mistaken for JSON. */
function spellValue(value: unknown): string {
  const json = JSON.stringify(value);
  if (typeof value !== "string" || !/^[\w./:~ -]+$/.test(value) || value.trim() !== value) return json;
  return readsAsJson(value) ? json : value;
}

function readsAsJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function readValue(text: string): unknown {
  const tooMuch = excess(text);
  if (tooMuch) throw new Error(tooMuch.found);
  if (readsAsJson(text)) return JSON.parse(text);
  if (/^["[{]/.test(text)) throw new Error("its value is no whole JSON");
  return text;
}

/** The settings of a draft as `path:value`, in its order. */
export function spellSets(draft: Layer, path = ""): string[] {
  return Object.entries(draft).flatMap(([key, value]) => {
    const at = path === "" ? key : `${path}.${key}`;
    return isPlain(value) && Object.keys(value).length > 0
      ? spellSets(value, at)
      : [`${at}:${spellValue(value)}`];
  });
}

function spellDraft(draft: Layer): [string, string][] {
  if (!isPlain(draft)) return [["json", spellValue(draft)]];
  const { extends: parent, ...own } = draft;
  const first = Object.keys(draft)[0] === "extends";
  const named = first && typeof parent === "string" && parent !== "" && parent !== "none";
  if (!named) return [["recipe", "none"], ...spellSets(draft).map((set): [string, string] => ["set", set])];
  return [
    ...(parent === STANDARD_RECIPE ? [] : [["recipe", parent] as [string, string]]),
    ...spellSets(own).map((set): [string, string] => ["set", set]),
  ];
}

/** The hash of a state, without its `#`; only the view's name where there is nothing else to say. */
export function formatUrlState({ view: shown, draft, run, rollout, rest }: UrlState): string {
  const entries: [string, string][] = [
    ...spellDraft(draft),
    ...(run === null ? [] : [["run", run] as [string, string]]),
    ...(rollout === null ? [] : [["rollout", String(rollout)] as [string, string]]),
    ...rest,
  ];
  if (entries.length === 0) return shown ?? "";
  if (shown !== null) entries.unshift(["view", shown]);
  return entries.map(([key, value]) => `${encode(key)}=${encode(value)}`).join("&");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone `%` that somebody typed stands for itself.
  }
}

function layAt(draft: Layer, keys: string[], value: unknown): void {
  let group = draft;
  for (const key of keys.slice(0, -1)) {
    if (!isLayer(group[key])) group[key] = {};
    group = group[key] as Layer;
  }
  group[keys[keys.length - 1]] = value;
}

function readSet(set: string, draft: Layer): void {
  const cut = set.indexOf(":");
  if (cut < 1) throw new Error("it is not of the form set=path:value");
  const keys = set.slice(0, cut).split(".");
  if (!keys.every((key) => PLAIN_KEY.test(key) && key !== "__proto__")) {
    throw new Error("its path is not of the form stage.setting");
  }
  if (keys.length > DEEPEST) throw new Error(`its path is more than ${DEEPEST} groups deep`);
  layAt(draft, keys, readValue(set.slice(cut + 1)));
}

function readJson(text: string): Layer {
  const value = readValue(text);
  if (!isLayer(value)) throw new Error("its value is no JSON object");
  return value;
}

/** Characters of an entry that a notice repeats. */
const LONGEST_TOLD = 80;

function readRollout(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error("a rollout's id is a whole number");
  return Number(text);
}

/** Reads a hash, with or without its `#`. Never throws: what cannot be read is told in `problems`. */
export function parseUrlState(hash: string): ParsedUrl {
  const problems: string[] = [];
  const state: UrlState = { view: null, draft: {}, run: null, rollout: null, rest: [] };
  const sets: Layer = {};
  let recipe: string | null = STANDARD_RECIPE;
  let whole: Layer | null = null;
  const read: Record<string, (value: string) => void> = {
    view(value) {
      if (!isView(value)) throw new Error(`there is no such view; there are ${VIEWS.join(", ")}`);
      state.view = value;
    },
    recipe: (value) => {
      recipe = value === "none" || value === "" ? null : value;
    },
    set: (value) => readSet(value, sets),
    json: (value) => {
      whole = readJson(value);
    },
    run: (value) => {
      state.run = value === "" ? null : value;
    },
    rollout: (value) => {
      state.rollout = readRollout(value);
    },
  };
  for (const piece of hash.replace(/^#/, "").split("&")) {
    if (piece === "") continue;
    const cut = piece.indexOf("=");
    const key = cut < 0 ? "view" : decode(piece.slice(0, cut));
    const value = decode(piece.slice(cut + 1));
    if (!Object.hasOwn(read, key)) {
      state.rest.push([key, value]);
      continue;
    }
    try {
      read[key](value);
    } catch (cause) {
      const told = decode(piece);
      const short = told.length > LONGEST_TOLD ? `${told.slice(0, LONGEST_TOLD - 1)}…` : told;
      problems.push(`Cannot use \`${short}\` of the address: ${(cause as Error).message}`);
    }
  }
  state.draft = whole ?? (recipe === null ? sets : { extends: recipe, ...sets });
  return { state, problems };
}

/** Reads `?hide=controls,settings`. */
export function parseHidden(search: string): { hidden: Set<Hideable>; problems: string[] } {
  const words = new URLSearchParams(search)
    .getAll("hide")
    .flatMap((list) => list.split(","))
    .map((word) => word.trim())
    .filter((word) => word !== "");
  const known = (word: string): word is Hideable => (HIDEABLE as readonly string[]).includes(word);
  const problems = words
    .filter((word) => !known(word))
    .map((word) => `Cannot hide \`${word}\`: only ${HIDEABLE.join(", ")} can be hidden`);
  return { hidden: new Set(words.filter(known)), problems };
}

/** What was wrong with the address, for a notice that can be closed (set it to null). */
export const urlNotice = signal<string | null>(null);
/** The run that the address asks for, for whoever opens it (`linked_run.ts`); null when it asks for none. */
export const wantedRun = signal<string | null>(null);

const WRITE_MS = 250;
let rest: [string, string][] = [];
/** Whether the run that the address asked for, or another, has been opened since. */
let opened = false;

function take(hash: string): void {
  const { state, problems } = parseUrlState(hash);
  const hiding = parseHidden(location.search);
  rest = state.rest;
  opened = false;
  batch(() => {
    hidden.value = hiding.hidden;
    if (state.view !== null) view.value = state.view;
    draftRecipe.value = state.draft;
    selectedRollout.value = state.rollout;
    wantedRun.value = state.run;
    const all = [...hiding.problems, ...problems];
    urlNotice.value = all.length === 0 ? null : `${all.join(". ")}. What is left out keeps its default.`;
  });
}

function current(): UrlState {
  const { kind, name } = feed.value;
  if (kind !== "recorded") opened = true;
  const run = kind !== "recorded" ? name : opened ? null : wantedRun.value;
  return {
    view: view.value,
    draft: draftRecipe.value,
    run: run === "" ? null : run,
    rollout: selectedRollout.value,
    rest,
  };
}

/**
 * Takes the state out of the address and keeps the address up with the state from then on. An address that is not
 * understood whole stays as it is until something changes. Call it before the first render; returns what ends it.
 */
export function startUrlSync(): () => void {
  take(location.hash);
  const endWatch = watchDraft();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let pending = "";
  const write = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (pending === location.hash.replace(/^#/, "")) return;
    const address = `${location.pathname}${location.search}${pending === "" ? "" : `#${pending}`}`;
    history.replaceState(history.state, "", address);
  };
  const schedule = () => {
    timer ??= setTimeout(write, WRITE_MS);
  };
  let atLoad = true;
  const endEffect = effect(() => {
    pending = formatUrlState(current());
    if (!atLoad) schedule();
    atLoad = false;
  });
  const flush = () => {
    if (timer !== null) write();
  };
  /** A link of the page (`#rollouts`) changes the view alone, an anchor nothing, a whole address everything. */
  const onHash = () => {
    const hash = location.hash.replace(/^#/, "");
    if (isView(hash)) view.value = hash;
    else if (hash.includes("=")) take(hash);
    schedule();
  };
  addEventListener("hashchange", onHash);
  addEventListener("pagehide", flush);
  return () => {
    endEffect();
    endWatch();
    flush();
    removeEventListener("hashchange", onHash);
    removeEventListener("pagehide", flush);
  };
}
