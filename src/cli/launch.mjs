#!/usr/bin/env node
/**
 * Starts every command: `node src/cli/launch.mjs COMMAND ARGS`. Sets up what is missing (packages, on Linux a Vulkan
 * driver), then runs the command line under Deno, or the test runners. Plain Node 20 without packages, because it runs
 * before there are any.
 */
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { denoFlags, runChecks, runTests } from "./setup/gates.mjs";
import { preparePackages } from "./setup/packages.mjs";
import { isPageCommand, runPage } from "./setup/page.mjs";
import { passSignalsOn, runProgram, wasInterrupted } from "./setup/programs.mjs";
import { prepareVulkan } from "./setup/vulkan.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/[\\/]$/, "");
const note = (text) => process.stderr.write(`${text}\n`);

/** The folder the user typed in: npm changes to the project's root and keeps the first folder in INIT_CWD. */
function userFolder() {
  const byNpm = process.env.npm_lifecycle_event !== undefined && process.cwd() === root;
  const first = process.env.INIT_CWD;
  return byNpm && first && existsSync(first) ? first : process.cwd();
}

async function launch([command, ...words]) {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    note(`Cannot run on Node ${process.versions.node}: 20.19 or newer is needed.\nHint: https://nodejs.org`);
    return 1;
  }
  const gate = command === "test" || command === "check" || isPageCommand(command);
  const deno = await preparePackages({ root, development: gate, note });
  if (wasInterrupted()) return 130;
  if (!deno) return 1;
  const env = {
    ...process.env,
    INIT_CWD: userFolder(),
    DENO_NO_UPDATE_CHECK: "1",
    XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR || tmpdir(),
  };
  if (command === "check") return runChecks({ root, env, note });
  if (isPageCommand(command)) return runPage(command, words, { root, env, note });
  const asksHelp = command === undefined || words.includes("--help") || words.includes("-h");
  // Without a driver the command still starts: it says which adapter is missing, and `doctor` what else.
  if (!asksHelp) await prepareVulkan(note);
  if (wasInterrupted()) return 130;
  if (command === "test") return runTests(words, { root, deno, env, note });
  const main = join(root, "src", "cli", "main.ts");
  const args = [...denoFlags, main, ...(command === undefined ? [] : [command]), ...words];
  return (await runProgram(deno, args, { cwd: root, env })).code;
}

passSignalsOn();
process.exitCode = await launch(process.argv.slice(2));
