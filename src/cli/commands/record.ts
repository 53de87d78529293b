/** `record`: a run's folder as one JSON file that the page plays, and its newest policy as a folder beside it. */
import { basename, dirname, join, resolve } from "node:path";
import { openDiskStorage } from "../../runs/disk.ts";
import { policyOf, writePolicy } from "../../runs/recorded_policy.ts";
import { readRecordedRun } from "../../runs/recorded_run.ts";
import { openRun } from "../../runs/run_directory.ts";
import type { Command } from "../command.ts";
import { recordSpec } from "../options.ts";

const kib = (bytes: number) => `${(bytes / 1024).toFixed(0)} KiB`;

export const command: Command<typeof recordSpec.options> = {
  ...recordSpec,
  async run({ run, out, groups }, { cwd, root, output }) {
    const opened = await openRun(openDiskStorage(resolve(cwd, run)));
    const file = out === undefined ? join(root, "public", "demo", "run.json") : resolve(cwd, out);
    const policy = await policyOf(opened);
    const folder = `${basename(file, ".json")}_policy`;
    const storage = openDiskStorage(dirname(file));
    await writePolicy(openDiskStorage(join(dirname(file), folder)), policy?.files ?? {});
    const recorded = {
      ...(await readRecordedRun(opened, basename(resolve(cwd, run)), groups)),
      policy: policy && { folder, ...policy.about },
    };
    const text = `${JSON.stringify(recorded)}\n`;
    const bytes = new TextEncoder().encode(text);
    await storage.writeFile(basename(file), bytes);
    const { steps, rollouts } = recorded;
    output.event({
      event: "recorded",
      file,
      bytes: bytes.byteLength,
      steps: steps.length,
      rollouts: rollouts.length,
      policy: recorded.policy,
    });
    output.print(
      `${steps.length} steps and ${rollouts.length} completions, ${kib(bytes.byteLength)}, in ${file}`,
    );
    if (policy) {
      const size = Object.values(policy.files).reduce((sum, { byteLength }) => sum + byteLength, 0);
      output.print(
        `The policy after step ${policy.about.step}, ${kib(size)}, in ${join(dirname(file), folder)}`,
      );
    } else output.print("No policy beside it: the run has no checkpoint");
    return 0;
  },
};
