/** The command line's entry: connects the process's streams, signals and words to dispatch.ts. Started by launch.mjs under Deno. */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { describeError } from "../errors.ts";
import { wantsHelp } from "./args.ts";
import { runCommand } from "./dispatch.ts";
import { guardStream, outputLost, readerLeft } from "./guarded_stream.ts";
import { createInterrupt } from "./interrupt.ts";
import { createOutput } from "./output.ts";

async function start(): Promise<void> {
  const words = process.argv.slice(2);
  const end = words.indexOf("--");
  const json = (end < 0 ? words : words.slice(0, end)).includes("--json") && wantsHelp(words) === "no";
  // Whoever reads our output may go away early (`| head`, a closed terminal): that is no error, and what runs is saved.
  let left = false;
  const onFailure = (error: NodeJS.ErrnoException) => {
    if (!readerLeft(error)) return;
    left = true;
    interrupt.request();
  };
  const stdout = guardStream(process.stdout, onFailure);
  const stderr = guardStream(process.stderr, onFailure);
  const output = createOutput({ json, env: process.env, stdout, stderr });
  const interrupt = createInterrupt({
    listen: (name, handler) => {
      process.on(name, handler);
      return () => process.off(name, handler);
    },
    exit: (code) => process.exit(code),
    note: output.note,
  });
  const code = await runCommand(words, {
    cwd: process.env.INIT_CWD ?? process.cwd(),
    root: fileURLToPath(new URL("../..", import.meta.url)),
    env: process.env,
    output,
    interrupt,
  });
  interrupt.dispose();
  // A pipe takes its last bytes asynchronously; leave only when they are out. Workers may still hold the loop open.
  await stdout.flushed();
  const lost = stdout.failure && !readerLeft(stdout.failure) ? outputLost(stdout.failure) : null;
  if (lost) output.note(output.paint("red", describeError(lost)));
  await stderr.flushed();
  process.exit(left && code === 130 ? 0 : lost && code === 0 ? 1 : code);
}

await start();
