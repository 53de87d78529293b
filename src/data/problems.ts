/** A data file as problems, whichever of the two formats it has. The command line and the page call it. */
import type { Recipe } from "../config/schema.ts";
import { parseJsonl, parseJsonlBytes } from "./jsonl.ts";
import { type FileContent, isParquet, readParquet } from "./parquet.ts";
import { type ProblemsRead, problemsFromRows, type RowOptions } from "./rows.ts";

/**
 * Reads JSONL (text or bytes) or Parquet, told apart by the first bytes.
 * @throws DataError `data/bad-row`, `data/bad-file`, `data/empty`; ConfigError for a template without slots
 */
export async function readProblems(
  content: string | FileContent,
  options: RowOptions = {},
): Promise<ProblemsRead> {
  if (typeof content === "string") return problemsFromRows(parseJsonl(content), options);
  if (await isParquet(content)) return problemsFromRows(await readParquet(content, options.file), options);
  const whole = content instanceof Blob ? await content.arrayBuffer() : content;
  const bytes = whole instanceof Uint8Array ? whole : new Uint8Array(whole);
  return problemsFromRows(parseJsonlBytes(bytes), options);
}

/** How a recipe wants the rows of its data file read. */
export function rowOptions(settings: NonNullable<Recipe["data"]>): RowOptions {
  const { file, columns, promptTemplate, systemMessage, asMessages, answerFrom, badRows } = settings;
  return {
    file,
    promptColumn: columns.prompt,
    answerColumn: columns.answer,
    promptTemplate,
    systemMessage,
    asMessages,
    answerFrom,
    badRows,
  };
}
