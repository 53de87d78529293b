/** `conformance`: the WebGPU implementation against a directory of vectors. Deno only. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { CaseResult } from "../../conformance/compare.ts";
import { runConformance } from "../../conformance/run.ts";
import type { VectorSource } from "../../conformance/vectors.ts";
import { DataError } from "../../errors.ts";
import { openGpu } from "../../gpu/device.ts";
import type { Command } from "../command.ts";
import { conformanceSpec } from "../options.ts";
import { formatTable } from "../table.ts";

export const command: Command<typeof conformanceSpec.options> = {
  ...conformanceSpec,
  async run(args, { output, interrupt, cwd }) {
    const folder = resolve(cwd, args.positionals.dir);
    const source = await openVectorFolder(folder);
    const gpu = await openGpu({ label: "conformance" });
    const from = performance.now();
    const results: CaseResult[] = [];
    try {
      output.note(`Checking ${folder} on ${gpu.adapterName}`);
      for await (const result of runConformance(gpu, source, { only: args.only })) {
        interrupt.signal.throwIfAborted();
        results.push(result);
        output.bar.update(results.length, results.length, result.name);
        // JSON knows no infinity: an error without a number is null.
        const error = Number.isFinite(result.error) ? result.error : null;
        output.event({ event: "case", ...result, error });
        if (!result.pass) output.note(output.paint("red", `FAIL ${result.name}: ${result.detail}`));
      }
    } finally {
      output.bar.clear();
      gpu.destroy();
    }
    const failed = results.filter(({ pass }) => !pass).length;
    output.print(
      formatTable(
        ["case", "largest error", "tolerance", "result"],
        results.map(({ name, error, tolerance, pass }) => [
          name,
          error.toExponential(2),
          tolerance.toExponential(2),
          pass ? "pass" : "FAIL",
        ]),
      ),
    );
    output.print(`\n${results.length - failed} of ${results.length} cases pass`);
    output.event({
      event: "summary",
      cases: results.length,
      failed,
      adapter: gpu.adapterName,
      wall_s: (performance.now() - from) / 1000,
    });
    return failed === 0 ? 0 : 1;
  },
};

/** A folder on disk. @throws DataError where there is none */
async function openVectorFolder(folder: string): Promise<VectorSource> {
  const found = await stat(folder).catch(() => null);
  if (!found?.isDirectory()) {
    throw new DataError("conformance/no-folder", `Cannot check ${folder}: there is no such folder`, {
      hint: "Name a directory of vectors, as generate.py writes it",
    });
  }
  const absentIsNull = (error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
    throw error;
  };
  return {
    where: folder,
    list: async (name) => ((await readdir(join(folder, name)).catch(absentIsNull)) ?? []).sort(),
    read: async (path) => {
      const bytes = await readFile(join(folder, path)).catch(absentIsNull);
      return bytes && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
  };
}
