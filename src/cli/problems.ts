/** Reads the problems of a data file that a user named: on disk or on the hub. Node and Deno only. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { readDataName } from "../config/data_name.ts";
import { fetchDatasetFile } from "../data/hub/datasets.ts";
import { readProblems } from "../data/problems.ts";
import { type ProblemsRead, type RowOptions, rowNumbers } from "../data/rows.ts";
import { DataError } from "../errors.ts";
import type { CommandContext } from "./command.ts";
import { hubOptions, openModelStore } from "./models.ts";

const KIB = 1024;

type Context = Pick<CommandContext, "cwd" | "env" | "output" | "interrupt">;

/** The bytes of `hub:owner/name[@revision]/path`, downloaded where the cache has them not, or of a file. */
async function readContent(file: string, { cwd, env, output, interrupt }: Context): Promise<Uint8Array> {
  const named = readDataName(file);
  if (named.kind === "file") {
    return readFile(resolve(cwd, named.path)).catch((cause: unknown) => {
      const found = (cause as Error).message;
      throw new DataError("data/no-file", `Cannot read the problems in ${file}: ${found}`, {
        hint: "Name an existing JSONL or Parquet file, or one on the hub (hub:owner/name/path)",
        cause,
      });
    });
  }
  const kib = (bytes: number) => Math.ceil(bytes / KIB);
  try {
    const fetched = await fetchDatasetFile(openModelStore(env), named, {
      ...hubOptions(env),
      signal: interrupt.signal,
      onProgress: ({ phase, doneBytes, totalBytes }) =>
        output.bar.update(kib(doneBytes), kib(totalBytes), `${phase} ${named.path}, KiB`),
    });
    if (fetched.downloadedBytes > 0)
      output.note(`Downloaded ${file}: ${kib(fetched.downloadedBytes)} KiB, kept for the next time`);
    return fetched.content;
  } finally {
    output.bar.clear();
  }
}

/**
 * The problems of a data file; a path is seen from where the user is. Rows that were left out are told of.
 * @throws DataError `data/*`, `hub/*`, ConfigError
 */
export async function openProblems(
  file: string,
  options: RowOptions,
  context: Context,
): Promise<ProblemsRead["problems"]> {
  const content = await readContent(file, context);
  const { problems, skipped, unit } = await readProblems(content, { ...options, file });
  if (skipped.length > 0) {
    const all = problems.length + skipped.length;
    context.output.note(`Left out ${skipped.length} of ${all} ${unit}s of ${file}: ${rowNumbers(skipped)}`);
    context.output.note(`  the first because ${skipped[0].reason}`);
  }
  return problems;
}
