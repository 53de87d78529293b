/** The command line's entry: connects the process's streams, signals and words to dispatch.ts. Started by launch.mjs under Deno. */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { wantsHelp } from "./args.ts";
import { runCommand } from "./dispatch.ts";
import { createInterrupt } from "./interrupt.ts";
import { createOutput } from "./output.ts";

async function start(): Promise<void> {
  const words = process.argv.slice(2);
  // Whoever reads our output may go away early (`| head`): that ends the run, it is no error.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      throw error;
    });
  }
  const end = words.indexOf("--");
  const json = (end < 0 ? words : words.slice(0, end)).includes("--json") && wantsHelp(words) === "no";
  const output = createOutput({ json, env: process.env, stdout: process.stdout, stderr: process.stderr });
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
  process.stdout.write("", () => process.exit(code));
}

await start();
