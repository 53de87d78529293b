/** A stored run as one JSON document, which the page plays or shows: metrics, whole groups of rollouts, the timeline. */
import type { LogRow } from "../metrics/ndjson.ts";
import type { TraceEvent } from "../metrics/trace.ts";
import type { RolloutRow, SampleCompletion } from "../training_records.ts";
import { readTimeline } from "../training_timeline.ts";
import type { RecordedPolicy } from "./recorded_policy.ts";
import type { RunDirectory } from "./run_directory.ts";

/** One step's metrics by name; `step` among them. */
export type StepRow = Record<string, number | null>;

export interface EvaluationRow {
  step: number;
  when: "before" | "during" | "after";
  /** `pass@1`, `maj@8`, … */
  metrics: Record<string, number>;
  samples: SampleCompletion[];
}

/** Settings that were turned while the run went on; they hold from the step after `step` on. */
export interface TurnedRow {
  step: number;
  knobs: { temperature?: number; epsilonHigh?: number; learningRate?: number };
}

export interface RunSummaryRow {
  steps: number;
  samples: number;
  eval: { before: Record<string, number> | null; after: Record<string, number> | null };
  wall_s: number;
  generated_tokens: number;
  trained_tokens: number;
  interrupted: boolean;
}

export interface RecordedRun {
  name: string;
  recipe: Record<string, unknown>;
  /** What it ran on; "" where nobody wrote it down. */
  adapter: string;
  steps: StepRow[];
  evaluations: EvaluationRow[];
  turned: TurnedRow[];
  /** Whole groups; not necessarily all of them. */
  rollouts: RolloutRow[];
  trace: TraceEvent[];
  summary: RunSummaryRow | null;
  /** What it learned, where that lies beside the recording. */
  policy?: RecordedPolicy | null;
}

const decoder = new TextDecoder();

async function readJson<T>(run: RunDirectory, path: string): Promise<T | null> {
  const bytes = await run.storage.read(path);
  if (bytes === null) return null;
  try {
    return JSON.parse(decoder.decode(bytes)) as T;
  } catch {
    return null;
  }
}

function evaluationOf(row: LogRow): EvaluationRow {
  const metrics: Record<string, number> = {};
  for (const [name, value] of Object.entries(row))
    if (name.startsWith("eval_") && typeof value === "number") metrics[name.slice("eval_".length)] = value;
  return {
    step: Number(row.step),
    when: row.when as EvaluationRow["when"],
    metrics,
    samples: (Array.isArray(row.samples) ? row.samples : []) as SampleCompletion[],
  };
}

function turnedOf({ step, event: _, ...knobs }: LogRow): TurnedRow {
  return { step: Number(step), knobs };
}

function stepOf(row: LogRow): StepRow {
  return Object.fromEntries(
    Object.entries(row).filter(([, value]) => typeof value === "number" || value === null),
  ) as StepRow;
}

/** A completion of which nothing was written down. */
const NO_ROLLOUT: Omit<RolloutRow, "step" | "group" | "id"> = {
  problem: "",
  task: "",
  prompt: "",
  answer: null,
  completion: "",
  tokens: 0,
  token_texts: [],
  logprobs: [],
  entropies: [],
  ratios: [],
  versions: [],
  policy_versions: [0, 0],
  finish_reason: "stop",
  advantage: null,
  reward: null,
  rewards: {},
  correct: null,
  verdicts: [],
};

/** Of what is not told by the kind of `NO_ROLLOUT`; what is null there is a number else. */
const KINDS: Record<string, string[]> = { prompt: ["string", "list"], answer: ["string"] };
const kindOf = (value: unknown) => (Array.isArray(value) ? "list" : value === null ? "none" : typeof value);

/** A row as its readers may rely on it, since it may come of another version or a damaged file; null where it has no place. */
function rolloutOf(row: LogRow): RolloutRow | null {
  if (![row.step, row.group, row.id].every((value) => typeof value === "number")) return null;
  const whole: Record<string, unknown> = { ...row };
  for (const [key, empty] of Object.entries(NO_ROLLOUT)) {
    const kinds = KINDS[key] ?? [empty === null ? "number" : kindOf(empty)];
    const fits = kinds.includes(kindOf(row[key]));
    if (!fits) whole[key] = empty;
  }
  return whole as RolloutRow;
}

/** Reads a run; of the rollouts at most `groupsPerStep` groups a step, all by default. */
export async function readRecordedRun(
  run: RunDirectory,
  name: string,
  groupsPerStep = Number.POSITIVE_INFINITY,
): Promise<RecordedRun> {
  const rows = await run.readMetrics();
  const taken = new Map<number, Set<number>>();
  const written = (await run.readRollouts()).map(rolloutOf).filter((row) => row !== null);
  const rollouts = written.filter(({ step, group }) => {
    const groups = taken.get(step) ?? new Set<number>();
    taken.set(step, groups);
    if (groups.size < groupsPerStep) groups.add(group);
    return groups.has(group);
  });
  return {
    name,
    recipe: run.recipe,
    adapter: String(rows.find(({ event }) => event === "ready")?.adapter ?? ""),
    steps: rows.filter(({ event }) => event === undefined).map(stepOf),
    evaluations: rows.filter(({ event }) => event === "evaluation").map(evaluationOf),
    turned: rows.filter(({ event }) => event === "turned").map(turnedOf),
    rollouts,
    trace: await readTimeline(run),
    summary: await readJson<RunSummaryRow>(run, "summary.json"),
  };
}
