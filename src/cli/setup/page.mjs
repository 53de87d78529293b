/** `dev`, `build` and `preview`: the page, by Vite. Plain Node, no packages of its own. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { packageProgram, runProgram, wasInterrupted } from "./programs.mjs";

const pageCommands = ["dev", "build", "preview"];

/** Whether a command is about the page and goes to Vite. */
export const isPageCommand = (command) => pageCommands.includes(command);

/**
 * Runs Vite with the words the user gave. `preview` builds first where nothing has been built.
 * @returns {Promise<number>} Vite's exit code, 130 when interrupted
 */
export async function runPage(command, words, { root, env, note }) {
  const vite = packageProgram(root, "vite");
  if (!vite) {
    note("Cannot start the page: the package vite is missing.\nHint: npm install");
    return 1;
  }
  const run = (args) => runProgram(process.execPath, [...vite, ...args], { cwd: root, env });
  if (command === "preview" && !existsSync(join(root, "dist", "index.html"))) {
    note("Building the page");
    const { code } = await run(["build"]);
    if (wasInterrupted()) return 130;
    if (code !== 0) return code;
  }
  const { code } = await run(command === "dev" ? words : [command, ...words]);
  return wasInterrupted() ? 130 : code;
}
