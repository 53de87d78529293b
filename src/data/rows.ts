/**
 * Rows as problems: TRL's two forms (`prompt` as text or messages), reasoning-gym's and GSM8K's (`question`, `answer`),
 * MATH's (`problem`, `solution`), verl's (`reward_model.ground_truth`), or columns that are named. Every refusal says
 * which row. Browser-safe; knows no file format.
 */
import { DataError } from "../errors.ts";
import type { Problem } from "../rollout.ts";
import { type AnswerOptions, readAnswer } from "./answers.ts";
import { type PromptOptions, promptReader, type RowPrompt } from "./prompts.ts";
import { type DataRow, isFilled, type RefuseRow } from "./row_values.ts";

export interface NumberedRow {
  /** Line or row, from 1. */
  at: number;
  row: DataRow;
}

/** A row that cannot be used. */
export interface BadRow {
  at: number;
  reason: string;
  hint?: string;
}

/** What a file holds. */
export interface RowsRead {
  /** What the numbers count. */
  unit: "line" | "row";
  rows: NumberedRow[];
  /** Already found to be unusable by the format's reader. */
  bad: BadRow[];
}

export interface RowOptions extends PromptOptions, AnswerOptions {
  /** Names the file in errors. */
  file?: string;
  /** The problems' `taskId` and the beginning of their ids. Default `data`. */
  taskId?: string;
  /** Columns that every row must have, for a reward function that needs them. */
  requiredColumns?: readonly string[];
  /** Whether a row that cannot be used ends the reading (default) or is left out. */
  badRows?: "fail" | "skip";
}

export interface ProblemsRead {
  problems: Problem[];
  /** Rows that were left out, by number. */
  skipped: BadRow[];
  unit: RowsRead["unit"];
}

/** Names of a reward function's own arguments, which a column of the same name would hide. */
export const RESERVED_COLUMN_NAMES: readonly string[] = [
  "prompts",
  "completions",
  "completion_ids",
  "columns",
  "trainer_state",
  "log_extra",
  "log_metric",
];

/** Columns that TRL does not hand to reward functions. */
const UNUSED_COLUMNS = ["prompt", "completion"];
/** Numbers of bad rows that an error spells out. */
const SHOWN = 8;

/** Says which rows of several are meant: `3, 7, 9 and 4 more`. */
export function rowNumbers(rows: readonly BadRow[]): string {
  const shown = rows.slice(0, SHOWN).map(({ at }) => at);
  return rows.length > SHOWN ? `${shown.join(", ")} and ${rows.length - SHOWN} more` : shown.join(", ");
}

/** The error for a file with bad rows; it tells of the first in full. */
export function badRowsError(bad: readonly BadRow[], unit: RowsRead["unit"], file?: string): DataError {
  const [first, ...rest] = bad;
  const where = file === undefined ? `${unit} ${first.at}` : `${unit} ${first.at} of ${file}`;
  const others =
    rest.length === 0
      ? ""
      : `; ${unit}${rest.length > 1 ? "s" : ""} ${rowNumbers(rest)} cannot be used either`;
  return new DataError("data/bad-row", `Cannot use ${where}: ${first.reason}${others}`, {
    hint: [first.hint, "Or leave such rows out with `data.badRows` = skip."].filter(Boolean).join(" "),
  });
}

const refuseRow: RefuseRow = (found, hint) => new DataError("data/bad-row", found, { hint });

function readColumns(row: DataRow, options: RowOptions, no: RefuseRow): DataRow {
  const reserved = Object.keys(row).find((name) => RESERVED_COLUMN_NAMES.includes(name));
  if (reserved !== undefined) {
    throw no(`the column name \`${reserved}\` is reserved for reward functions`, "Rename the column.");
  }
  const missing = options.requiredColumns?.find((name) => !isFilled(row[name]));
  if (missing !== undefined) throw no(`the column \`${missing}\` is missing`, "Fill it in every row.");
  const kept = Object.entries(row).filter(([name]) => !UNUSED_COLUMNS.includes(name));
  const graded = row.reward_model;
  if (typeof graded === "object" && graded !== null && row.ground_truth === undefined) {
    kept.push(["ground_truth", (graded as DataRow).ground_truth]);
  }
  return Object.fromEntries(kept);
}

/** The answer in its own column, or else what the assistant said last in the conversation. */
function answerOf(row: DataRow, { reply, needsAnswer }: RowPrompt, options: RowOptions): string | null {
  const answer = readAnswer(row, options, refuseRow);
  if (answer !== null) return answer;
  if (reply !== null) return readAnswer({ answer: reply }, { answerFrom: options.answerFrom }, refuseRow);
  if (!needsAnswer) return null;
  throw refuseRow("it has a question but no `answer`", "Give every question its answer, or name its column.");
}

/**
 * Reads rows as problems; a problem's id is the task and the row's number. Where one row has an answer, every row must.
 * @throws DataError `data/bad-row` naming the rows that cannot be used, `data/empty` where none can; ConfigError for a
 * template without slots
 */
export function problemsFromRows(read: RowsRead, options: RowOptions = {}): ProblemsRead {
  const { file, taskId = "data", badRows = "fail" } = options;
  const promptOf = promptReader(options);
  const bad = [...read.bad];
  const found: { at: number; problem: Problem }[] = [];
  for (const { at, row } of read.rows) {
    try {
      const asked = promptOf(row, refuseRow);
      const answer = answerOf(row, asked, options);
      const columns = readColumns(row, options, refuseRow);
      found.push({ at, problem: { id: `${taskId}/${at}`, taskId, prompt: asked.prompt, answer, columns } });
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      bad.push({ at, reason: error.message, hint: error.hint });
    }
  }
  const answered = found.some(({ problem }) => problem.answer !== null);
  const usable = found.filter(({ problem }) => problem.answer !== null || !answered);
  for (const { at, problem } of found) {
    if (problem.answer !== null || !answered) continue;
    const hint = "Fill the answer in every row, or in none if a reward function of yours needs none.";
    bad.push({ at, reason: "its answer is missing, but other rows have one", hint });
  }
  bad.sort((a, b) => a.at - b.at);
  if (bad.length > 0 && (badRows === "fail" || usable.length === 0)) throw badRowsError(bad, read.unit, file);
  if (usable.length === 0) throw noRows(file);
  return { problems: usable.map(({ problem }) => problem), skipped: bad, unit: read.unit };
}

function noRows(file: string | undefined): DataError {
  return new DataError("data/empty", `Cannot use ${file ?? "the data"}: it holds no rows`, {
    hint: 'Give at least one row such as {"prompt": "…", "answer": "…"}.',
  });
}
