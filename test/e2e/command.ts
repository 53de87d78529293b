/** Runs the command line as a user does: a process of its own, its output collected, its signals real. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const flags = ["run", "-A", "--no-lock", "--node-modules-dir=manual"];

type Signal = "SIGINT" | "SIGHUP" | "SIGKILL";

export interface Ended {
  /** Null after a signal that was not caught. */
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  send(signal: Signal): void;
  /** Closes our end of the command's stdout. */
  stopReading(): void;
  ended: Promise<Ended>;
  /** Resolves as soon as stderr holds the text. @throws when the process ends before */
  shows(text: string): Promise<void>;
}

export interface StartOptions {
  cwd?: string;
  limitMs?: number;
  env?: Record<string, string>;
  /** Where stdout goes instead of to us. */
  stdoutFile?: string;
}

/** Starts a command; after `limitMs` it counts as hung and is killed. */
export function start(words: readonly string[], options: StartOptions = {}): Running {
  const { cwd = tmpdir(), limitMs = 60_000 } = options;
  const env = {
    ...process.env,
    ...options.env,
    INIT_CWD: cwd,
    XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? tmpdir(),
  };
  const ours = options.stdoutFile === undefined ? "pipe" : openSync(options.stdoutFile, "w");
  const child = spawn(process.execPath, [...flags, main, ...words], {
    cwd,
    env,
    stdio: ["pipe", ours, "pipe"],
  });
  if (typeof ours === "number") closeSync(ours);
  let [stdout, stderr, hung] = ["", "", false];
  // Not child.kill(): Deno then reports the signal as the end, though the process caught it and left with a code.
  const send = (signal: Signal) => void process.kill(child.pid!, signal);
  const watchers = new Set<() => void>();
  const timer = setTimeout(() => {
    hung = true;
    send("SIGKILL");
  }, limitMs);
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr!.on("data", (chunk) => {
    stderr += chunk;
    for (const look of [...watchers]) look();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      if (hung) reject(new Error(`${words.join(" ")} hung for ${limitMs} ms; it said\n${stdout}\n${stderr}`));
      else resolve({ code, stdout, stderr });
    });
  });
  const shows = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!stderr.includes(text)) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      ended.then(() => reject(new Error(`${words.join(" ")} never said "${text}" but\n${stderr}`)), reject);
      look();
    });
  const stopReading = () => void child.stdout?.destroy();
  return { send, stopReading, ended, shows };
}

export const command = (words: readonly string[], options: StartOptions = {}) => start(words, options).ended;

/** Words for a run of the smoke recipe (or another that is named) made smaller still. */
export const tinyTrain = (out: string, ...more: string[]) => [
  "train",
  ...(more.includes("--recipe") ? [] : ["--recipe", "smoke"]),
  "--out",
  out,
  ...[
    "generator.concurrency=32",
    "trainer.batchSize=16",
    "trainer.groupSize=4",
    "trainer.microBatchTokens=1024",
    "evaluation.problems=0",
  ].flatMap((setting) => ["--set", setting]),
  ...more,
];

const folders: string[] = [];

export async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "webgrpo-e2e-"));
  folders.push(folder);
  return folder;
}

export async function removeFolders(): Promise<void> {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
}
