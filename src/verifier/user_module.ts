/** Loads a user's reward module and calls its functions. Runs inside the sandbox worker, where it may hang. */
import type { Message, Prompt } from "../rollout.ts";
import { RESERVED_COLUMNS, type RewardArgs, type RewardFunction, type TrainerState } from "./api.ts";

/** A reward function's arguments as they travel: one group, without functions. */
export interface WireArgs {
  prompt: Prompt;
  completions: string[];
  completionIds: Uint32Array[];
  /** The problem's columns; each becomes a list with one entry per completion. */
  columns: Record<string, unknown>;
  trainerState: TrainerState;
}

export interface WireResult {
  /** Whatever the function returned; the host checks it. */
  values: unknown;
  extra: Record<string, unknown[]>;
  metrics: [name: string, value: number][];
}

const functions = new Map<string, RewardFunction>();

/**
 * Imports the module and returns the names of the functions it exports, in order of their names; of an .onnx file, the
 * name of the reward model's.
 * @throws whatever the module throws while loading
 */
export async function loadRewards(url: string): Promise<string[]> {
  if (new URL(url).pathname.endsWith(".onnx")) {
    const { openRewardModel, REWARD_MODEL } = await import("./reward_model.ts");
    functions.clear();
    functions.set(REWARD_MODEL, await openRewardModel(url));
    return [REWARD_MODEL];
  }
  const module = (await import(/* @vite-ignore */ url)) as Record<string, unknown>;
  functions.clear();
  for (const [name, value] of Object.entries(module)) {
    if (typeof value === "function") functions.set(name, value as RewardFunction);
  }
  return [...functions.keys()];
}

/** Builds the arguments in TRL's shape. */
export function rewardArgs(wire: WireArgs, result: WireResult): RewardArgs {
  const each = <T>(value: T): T[] => wire.completions.map(() => value);
  const columns: Record<string, unknown[]> = {};
  for (const [name, value] of Object.entries(wire.columns)) columns[name] = each(value);
  const asMessages = (content: string): Message[] => [{ role: "assistant", content }];
  return {
    ...columns,
    prompts: each(wire.prompt),
    completions: typeof wire.prompt === "string" ? wire.completions : wire.completions.map(asMessages),
    completion_ids: wire.completionIds,
    columns,
    trainer_state: wire.trainerState,
    log_extra: (column, values) => {
      result.extra[column] = values;
    },
    log_metric: (name, value) => {
      if (Number.isFinite(value)) result.metrics.push([name, value]);
    },
  };
}

/**
 * Calls a function of the loaded module on one group.
 * @throws whatever the function throws
 */
export async function callReward(name: string, wire: WireArgs): Promise<WireResult> {
  const reward = functions.get(name);
  if (!reward) throw new TypeError(`The reward module exports no function ${name}`);
  const result: WireResult = { values: null, extra: {}, metrics: [] };
  result.values = await reward(rewardArgs(wire, result));
  return structuredClone(result);
}

/** The first column whose name the argument object needs for itself. */
export const reservedColumn = (columns: Record<string, unknown>): string | undefined =>
  Object.keys(columns).find((name) => RESERVED_COLUMNS.includes(name));
