/** Why a completion got its reward: what each function gave, what it weighs, and what that adds up to. */
import type { Verdict } from "../../../rollout.ts";
import type { RolloutRow } from "../../state/records.ts";
import type { Group, RewardRange } from "./group_index.ts";
import { meanReward } from "./group_index.ts";
import { findsGood } from "./row_filter.ts";

export interface VerdictLine {
  verdict: Verdict;
  weight: number;
  /** reward × weight; null where it was not scored. */
  share: number | null;
  good: boolean | null;
}

/** Weights by reward function as the recipe gives them; 1 where it does not. */
export function weightsOf(recipe: Record<string, unknown>): Map<string, number> {
  const { rewards, weights } = (recipe.verifier ?? {}) as { rewards?: unknown; weights?: unknown };
  if (!Array.isArray(rewards) || !Array.isArray(weights)) return new Map();
  return new Map(
    rewards.flatMap((name, i) => (typeof weights[i] === "number" ? [[String(name), weights[i]]] : [])),
  );
}

export function verdictLines(
  row: RolloutRow,
  weights: ReadonlyMap<string, number>,
  ranges: ReadonlyMap<string, RewardRange>,
): VerdictLine[] {
  return (row.verdicts ?? []).map((verdict) => {
    const weight = weights.get(verdict.name) ?? 1;
    return {
      verdict,
      weight,
      share: verdict.reward === null ? null : verdict.reward * weight,
      good: findsGood(verdict.reward, ranges.get(verdict.name)),
    };
  });
}

/** What a completion's bar shows. */
export interface Pull {
  value: number;
  /** Where no advantage was recorded, the reward's distance from its group's mean stands in. */
  kind: "advantage" | "from-mean";
}

export function pullOf(row: RolloutRow, group: Pick<Group, "rows">): Pull | null {
  if (typeof row.advantage === "number") return { value: row.advantage, kind: "advantage" };
  const mean = meanReward(group.rows);
  return row.reward === null || mean === null ? null : { value: row.reward - mean, kind: "from-mean" };
}
