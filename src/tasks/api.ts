/** What a source of problems offers the rest: the types of the tasks stage. Other stages import this file alone. */
import type { Problem } from "../rollout.ts";
import type { CharVocabulary } from "../text/char_tokenizer.ts";

/** Languages in which procedural tasks have wording. */
export const LANGUAGES = ["en", "fr", "de", "es"] as const;
export type Language = (typeof LANGUAGES)[number];

/** A source of problems; it holds no position, so a resumed run needs only the next index. */
export interface Task {
  readonly name: string;
  /** Resolved, defaults included. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Names of the reward functions that fit the task. */
  readonly rewards: readonly string[];
  readonly languages: readonly Language[];
  /** The parts of a mixture; absent elsewhere. */
  readonly parts?: readonly Task[];
  /**
   * Gives training problem number `index` (from 0, without end); the same task, options, seed and index always give
   * the same problem, and never one that `heldOut` could give under any seed or options.
   */
  sample(index: number): Problem;
  /**
   * Gives `count` different problems that training never sees. The seed is its own (default 0), so runs with other
   * training seeds are evaluated on the same problems.
   * @throws ConfigError where the task has fewer.
   */
  heldOut(count: number, seed?: number): Problem[];
  /**
   * Tells whether a prompt is one that these options can give: what a policy trained on the task alone may be asked.
   * Absent where it cannot be told from the text.
   */
  accepts?(prompt: string): boolean;
  /** What a small policy must be able to say and read for this task; absent for tasks made of data. */
  vocabulary?(): CharVocabulary;
  /** An imperfect writer of answers to distil from. */
  teacher?(options?: Record<string, unknown>, seed?: number): Teacher;
}

export interface Teacher {
  /** Resolved, defaults included. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Writes an answer; the same problem and index always give the same trace. */
  trace(problem: Problem, index: number): Trace;
}

export interface Trace {
  /** The text to imitate; ends with the vocabulary's end-of-sequence token. */
  completion: string;
  /** How it was written, for counting: `steps`, `guess`, … */
  style: string;
  /** Whether the right answer stands where an answer is looked for. */
  correct: boolean;
  /** Whether the form is the wanted one. */
  wellFormed: boolean;
}
