/**
 * A run's directory: `recipe.json`, `metrics.ndjson`, `rollouts.ndjson`, `summary.json`, `trace.json` and `checkpoints/`.
 * The front ends call it; it knows neither the loop nor what a metric means.
 */
import { DataError } from "../errors.ts";
import { formatRow, type LogRow, parseRows } from "../metrics/ndjson.ts";
import { fingerprint } from "../weights/fingerprint.ts";
import type { RunStorage } from "./storage.ts";

/** One run on its storage; rows are objects whose `step` orders them. */
export interface RunDirectory {
  readonly storage: RunStorage;
  /** The resolved recipe. */
  readonly recipe: Record<string, unknown>;
  readonly recipeHash: string;
  logMetrics(row: LogRow): Promise<void>;
  logRollouts(rows: readonly LogRow[]): Promise<void>;
  readMetrics(): Promise<LogRow[]>;
  readRollouts(): Promise<LogRow[]>;
  writeSummary(summary: unknown): Promise<void>;
  /** Writes the Chrome trace, as text. */
  writeTrace(text: string): Promise<void>;
  /** Forgets the rows of later steps, which a resumed run will write again. */
  rewindTo(step: number): Promise<void>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, entry]) => [key, sortKeys(entry)]));
}

/** Fingerprints a recipe whatever the order of its keys; a checkpoint keeps it. */
export function recipeHash(recipe: unknown): string {
  return fingerprint(encoder.encode(JSON.stringify(sortKeys(recipe))));
}

/** A name for a new run that none of `taken` has, such as `digits-20260131-184502`. */
export function freshRunName(recipe: string, now: Date, taken: readonly string[]): string {
  const stamp = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  const base = `${recipe.replaceAll(/[^\w-]+/g, "-")}-${stamp}`;
  let name = base;
  for (let count = 2; taken.includes(name); count += 1) name = `${base}-${count}`;
  return name;
}

function rowsText(rows: readonly LogRow[]): string {
  return rows.map(formatRow).join("");
}

function makeDirectory(storage: RunStorage, recipe: Record<string, unknown>): RunDirectory {
  const read = async (path: string) => {
    const bytes = await storage.read(path);
    return bytes === null ? [] : parseRows(decoder.decode(bytes), `${storage.where}/${path}`);
  };
  const rewind = async (path: string, step: number) => {
    const rows = await read(path);
    const cut = rows.findIndex((row) => typeof row.step === "number" && row.step > step);
    // Written anew also without a cut: a half line at the end would spoil the next row.
    if (rows.length > 0) {
      await storage.writeFile(path, encoder.encode(rowsText(cut < 0 ? rows : rows.slice(0, cut))));
    }
  };
  return {
    storage,
    recipe,
    recipeHash: recipeHash(recipe),
    logMetrics: (row) => storage.append("metrics.ndjson", rowsText([row])),
    logRollouts: (rows) => storage.append("rollouts.ndjson", rowsText(rows)),
    readMetrics: () => read("metrics.ndjson"),
    readRollouts: () => read("rollouts.ndjson"),
    writeSummary: (summary) =>
      storage.writeFile("summary.json", encoder.encode(`${JSON.stringify(summary, null, 2)}\n`)),
    writeTrace: (text) => storage.writeFile("trace.json", encoder.encode(text)),
    rewindTo: async (step) => {
      await rewind("metrics.ndjson", step);
      await rewind("rollouts.ndjson", step);
    },
  };
}

/** What a run writes beside its recipe. */
const OUTPUT = ["metrics.ndjson", "rollouts.ndjson", "summary.json", "trace.json", "checkpoints"];

/**
 * Makes a run's directory and writes its resolved recipe.
 * @throws DataError `runs/exists` if there is a run already, or files that it would write over; `runs/read-only`, `runs/disk-full`
 */
export async function createRun(storage: RunStorage, recipe: Record<string, unknown>): Promise<RunDirectory> {
  if (await storage.exists("recipe.json")) {
    throw new DataError("runs/exists", `Cannot start a run in ${storage.where}: there is one already`, {
      hint: "Go on with it by --resume, or name another folder with --out",
    });
  }
  const taken = (await storage.list("")).filter((name) => OUTPUT.includes(name));
  if (taken.length > 0) {
    throw new DataError(
      "runs/exists",
      `Cannot start a run in ${storage.where}: it would write over ${taken.join(", ")}, which lies there`,
      { hint: "Name another folder with --out" },
    );
  }
  await storage.writeFile("recipe.json", encoder.encode(`${JSON.stringify(recipe, null, 2)}\n`));
  return makeDirectory(storage, recipe);
}

/**
 * Opens a run's directory to read it or to go on.
 * @throws DataError `runs/not-a-run` if it has no readable recipe
 */
export async function openRun(storage: RunStorage): Promise<RunDirectory> {
  const bytes = await storage.read("recipe.json");
  const refuse = (found: string, cause?: unknown) =>
    new DataError("runs/not-a-run", `Cannot open ${storage.where} as a run: its recipe.json is ${found}`, {
      hint: "Name the folder of a run, such as runs/NAME",
      cause,
    });
  if (bytes === null) throw refuse("missing");
  let recipe: unknown;
  try {
    recipe = JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw refuse("not JSON", cause);
  }
  if (typeof recipe !== "object" || recipe === null || Array.isArray(recipe)) throw refuse("not an object");
  return makeDirectory(storage, recipe as Record<string, unknown>);
}
