/**
 * JSONL rows as problems: TRL's two forms (`prompt` as text or messages), reasoning-gym's and GSM8K's (`question`,
 * `answer`), verl's (`reward_model.ground_truth`). Every refusal names the line. Takes text, so it runs in the browser.
 */
import { DataError } from "../errors.ts";
import type { Message, Problem, Prompt } from "../rollout.ts";

export interface JsonlRow {
  /** Counts from 1, blank lines included. */
  line: number;
  row: Record<string, unknown>;
}

export interface RowOptions {
  /** Names the file in errors. */
  file?: string;
  /** The problems' `taskId` and the beginning of their ids. Default `data`. */
  taskId?: string;
  /** Column that holds the right answer; empty or absent: found by the form of the row. */
  answerColumn?: string;
  /** Columns that every row must have, for a reward function that needs them. */
  requiredColumns?: readonly string[];
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
const ANSWER_COLUMNS = ["answer", "solution", "ground_truth"];
const ROLES = ["system", "user", "assistant", "tool"];

function refuse(file: string | undefined, line: number, found: string, hint: string): DataError {
  const where = file === undefined ? `line ${line}` : `line ${line} of ${file}`;
  return new DataError("data/bad-row", `Cannot use ${where}: ${found}`, { hint });
}

/**
 * Splits JSONL text into rows; blank lines are skipped.
 * @throws DataError naming the line that is not a JSON object, or where there is no row at all.
 */
export function parseJsonl(text: string, file?: string): JsonlRow[] {
  const rows: JsonlRow[] = [];
  for (const [i, content] of text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .entries()) {
    if (content.trim() === "") continue;
    let row: unknown;
    try {
      row = JSON.parse(content);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw refuse(file, i + 1, `it is not JSON (${reason})`, "Write one whole JSON object per line.");
    }
    if (typeof row !== "object" || row === null || Array.isArray(row)) {
      const found = Array.isArray(row) ? "a list" : row === null ? "null" : `a ${typeof row}`;
      throw refuse(file, i + 1, `it holds ${found}, not an object`, "Write one JSON object per line.");
    }
    rows.push({ line: i + 1, row: row as Record<string, unknown> });
  }
  if (rows.length > 0) return rows;
  throw new DataError("data/empty", `Cannot use ${file ?? "the data"}: it holds no rows`, {
    hint: 'Give at least one line such as {"prompt": "…", "answer": "…"}.',
  });
}

/** Refusal of one row, its file and line already known. */
type Refuse = (found: string, hint: string) => DataError;

function readMessages(list: unknown[], no: Refuse): Message[] {
  if (list.length === 0) throw no("its prompt has no messages", "Give at least one message.");
  return list.map((entry, i) => {
    const { role, content } = (entry ?? {}) as Record<string, unknown>;
    if (typeof role !== "string" || !ROLES.includes(role)) {
      throw no(`message ${i + 1} has the role ${JSON.stringify(role)}`, `Use one of ${ROLES.join(", ")}.`);
    }
    if (typeof content !== "string") {
      throw no(
        `the content of message ${i + 1} is not text`,
        'Write messages as {"role": …, "content": "…"}.',
      );
    }
    return { role: role as Message["role"], content };
  });
}

function readPrompt(row: Record<string, unknown>, no: Refuse): Prompt {
  const [column, value] = row.prompt === undefined ? ["question", row.question] : ["prompt", row.prompt];
  if (value === undefined) {
    throw no("it has neither `prompt` nor `question`", "Name the column with the problem `prompt`.");
  }
  if (column === "prompt" && Array.isArray(value)) return readMessages(value, no);
  if (typeof value !== "string") throw no(`\`${column}\` is not text`, `Write \`${column}\` as text.`);
  if (value.trim() === "") throw no(`\`${column}\` is empty`, "Remove the row, or fill it in.");
  return value;
}

function answerText(column: string, value: unknown, no: Refuse): string {
  if (typeof value === "number" || typeof value === "string") return String(value);
  throw no(`\`${column}\` is neither text nor a number`, `Write \`${column}\` as text.`);
}

/** Keeps what follows GSM8K's `####`, its thousands separators removed. */
function afterMark(answer: string, no: Refuse): string {
  const mark = answer.lastIndexOf("####");
  if (mark < 0) return answer;
  const final = answer.slice(mark + 4).trim();
  if (final === "") throw no("nothing follows `####` in `answer`", "Write the final answer after `####`.");
  return final.replace(/(?<=\d),(?=\d{3}(?!\d))/g, "");
}

function readAnswer(row: Record<string, unknown>, options: RowOptions, no: Refuse): string | null {
  const { answerColumn } = options;
  if (answerColumn) {
    if (row[answerColumn] === undefined) {
      throw no(`the column \`${answerColumn}\` is missing`, "Fill it in every row, or name another column.");
    }
    return afterMark(answerText(answerColumn, row[answerColumn], no), no);
  }
  const graded = row.reward_model;
  if (typeof graded === "object" && graded !== null) {
    const { ground_truth: truth } = graded as Record<string, unknown>;
    if (truth === undefined) {
      throw no("`reward_model` has no `ground_truth`", "Give verl rows their ground truth.");
    }
    return answerText("reward_model.ground_truth", truth, no);
  }
  const column = ANSWER_COLUMNS.find((name) => row[name] !== undefined && row[name] !== null);
  if (column !== undefined) return afterMark(answerText(column, row[column], no), no);
  if (row.prompt === undefined) {
    throw no("it has a `question` but no `answer`", "Give every question its answer.");
  }
  return null;
}

function readColumns(row: Record<string, unknown>, options: RowOptions, no: Refuse): Record<string, unknown> {
  const reserved = Object.keys(row).find((name) => RESERVED_COLUMN_NAMES.includes(name));
  if (reserved !== undefined) {
    throw no(`the column name \`${reserved}\` is reserved for reward functions`, "Rename the column.");
  }
  const missing = options.requiredColumns?.find((name) => row[name] === undefined);
  if (missing !== undefined) throw no(`the column \`${missing}\` is missing`, "Fill it in every row.");
  const kept = Object.entries(row).filter(([name]) => !UNUSED_COLUMNS.includes(name));
  const graded = row.reward_model;
  if (typeof graded === "object" && graded !== null && row.ground_truth === undefined) {
    kept.push(["ground_truth", (graded as Record<string, unknown>).ground_truth]);
  }
  return Object.fromEntries(kept);
}

/**
 * Reads one row as a problem; its id is the task and the line.
 * @throws DataError naming the line, what is wrong with it and what is needed.
 */
export function rowToProblem({ line, row }: JsonlRow, options: RowOptions = {}): Problem {
  const no: Refuse = (found, hint) => refuse(options.file, line, found, hint);
  const taskId = options.taskId ?? "data";
  return {
    id: `${taskId}/${line}`,
    taskId,
    prompt: readPrompt(row, no),
    answer: readAnswer(row, options, no),
    columns: readColumns(row, options, no),
  };
}

/**
 * Reads JSONL text as problems, one per row. Where the first row has an answer, every row must have one.
 * @throws DataError naming the first line that cannot be used.
 */
export function readProblems(text: string, options: RowOptions = {}): Problem[] {
  const rows = parseJsonl(text, options.file);
  const problems = rows.map((row) => rowToProblem(row, options));
  const bare = problems.findIndex((problem) => problem.answer === null);
  if (bare > 0 && problems[0].answer !== null) {
    const hint = "Fill the answer in every row, or in none if a reward function of yours needs none.";
    throw refuse(options.file, rows[bare].line, "its answer is missing, but earlier rows have one", hint);
  }
  return problems;
}
