/** Kills a run with SIGKILL at random moments and resumes it each time, until it ends by itself. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { command, start, tinyTrain } from "./command.ts";

export interface KillOptions {
  folder: string;
  mode: "sync" | "async";
  steps: number;
  kills: number;
  /** Of the moments. */
  seed: number;
  /** The latest moment, counted from the start of each process. */
  withinMs: number;
  note?(text: string): void;
}

export interface KilledRun {
  run: string;
  /** For each life: the checkpoint it went on from, or null at the beginning, and when it was killed. */
  lives: { from: number | null; killedAtMs: number | null; doing: string }[];
}

/** Random numbers from 0 to 1 (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const killableTrain = (out: string, mode: string, steps: number) =>
  tinyTrain(out, "--steps", String(steps), "--set", `mode=${mode}`, "--set", "checkpoint.every=1");

/** Numbers of the checkpoints that have their final name. */
export function settledCheckpoints(run: string): number[] {
  const folder = join(run, "checkpoints");
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => /^step-\d+$/.test(name)).map((name) => Number(name.slice(5)));
}

/** @throws Error as soon as a resume does not go on from the newest checkpoint, or ends with anything but 0 */
export async function killAndResume(options: KillOptions): Promise<KilledRun> {
  const { folder, mode, steps, kills, seed, withinMs, note = () => undefined } = options;
  const run = join(folder, "run");
  const random = randomNumbers(seed);
  const lives: KilledRun["lives"] = [];
  for (let life = 0; life <= kills; life++) {
    const isRun = existsSync(join(run, "recipe.json"));
    const settled = Math.max(-1, ...settledCheckpoints(run));
    const words = isRun ? ["train", "--resume", run] : killableTrain(run, mode, steps);
    const killedAtMs = life < kills ? Math.round(random() * withinMs) : null;
    const process = start(words);
    const timer = killedAtMs === null ? undefined : setTimeout(() => process.send("SIGKILL"), killedAtMs);
    const { code, stderr } = await process.ended;
    clearTimeout(timer);
    const found = /Going on from checkpoints\/step-(\d+)/.exec(stderr);
    const from = found ? Number(found[1]) : null;
    const doing = stderr.trim().split("\n").at(-1) ?? "";
    lives.push({ from, killedAtMs, doing });
    note(
      `life ${life}: from ${from ?? "the beginning"}, killed at ${killedAtMs ?? "–"} ms, last words: ${doing}`,
    );
    if (code !== null && code !== 0) throw new Error(`life ${life} ended with ${code}:\n${stderr}`);
    // A checkpoint whose rename the kill came before may be newer still; older is a loss.
    if (from !== null && from < settled) throw new Error(`life ${life} went on from ${from}, not ${settled}`);
    if (isRun && settled >= 0 && from === null && stderr.includes("GPU:"))
      throw new Error(`life ${life} began anew over checkpoint ${settled}`);
  }
  return { run, lives };
}

/** What must hold of a run that ended, killed or not: every step once, every rollout once. @throws Error */
export function checkRows(run: string, steps: number, batchSize: number): void {
  const rows = (name: string) =>
    readFileSync(join(run, name), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const numbers = rows("metrics.ndjson")
    .filter((row) => row.event === undefined)
    .map((row) => row.step);
  const wanted = Array.from({ length: steps }, (_, i) => i + 1);
  if (JSON.stringify(numbers) !== JSON.stringify(wanted))
    throw new Error(`metrics.ndjson has the steps ${numbers.join(" ")}`);
  const ids = rows("rollouts.ndjson").map((row) => row.id);
  if (ids.length !== steps * batchSize || new Set(ids).size !== ids.length)
    throw new Error(`rollouts.ndjson has ${ids.length} rows of ${new Set(ids).size} rollouts`);
}

export const finalWeights = (run: string, steps: number): Buffer =>
  readFileSync(join(run, "checkpoints", `step-${String(steps).padStart(6, "0")}`, "model.safetensors"));

/** The same run, left alone. @throws Error when it fails */
export async function leftAlone(folder: string, mode: string, steps: number): Promise<string> {
  const run = join(folder, "whole");
  const { code, stderr } = await command(killableTrain(run, mode, steps));
  if (code !== 0) throw new Error(`the run left alone ended with ${code}:\n${stderr}`);
  return run;
}
