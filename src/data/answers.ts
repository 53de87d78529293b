/** Where a row's right answer stands: its column, and the part of it that is the answer itself (GSM8K, MATH, verl). */
import { findBoxed, lastBoxed } from "../verifier/boxed.ts";
import { type DataRow, isFilled, type RefuseRow, valueAt } from "./row_values.ts";

/** Which part of the answer column is the answer. */
export type AnswerPart = "auto" | "column" | "gsm8k" | "boxed";

const ANSWER_COLUMNS = ["answer", "solution", "ground_truth"];

function answerText(column: string, value: unknown, no: RefuseRow): string {
  if (typeof value === "number" || typeof value === "string") return String(value);
  throw no(`\`${column}\` is neither text nor a number`, `Write \`${column}\` as text.`);
}

/** What follows GSM8K's `####`, its thousands separators removed; null where there is no mark. */
function afterMark(column: string, text: string, no: RefuseRow): string | null {
  const mark = text.lastIndexOf("####");
  if (mark < 0) return null;
  const final = text.slice(mark + 4).trim();
  if (final === "")
    throw no(`nothing follows \`####\` in \`${column}\``, "Write the final answer after `####`.");
  return final.replace(/(?<=\d),(?=\d{3}(?!\d))/g, "");
}

function extract(column: string, text: string, part: AnswerPart, no: RefuseRow): string {
  if (part === "column") return text;
  if (part === "gsm8k") {
    const final = afterMark(column, text, no);
    if (final !== null) return final;
    throw no(`\`${column}\` has no \`####\``, "Set `data.answerFrom` to the form that the answers have.");
  }
  if (part === "boxed") {
    const boxed = lastBoxed(text);
    if (boxed !== null && boxed !== "") return boxed;
    throw no(
      `\`${column}\` has no \`\\boxed{…}\``,
      "Set `data.answerFrom` to the form that the answers have.",
    );
  }
  const final = afterMark(column, text, no);
  if (final !== null) return final;
  // Several boxes may be one answer in parts; that is for the data's owner to decide.
  const boxes = findBoxed(text);
  return boxes.length === 1 ? boxes[0].content.trim() : text;
}

export interface AnswerOptions {
  /** Empty or absent: found by the form of the row. */
  answerColumn?: string;
  answerFrom?: AnswerPart;
}

/**
 * A row's answer, or null where it has none. verl's ground truth is taken as it stands unless a part is asked for.
 * @throws what `no` makes, where the answer is there but cannot be used
 */
export function readAnswer(row: DataRow, options: AnswerOptions, no: RefuseRow): string | null {
  const { answerColumn, answerFrom = "auto" } = options;
  if (answerColumn) {
    const value = valueAt(row, answerColumn);
    if (!isFilled(value)) {
      throw no(`the column \`${answerColumn}\` is missing`, "Fill it in every row, or name another column.");
    }
    return extract(answerColumn, answerText(answerColumn, value, no), answerFrom, no);
  }
  const graded = row.reward_model;
  if (typeof graded === "object" && graded !== null) {
    const { ground_truth: truth } = graded as DataRow;
    if (!isFilled(truth))
      throw no("`reward_model` has no `ground_truth`", "Give verl rows their ground truth.");
    const column = "reward_model.ground_truth";
    const text = answerText(column, truth, no);
    return answerFrom === "auto" ? text : extract(column, text, answerFrom, no);
  }
  const column = ANSWER_COLUMNS.find((name) => isFilled(row[name]));
  return column === undefined ? null : extract(column, answerText(column, row[column], no), answerFrom, no);
}
