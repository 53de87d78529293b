/** A command line run inside the test's own process, its output collected. */
import { fileURLToPath } from "node:url";
import { wantsHelp } from "../../src/cli/args.ts";
import { runCommand } from "../../src/cli/dispatch.ts";
import { createInterrupt, type Interrupt } from "../../src/cli/interrupt.ts";
import { createOutput } from "../../src/cli/output.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** An interrupt that only `request` asks for. */
export function quietInterrupt(): Interrupt {
  return createInterrupt({
    listen: () => () => undefined,
    exit: () => undefined,
    note: () => undefined,
  });
}

export interface InProcess {
  /** The project's root unless said otherwise. */
  cwd?: string;
  env?: Record<string, string>;
  interrupt?: Interrupt;
}

/** Runs `words` as a user in `cwd` would. */
export async function runInProcess(words: readonly string[], options: InProcess = {}) {
  const { cwd = root, env = {}, interrupt = quietInterrupt() } = options;
  const written = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const output = createOutput({
    json: words.includes("--json") && wantsHelp(words) === "no",
    env: {},
    stdout: stream("stdout"),
    stderr: stream("stderr"),
  });
  const code = await runCommand(words, { cwd, root, env, output, interrupt });
  return { code, ...written };
}
