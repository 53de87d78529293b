/** Values of a data set's row by column, as JSONL and Parquet files give them. */
import type { DataError } from "../errors.ts";

export type DataRow = Record<string, unknown>;

/** Refusal of one row, its place already known. */
export type RefuseRow = (found: string, hint: string) => DataError;

/** Whether a column holds something: Parquet files have null where JSONL files leave a column out. */
export const isFilled = (value: unknown): boolean => value !== undefined && value !== null;

/** The value of a column, or of a field within one (`reward_model.ground_truth`). */
export function valueAt(row: DataRow, path: string): unknown {
  if (Object.hasOwn(row, path)) return row[path];
  let value: unknown = row;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as DataRow)[name];
  }
  return value;
}
