/** A mixture of tasks: each problem number belongs to one part, drawn by weight, so the mixture too is a pure function. */
import { ConfigError } from "../errors.ts";
import { randomStream } from "../random.ts";
import type { Problem } from "../rollout.ts";
import { mergeVocabularies } from "../text/char_tokenizer.ts";
import type { Task, Teacher } from "./api.ts";
import { crc32 } from "./crc32.ts";

export interface WeightedTask {
  task: Task;
  /** Relative to the other weights; above 0. */
  weight: number;
}

/** Splits a count by weight; leftovers go to the largest remainders, the earlier part first. */
export function shareOut(count: number, weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const exact = weights.map((weight) => (count * weight) / total);
  const shares = exact.map(Math.floor);
  const order = exact.map((_, i) => i).sort((a, b) => exact[b] - shares[b] - (exact[a] - shares[a]) || a - b);
  const left = count - shares.reduce((sum, share) => sum + share, 0);
  for (const i of order.slice(0, left)) shares[i]++;
  return shares;
}

/** Takes from the lists in turn, so that the beginning of the result holds some of each. */
function interleave<T>(lists: readonly T[][]): T[] {
  const longest = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1))).flat();
}

function mixedTeacher(parts: readonly WeightedTask[], given: Record<string, unknown>, seed: number): Teacher {
  const unknown = Object.keys(given).find((name) => parts.every(({ task }) => task.name !== name));
  if (unknown !== undefined) {
    throw new ConfigError(
      "config/unknown-key",
      `Unknown task \`${unknown}\` in the options of a mixture's teacher`,
      {
        hint: `Key them by task: ${parts.map(({ task }) => task.name).join(", ")}.`,
      },
    );
  }
  const teachers = new Map<string, Teacher>();
  for (const { task } of parts) {
    const teacher = task.teacher?.(given[task.name] as Record<string, unknown> | undefined, seed);
    if (!teacher)
      throw new ConfigError("config/no-teacher", `Cannot distil the mixture: ${task.name} has no teacher`);
    teachers.set(task.name, teacher);
  }
  return {
    options: Object.fromEntries([...teachers].map(([name, teacher]) => [name, teacher.options])),
    trace: (problem, index) => teachers.get(problem.taskId)!.trace(problem, index),
  };
}

/**
 * Makes a mixture; `rewards` lists those of all parts, and a problem's `taskId` says which part it is of.
 * @throws ConfigError where there is no part or a weight is not above 0.
 */
export function mixture(parts: readonly WeightedTask[], seed: number): Task {
  const bad = parts.find(({ weight }) => !(weight > 0 && Number.isFinite(weight)));
  if (parts.length === 0 || bad) {
    const found = bad ? `the weight of ${bad.task.name} is ${bad.weight}` : "it has no parts";
    throw new ConfigError("config/bad-value", `Cannot make the mixture: ${found}`, {
      hint: "Give one or more tasks, each with a weight above 0.",
    });
  }
  const weights = parts.map(({ weight }) => weight);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const tag = crc32("mixture");
  return {
    name: "mixture",
    options: { parts: parts.map(({ task, weight }) => ({ name: task.name, weight, options: task.options })) },
    rewards: [...new Set(parts.flatMap(({ task }) => task.rewards))],
    languages: [...new Set(parts.flatMap(({ task }) => task.languages))],
    parts: parts.map(({ task }) => task),
    sample(index) {
      let mark = randomStream(seed, tag, index).unit() * total;
      let part = 0;
      while (part < weights.length - 1 && mark >= weights[part]) mark -= weights[part++];
      return parts[part].task.sample(index);
    },
    heldOut(count, heldOutSeed = 0) {
      const shares = shareOut(count, weights);
      const seen = new Set<string>();
      const fresh = (problem: Problem) => !seen.has(problem.id) && seen.add(problem.id);
      const lists = parts.map(({ task }, i) => {
        const taken = shares[i] === 0 ? [] : task.heldOut(shares[i], heldOutSeed).filter(fresh);
        if (taken.length === shares[i]) return taken;
        // Another part gave some of the same problems: ask for as many more.
        const more = task.heldOut(2 * shares[i] - taken.length, heldOutSeed).filter(fresh);
        return [...taken, ...more].slice(0, shares[i]);
      });
      return interleave(lists);
    },
    vocabulary: parts.every(({ task }) => task.vocabulary)
      ? () => mergeVocabularies(parts.map(({ task }) => task.vocabulary!()))
      : undefined,
    teacher: parts.every(({ task }) => task.teacher)
      ? (options = {}, teacherSeed = seed) => mixedTeacher(parts, options, teacherSeed)
      : undefined,
  };
}
