/**
 * A task made of given problems, with a share held out. Rows with the same prompt stay on the same side. Training goes
 * through the rows in a new order each epoch, which is a pure function of seed and epoch.
 */
import { DataError } from "../errors.ts";
import { randomStream } from "../random.ts";
import type { Problem } from "../rollout.ts";
import type { Task } from "./api.ts";
import { crc32 } from "./crc32.ts";

export interface DataTaskOptions {
  /** Default: the problems' own task id. */
  name?: string;
  /** Share of the different prompts that is held out; 0 holds out none. Default 0.1. */
  heldOutShare?: number;
  /** Chooses which prompts are held out. Default 0. */
  splitSeed?: number;
  /** Names of the reward functions that fit. Default Magistral's. */
  rewards?: readonly string[];
}

/**
 * Makes a task of problems, which must not be empty.
 * @throws DataError where there are too few different prompts to hold any out.
 */
export function dataTask(problems: readonly Problem[], seed: number, options: DataTaskOptions = {}): Task {
  const { heldOutShare = 0.1, splitSeed = 0, rewards = ["magistral"] } = options;
  const name = options.name ?? problems[0]?.taskId ?? "data";
  if (!(heldOutShare >= 0 && heldOutShare < 1)) {
    throw new RangeError(`heldOutShare lies in [0, 1), not ${heldOutShare}`);
  }
  const keyOf = (problem: Problem) =>
    typeof problem.prompt === "string" ? problem.prompt : JSON.stringify(problem.prompt);
  const prompts = [...new Set(problems.map(keyOf))];
  const needed = heldOutShare === 0 ? 1 : 2;
  if (prompts.length < needed) {
    const found = `it has ${prompts.length} different prompt${prompts.length === 1 ? "" : "s"}`;
    throw new DataError("data/too-few-rows", `Cannot train on ${name} and hold problems out: ${found}`, {
      hint: "Give at least two rows with different prompts, or hold none out.",
    });
  }
  const ranked = prompts.map((key) => ({ key, rank: crc32(key) }));
  ranked.sort((a, b) => a.rank - b.rank || (a.key < b.key ? -1 : 1));
  const wanted = Math.round(heldOutShare * prompts.length);
  const count = heldOutShare === 0 ? 0 : Math.min(prompts.length - 1, Math.max(1, wanted));
  // Any other seed shuffles the same order, so that a file's order of rows never matters.
  const drawn = splitSeed === 0 ? ranked : randomStream(splitSeed, crc32(name), 2).shuffle(ranked);
  const held = new Map<string, Problem | null>(drawn.slice(0, count).map(({ key }) => [key, null]));
  const training: Problem[] = [];
  for (const problem of problems) {
    const key = keyOf(problem);
    if (!held.has(key)) training.push(problem);
    else if (held.get(key) === null) held.set(key, problem);
  }
  const heldOut = [...held.values()].filter((problem) => problem !== null);
  const tag = crc32(name);
  let order = { epoch: -1, problems: training };
  return {
    name,
    options: {
      heldOutShare,
      splitSeed,
      rows: problems.length,
      training: training.length,
      heldOut: heldOut.length,
    },
    rewards,
    languages: [],
    sample(index) {
      const epoch = Math.floor(index / training.length);
      if (order.epoch !== epoch) {
        order = { epoch, problems: randomStream(seed, tag, 0, epoch).shuffle(training) };
      }
      return order.problems[index % training.length];
    },
    // A file has what it has: fewer than asked for are given, not refused.
    heldOut: (wantedCount, heldOutSeed = 0) =>
      randomStream(heldOutSeed, tag, 1).shuffle(heldOut).slice(0, wantedCount),
  };
}
