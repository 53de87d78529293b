/** `test` and `check`: several runners, one verdict at the end. Plain Node, no packages. */
import process from "node:process";
import { prepareChrome } from "./chrome.mjs";
import { packageProgram, runProgram, wasInterrupted } from "./programs.mjs";

export const projects = ["logic", "gpu", "browser", "page"];
/** Those that open Chrome. */
const inChrome = ["browser", "page"];
/** Flags for every start of Deno: packages come from node_modules alone and no lock file is written. */
export const denoFlags = ["run", "-A", "--no-lock", "--node-modules-dir=manual"];

/**
 * Takes `--only PROJECT` out of the words after `test`.
 * @returns {{only: string[], rest: string[], problem: string}} problem: "" or what is wrong
 */
export function readTestWords(words) {
  const rest = [];
  let only = projects;
  let problem = "";
  for (let i = 0; i < words.length; i++) {
    const match = /^--only(?:=(.*))?$/.exec(words[i]);
    if (!match) {
      rest.push(words[i]);
      continue;
    }
    const name = match[1] ?? words[++i] ?? "";
    if (projects.includes(name)) only = [name];
    else problem = `Cannot test \`--only ${name}\`: it takes one of ${projects.join(", ")}`;
  }
  return { only, rest, problem };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours are control characters
const colours = /\x1b\[[0-9;]*m/g;

/** The runner's closing lines (files, tests, errors, duration), without colours. */
export function closingLines(text) {
  return text
    .replace(colours, "")
    .split(/\r?\n/)
    .filter((line) => /^\s*(Test Files|Tests|Errors|Type Errors|Duration)\s{2}/.test(line));
}

/**
 * Counts tests in the closing lines. A run that failed without a failed test (a file that does not load, an error
 * outside tests, a crash) counts one failure at least.
 */
export function countTests(lines, code) {
  const count = (label, word) => {
    const line = lines.findLast((one) => new RegExp(`^\\s*${label}\\s{2}`).test(one)) ?? "";
    return Number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1] ?? 0);
  };
  const inTests = count("Tests", "failed");
  const broken = count("Test Files", "failed") + count("Errors", "errors?");
  const failed = inTests > 0 ? inTests : code === 0 ? 0 : Math.max(1, broken);
  return {
    passed: count("Tests", "passed"),
    failed,
    skipped: count("Tests", "skipped") + count("Tests", "todo"),
  };
}

function vitestCall(project, { root, deno }) {
  const flags = ["run", "--project", project, "--passWithNoTests"];
  if (project === "gpu") return [deno, [...denoFlags, "npm:vitest", ...flags]];
  return [process.execPath, [...(packageProgram(root, "vitest") ?? []), ...flags]];
}

/** Those that run beside the GPU's tests where both are asked for: each of the two keeps one core busy, seldom both. */
const beside = ["logic", "browser", "page"];

/**
 * Runs the test projects and prints their closing lines again with one summed line.
 * @returns {Promise<number>} 0, 1, 2 for wrong words, 130 when interrupted
 */
export async function runTests(words, { root, deno, env, note }) {
  const { only, rest, problem } = readTestWords(words);
  if (problem) {
    note(problem);
    return 2;
  }
  const colour = process.stdout.isTTY && !env.NO_COLOR ? { FORCE_COLOR: "1" } : {};
  const chrome = only.some((project) => inChrome.includes(project)) ? await prepareChrome(note) : "";
  const results = new Map();
  const run = async (project, stdio) => {
    if (wasInterrupted()) return;
    if (chrome === null && inChrome.includes(project)) {
      results.set(project, { lines: ["  not run: no Chrome or Chromium"], counts: countTests([], 1) });
      return;
    }
    const [command, args] = vitestCall(project, { root, deno });
    const browser = chrome && inChrome.includes(project) ? { CHROME_PATH: chrome } : {};
    const { code, text } = await runProgram(command, [...args, ...rest], {
      cwd: root,
      env: { ...env, ...colour, ...browser },
      stdio,
    });
    const lines = closingLines(text);
    const counts = countTests(lines, code);
    if (lines.length === 0) lines.push(code === 0 ? "  no tests" : `  ended with exit code ${code}`);
    results.set(project, { lines, counts });
  };
  const inTurn = async (projects, stdio) => {
    for (const project of projects) await run(project, stdio);
  };
  const second = only.includes("gpu") ? only.filter((project) => beside.includes(project)) : [];
  const first = only.filter((project) => !second.includes(project));
  await Promise.all([inTurn(first, "capture"), inTurn(second, "hold")]);
  if (wasInterrupted()) return 130;
  const sum = { passed: 0, failed: 0, skipped: 0 };
  const closing = [];
  for (const project of only) {
    const { lines, counts } = results.get(project);
    closing.push(project, ...lines);
    for (const key of Object.keys(sum)) sum[key] += counts[key];
  }
  const ran = sum.passed + sum.failed + sum.skipped > 0;
  const verdict = `${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`;
  process.stdout.write(`\n${closing.join("\n")}\n\n${verdict}\n`);
  if (!ran)
    note("No test was run.\nHint: the words after `npm test --` choose files by a part of their path");
  return sum.failed > 0 || !ran ? 1 : 0;
}

/** Runs types, lint and format, and the style tests; all of them, whatever fails. */
export async function runChecks({ root, env, note }) {
  const steps = [
    ["types", packageProgram(root, "typescript", "tsc"), ["-p", "."]],
    ["lint and format", packageProgram(root, "@biomejs/biome", "biome"), ["check", "."]],
    ["style", packageProgram(root, "vitest"), ["run", "--project", "logic", "test/style"]],
  ];
  const verdicts = [];
  for (const [name, program, args] of steps) {
    note(`Checking ${name}`);
    const { code } = await runProgram(process.execPath, [...(program ?? []), ...args], { cwd: root, env });
    if (wasInterrupted()) return 130;
    verdicts.push([name, code === 0]);
  }
  process.stdout.write(
    `\n${verdicts.map(([name, fine]) => `${fine ? "ok    " : "FAILED"}  ${name}`).join("\n")}\n`,
  );
  return verdicts.every(([, fine]) => fine) ? 0 : 1;
}
