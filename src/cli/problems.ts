/** Reads the problems of a data file that a user named. Node and Deno only. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { readProblems } from "../data/problems.ts";
import { type ProblemsRead, type RowOptions, rowNumbers } from "../data/rows.ts";
import { DataError } from "../errors.ts";
import type { CommandContext } from "./command.ts";

/**
 * The problems of a file, seen from where the user is; rows that were left out are told of.
 * @throws DataError `data/*`, ConfigError
 */
export async function openProblems(
  file: string,
  options: RowOptions,
  { cwd, output }: CommandContext,
): Promise<ProblemsRead["problems"]> {
  const content = await readFile(resolve(cwd, file)).catch((cause: unknown) => {
    throw new DataError("data/no-file", `Cannot read the problems in ${file}: ${(cause as Error).message}`, {
      hint: "Name an existing JSONL or Parquet file",
      cause,
    });
  });
  const { problems, skipped, unit } = await readProblems(content, { ...options, file });
  if (skipped.length > 0) {
    const all = problems.length + skipped.length;
    output.note(`Left out ${skipped.length} of ${all} ${unit}s of ${file} (${rowNumbers(skipped)})`);
    output.note(`  the first because ${skipped[0].reason}`);
  }
  return problems;
}
