/** `record`: a run's folder as one JSON file that the page plays. */
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { openDiskStorage } from "../../runs/disk.ts";
import { readRecordedRun } from "../../runs/recorded_run.ts";
import { openRun } from "../../runs/run_directory.ts";
import type { Command } from "../command.ts";
import { recordSpec } from "../options.ts";

export const command: Command<typeof recordSpec.options> = {
  ...recordSpec,
  async run({ run, out, groups }, { cwd, root, output }) {
    const folder = resolve(cwd, run);
    const recorded = await readRecordedRun(await openRun(openDiskStorage(folder)), basename(folder), groups);
    const file = out === undefined ? join(root, "public", "demo", "run.json") : resolve(cwd, out);
    const text = `${JSON.stringify(recorded)}\n`;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    const bytes = new TextEncoder().encode(text).byteLength;
    const { steps, rollouts } = recorded;
    output.event({ event: "recorded", file, bytes, steps: steps.length, rollouts: rollouts.length });
    output.print(
      `${steps.length} steps and ${rollouts.length} completions, ${(bytes / 1024).toFixed(0)} KiB, in ${file}`,
    );
    return 0;
  },
};
