/**
 * What a policy was made for, as a note in its generation_config.json: whoever asks it later can tell which problems
 * are in its range and how long its answers may get. Hugging Face's own loaders keep the extra key and ignore it.
 */
import { ConfigError, DataError } from "../errors.ts";
import type { Problem } from "../rollout.ts";
import type { Task } from "./api.ts";
import { makeTask, TASKS, type TaskChoice } from "./registry.ts";

/** The key of the note in generation_config.json. */
export const SCOPE_KEY = "webgrpo";

/** A policy's note, read. */
export interface PolicyScope {
  /** The tasks whose problems it may be asked; empty where any problem may be. */
  tasks: readonly Task[];
  /** Names of the reward functions it was trained by; empty where the note does not say. */
  rewards: readonly string[];
}

interface ScopeNote {
  tasks?: TaskChoice[];
  rewards?: string[];
}

/**
 * What generation_config.json should say of a policy trained on `task`: the longest completion, and the note. A task
 * made of data leaves no task in it, so that such a policy may be asked anything it has tokens for.
 */
export function scopeEntries(
  task: Task,
  maxTokens: number,
  rewards: readonly string[] = task.rewards,
): Record<string, unknown> {
  const parts = task.parts ?? [task];
  const known = parts.every(({ name }) => TASKS.some((each) => each.name === name));
  const note: ScopeNote = { rewards: [...rewards] };
  if (known) note.tasks = parts.map(({ name, options }) => ({ name, options: { ...options } }));
  return { max_new_tokens: maxTokens, [SCOPE_KEY]: note };
}

/** Reads the note; a model without one may be asked anything. @throws DataError `model/bad-scope` */
export function readScope(generationConfig: Record<string, unknown> | undefined): PolicyScope {
  const note = generationConfig?.[SCOPE_KEY];
  if (note === undefined || note === null) return { tasks: [], rewards: [] };
  const { tasks = [], rewards = [] } = note as ScopeNote;
  const isText = (value: unknown) => typeof value === "string";
  const isChoice = (value: TaskChoice | null) => isText(value?.name);
  if (![tasks, rewards].every(Array.isArray) || !tasks.every(isChoice) || !rewards.every(isText)) {
    throw badScope("it is not of the form { tasks, rewards }");
  }
  try {
    return { tasks: tasks.map(({ name, options }) => makeTask(name, options, 0)), rewards };
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw badScope(cause.message, cause);
  }
}

/** Why a policy of this scope must not be asked a problem, or null where it may. */
export function outOfScope({ tasks }: PolicyScope, { prompt }: Problem): string | null {
  if (tasks.length === 0 || tasks.some(({ accepts }) => accepts === undefined)) return null;
  if (typeof prompt === "string" && tasks.some((task) => task.accepts?.(prompt))) return null;
  const names = tasks.map(({ name }) => name).join(", ");
  return `it is outside what the policy was made for (${names})`;
}

function badScope(what: string, cause?: unknown): DataError {
  return new DataError(
    "model/bad-scope",
    `Cannot read \`${SCOPE_KEY}\` in the model's generation_config.json: ${what}`,
    { hint: `Remove \`${SCOPE_KEY}\` from it: the model may then be asked anything`, cause },
  );
}
