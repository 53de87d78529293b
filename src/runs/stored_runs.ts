/**
 * The runs that a page keeps: what there is, without changing anything, since one of them may be training at this moment
 * (`latestCheckpoint` tidies up, this does not). Knows no browser; the storage is handed in.
 */
import { DataError } from "../errors.ts";
import { ADAPTER_CONFIG } from "../model/adapters/peft.ts";
import type { ListedStorage, StoredFile } from "./opfs.ts";

export interface StoredRun {
  name: string;
  /** The recipe's name. */
  recipe: string;
  steps: number;
  /** Steps that the recipe asks for. */
  of: number;
  /** Milliseconds since 1970. */
  savedAt: number;
  /** The newest whole checkpoint's step, or null. */
  checkpoint: number | null;
  /** True: it ended by itself or by stop-and-save; false: a reload or a crash cut it. */
  ended: boolean;
  bytes: number;
  /** It trains at this moment, in whichever tab; told by who knows of tabs. */
  training?: boolean;
  /** Why it cannot be shown or gone on with; it can still be removed. */
  problem?: string;
}

/** Opens a folder, such as `runs/NAME`, seen from the root of what the page keeps. */
export type OpenStorage = (folder: string) => ListedStorage;

export const RUNS = "runs";
export const MODELS = "models";

const decoder = new TextDecoder();
/** As `checkpoint.ts` names them; where folders cannot be renamed a whole one may keep its suffix. */
const checkpointPattern = /^checkpoints\/(step-(\d{6,})(\.tmp|\.old)?)\//;
/** Enough for some rows: the last step's among them, also behind an evaluation with its samples. */
const TAIL_BYTES = 2 ** 18;

/** @throws DataError `runs/bad-name` for a name that could lead out of its folder */
export function checkName(name: string): string {
  if (/^[\w-][\w.-]*$/.test(name)) return name;
  throw new DataError("runs/bad-name", `Cannot use "${name}" as a name`, {
    hint: "Use letters, digits, dots, hyphens and underscores",
  });
}

/** A name like the one given that none of `taken` has. */
export function freshName(wanted: string, taken: readonly string[]): string {
  const base = wanted.replaceAll(/[^\w.-]+/g, "-").replace(/^[.-]+/, "") || "run";
  let name = base;
  for (let count = 2; taken.includes(name); count++) name = `${base}-${count}`;
  return name;
}

function parseObject(bytes: Uint8Array | null): Record<string, unknown> | null {
  if (bytes === null) return null;
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** The last step that a metrics file tells of; 0 where there is none. */
export function lastStep(metrics: Uint8Array | null): number {
  const lines = decoder.decode(metrics?.subarray(-TAIL_BYTES) ?? new Uint8Array()).split("\n");
  for (const line of lines.reverse()) {
    // Half a line at either end is no object.
    const row = parseObject(new TextEncoder().encode(line));
    if (row && row.event === undefined && typeof row.step === "number") return row.step;
  }
  return 0;
}

export interface CheckpointFolder {
  path: string;
  step: number;
  /** All but `state.json`, by name. */
  files: StoredFile[];
}

/** The whole checkpoints among a run's files, newest first: all that their `state.json` lists is there in full length. */
export async function wholeCheckpoints(
  storage: ListedStorage,
  files: readonly StoredFile[],
): Promise<CheckpointFolder[]> {
  const folders = new Map<string, CheckpointFolder>();
  for (const file of files) {
    const [, name, step] = checkpointPattern.exec(file.path) ?? [];
    if (name === undefined) continue;
    const path = `checkpoints/${name}`;
    const folder = folders.get(path) ?? { path, step: Number(step), files: [] };
    folder.files.push(file);
    folders.set(path, folder);
  }
  const order = ["", ".tmp", ".old"];
  const suffix = ({ path }: CheckpointFolder) => order.indexOf(/\.tmp$|\.old$/.exec(path)?.[0] ?? "");
  const sorted = [...folders.values()].sort((a, b) => b.step - a.step || suffix(a) - suffix(b));
  const whole: CheckpointFolder[] = [];
  for (const folder of sorted) {
    const state = parseObject(await storage.read(`${folder.path}/state.json`));
    if (state?.complete !== true || state.step !== folder.step) continue;
    if (typeof state.files !== "object" || state.files === null) continue;
    // What lies on a disk or comes in a zip may hold anything.
    const listed = Object.entries(state.files as Record<string, { bytes?: unknown } | null>);
    const sizes = new Map(folder.files.map(({ path, bytes }) => [path, bytes]));
    const isWhole = ([name, file]: (typeof listed)[number]) =>
      typeof file?.bytes === "number" && sizes.get(`${folder.path}/${name}`) === file.bytes;
    if (listed.every(isWhole)) whole.push(folder);
  }
  return whole;
}

/** Whether a folder has one of the files that make it count: an upload writes them last, and they are empty until they are whole. */
async function hasMark(storage: ListedStorage, marks: readonly string[]): Promise<boolean> {
  for (const mark of marks) if (((await storage.read(mark))?.length ?? 0) > 0) return true;
  return false;
}

/** Whether a folder holds a run. */
export const isStoredRun = (storage: ListedStorage) => hasMark(storage, ["recipe.json"]);

/** Whether a folder holds a model or adapters. */
export const isStoredModel = (storage: ListedStorage) => hasMark(storage, ["config.json", ADAPTER_CONFIG]);

/** Describes one run; null where the folder holds none. */
export async function describeRun(name: string, storage: ListedStorage): Promise<StoredRun | null> {
  const files = await storage.files();
  if (!files.some(({ path, bytes }) => path === "recipe.json" && bytes > 0)) return null;
  const recipe = parseObject(await storage.read("recipe.json"));
  const steps = lastStep(await storage.read("metrics.ndjson"));
  const summary = parseObject(await storage.read("summary.json"));
  const [newest] = await wholeCheckpoints(storage, files);
  return {
    name,
    recipe: typeof recipe?.name === "string" ? recipe.name : "",
    steps,
    of: typeof recipe?.steps === "number" ? recipe.steps : 0,
    savedAt: files.reduce((latest, { modified }) => Math.max(latest, modified), 0),
    checkpoint: newest?.step ?? null,
    // The summary of an earlier end does not count for a run that went on and was cut.
    ended: typeof summary?.steps === "number" && summary.steps >= steps,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    ...(recipe === null && { problem: "its recipe.json cannot be read" }),
  };
}

/** A run that cannot even be described: it must not hide the others, and can still be removed. */
function unreadable(name: string, error: unknown): StoredRun {
  const reason = error instanceof Error ? error.message : String(error);
  const empty = { recipe: "", steps: 0, of: 0, savedAt: 0, checkpoint: null, ended: false, bytes: 0 };
  return { name, ...empty, problem: reason };
}

/** All runs, the one saved last first. */
export async function listStoredRuns(open: OpenStorage): Promise<StoredRun[]> {
  const names = await open(RUNS).list("");
  const runs = await Promise.all(
    names.map((name) => describeRun(name, open(`${RUNS}/${name}`)).catch((error) => unreadable(name, error))),
  );
  return runs.filter((run) => run !== null).sort((a, b) => b.savedAt - a.savedAt);
}

/** Names of the models that were uploaded. */
export async function listStoredModels(open: OpenStorage): Promise<string[]> {
  const names = await open(MODELS).list("");
  const whole = await Promise.all(names.map((name) => isStoredModel(open(`${MODELS}/${name}`))));
  return names.filter((_, k) => whole[k]);
}
