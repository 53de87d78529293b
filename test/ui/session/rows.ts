/** Rows as a session tells them. */
import type { RolloutRow } from "../../../src/ui/state/records.ts";

export function rollout(id: number, step: number, tokens = 2): RolloutRow {
  return { id, step, group: 0, tokens, completion: "x".repeat(tokens) } as unknown as RolloutRow;
}

export const SUMMARY = {
  steps: 3,
  samples: 6,
  eval: { before: null, after: null },
  wall_s: 1,
  generated_tokens: 1,
  trained_tokens: 1,
  interrupted: false,
};
