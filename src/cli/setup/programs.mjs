/** Runs programs for the launcher: signals passed on, exit codes kept. Plain Node, no packages. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";

const running = new Set();
let interrupted = false;

/** Keeps the launcher alive until its child has ended; children hear the signal as well. */
export function passSignalsOn() {
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(name, () => {
      interrupted = true;
      // Windows delivers Ctrl-C to the whole console by itself and knows no softer signal than an end.
      if (process.platform !== "win32") for (const child of running) child.kill(name);
    });
  }
}

/** True once a signal has asked the launcher to stop. */
export const wasInterrupted = () => interrupted;

/**
 * Runs a program to its end.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{cwd?: string, env?: Record<string, string | undefined>, stdio?: "inherit" | "stderr" | "capture" | "hold" | "ignore"}} [options]
 *   "stderr" sends its output to our stderr, "capture" shows it and keeps its stdout as `text`, "hold" keeps stdout and shows it
 *   when the program has ended, so that two that run side by side do not mix
 * @returns {Promise<{code: number, text: string}>} 127 where the program cannot be started, 128 + n after signal n
 */
export function runProgram(command, args, { cwd, env = process.env, stdio = "inherit" } = {}) {
  const ends = {
    inherit: "inherit",
    stderr: ["ignore", 2, 2],
    capture: ["inherit", "pipe", "inherit"],
    hold: ["ignore", "pipe", "inherit"],
    ignore: "ignore",
  };
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: ends[stdio], shell: command.endsWith(".cmd") });
    let text = "";
    running.add(child);
    child.stdout?.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      if (stdio !== "hold") process.stdout.write(chunk);
    });
    child.on("error", (error) => {
      running.delete(child);
      process.stderr.write(`Cannot start ${command}: ${error.message}\n`);
      resolve({ code: 127, text });
    });
    child.on("close", (code, signal) => {
      running.delete(child);
      if (stdio === "hold") process.stdout.write(text);
      resolve({ code: code ?? 128 + (constants.signals[signal] ?? 0), text });
    });
  });
}

/** The arguments for Node that start a package's program, or null where the package is absent. */
export function packageProgram(root, name, program = name) {
  const folder = join(root, "node_modules", name);
  const manifest = join(folder, "package.json");
  if (!existsSync(manifest)) return null;
  const { bin } = JSON.parse(readFileSync(manifest, "utf8"));
  const file = typeof bin === "string" ? bin : bin?.[program];
  return file ? [join(folder, file)] : null;
}

/** The command and first arguments that start npm: the npm that runs us, else the one beside Node, else by name. */
export function npmProgram({ env, execPath, platform, exists }) {
  const beside = join(
    dirname(execPath),
    platform === "win32" ? "." : "../lib",
    "node_modules/npm/bin/npm-cli.js",
  );
  for (const file of [env.npm_execpath, beside]) {
    if (file && /npm-cli\.c?js$/.test(file) && exists(file)) return [execPath, file];
  }
  return [platform === "win32" ? "npm.cmd" : "npm"];
}
