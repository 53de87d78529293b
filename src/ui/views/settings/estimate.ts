/** One line on what a recipe's model and memory come to. The session's thread plans: the planner knows every kernel. */
import type { Recipe } from "../../../config/schema.ts";
import { byteText } from "../../parts/format.ts";
import type { Estimate } from "../../session/api.ts";
import { session } from "../../shell/session.ts";

/** Parameters in three digits: `0.42 M`. */
export function showCount(count: number): string {
  const [size, unit] = count >= 1e9 ? [1e9, "G"] : count >= 1e6 / 2 ? [1e6, "M"] : [1e3, "k"];
  return `${Number((count / size).toPrecision(3))} ${unit}`;
}

export function estimateLine({ parameters, trainerBytes, generatorBytes, assumedPrompt }: Estimate): string {
  const total = byteText(trainerBytes + generatorBytes);
  const assumed = assumedPrompt === null ? "" : `; prompts up to ${assumedPrompt} tokens assumed`;
  const parts = `trainer ${byteText(trainerBytes)}, generators ${byteText(generatorBytes)}${assumed}`;
  return `${showCount(parameters)} parameters · about ${total} of GPU memory (${parts})`;
}

/** The line, or null where the recipe's model is not here. */
export async function estimate(recipe: Recipe): Promise<string | null> {
  const found = await (await session()).estimate(recipe);
  return found && estimateLine(found);
}
