/** Which completions are shown: what each filter asks of a row. */
import type { RolloutRow } from "../../state/records.ts";
import { promptText } from "./format.ts";
import type { Facets, RewardRange, RolloutIndex, StepEntry, TrainerVersions } from "./group_index.ts";

export interface RowFilter {
  search: string;
  correctness: "any" | "right" | "wrong";
  truncated: boolean;
  stale: boolean;
  disagreement: boolean;
  minReward: number | null;
  maxReward: number | null;
}

export const NO_FILTER: RowFilter = {
  search: "",
  correctness: "any",
  truncated: false,
  stale: false,
  disagreement: false,
  minReward: null,
  maxReward: null,
};

export function isFiltering(filter: RowFilter): boolean {
  return (
    filter.search.trim() !== "" ||
    filter.correctness !== "any" ||
    filter.truncated ||
    filter.stale ||
    filter.disagreement ||
    filter.minReward !== null ||
    filter.maxReward !== null
  );
}

/** Versions that the oldest token lies behind the weights its step began with. */
export function staleness(row: RolloutRow, trainer: Pick<TrainerVersions, "before">): number {
  return Math.max(0, trainer.before(row.step) - Math.min(...row.policy_versions));
}

/**
 * Whether a reward function finds a completion good: in the upper half of what it gave in this run, because some reward
 * from 0 to 1 and some punish from −1 to 0. null where it gave nothing, or always the same.
 */
export function findsGood(reward: number | null, range: RewardRange | undefined): boolean | null {
  if (reward === null || !range || range.min === range.max) return null;
  return reward >= (range.min + range.max) / 2;
}

/** Whether one reward function finds the completion good and another bad. */
export function disagrees(row: RolloutRow, ranges: ReadonlyMap<string, RewardRange>): boolean {
  let good = false;
  let bad = false;
  for (const name in row.rewards) {
    const verdict = findsGood(row.rewards[name], ranges.get(name));
    if (verdict === true) good = true;
    else if (verdict === false) bad = true;
  }
  return good && bad;
}

/** What the filters need to know beside the row. */
export interface FilterContext {
  ranges: ReadonlyMap<string, RewardRange>;
  trainer: Pick<TrainerVersions, "before">;
}

/** Prepares the question once for many rows. */
export function rowTest(filter: RowFilter, context: FilterContext): (row: RolloutRow) => boolean {
  const search = filter.search.trim().toLowerCase();
  const { correctness, truncated, stale, disagreement, minReward, maxReward } = filter;
  const mentions = (text: string | null) => text?.toLowerCase().includes(search) ?? false;
  return (row) => {
    if (truncated && row.finish_reason !== "length") return false;
    if (correctness !== "any" && row.correct !== (correctness === "right" ? 1 : 0)) return false;
    if (minReward !== null && !(row.reward !== null && row.reward >= minReward)) return false;
    if (maxReward !== null && !(row.reward !== null && row.reward <= maxReward)) return false;
    if (stale && staleness(row, context.trainer) === 0) return false;
    if (disagreement && !disagrees(row, context.ranges)) return false;
    return (
      search === "" || mentions(row.completion) || mentions(promptText(row.prompt)) || mentions(row.answer)
    );
  };
}

const noFacets = (): Facets => ({ right: 0, wrong: 0, truncated: 0, stale: 0, disagreement: 0 });

function countFacets(entry: StepEntry, context: FilterContext): Facets {
  const facets = noFacets();
  for (const { rows } of entry.groups)
    for (const row of rows) {
      if (row.correct === 1) facets.right++;
      else if (row.correct === 0) facets.wrong++;
      if (row.finish_reason === "length") facets.truncated++;
      if (staleness(row, context.trainer) > 0) facets.stale++;
      if (disagrees(row, context.ranges)) facets.disagreement++;
    }
  return facets;
}

/** How many completions of these steps each filter would keep alone; counted once a step while it stays as it is. */
export function facetsOf(
  index: RolloutIndex,
  steps: readonly number[],
  trainer: FilterContext["trainer"],
): Facets {
  const total = noFacets();
  for (const step of steps) {
    const entry = index.stepEntry(step);
    if (!entry) continue;
    // Rows and ranges only grow, so their sum tells every state apart.
    const state = entry.rows + index.rangesVersion;
    if (!entry.facets || entry.facetsOf !== state) {
      entry.facets = countFacets(entry, { ranges: index.ranges, trainer });
      entry.facetsOf = state;
    }
    for (const name of Object.keys(total) as (keyof Facets)[]) total[name] += entry.facets[name];
  }
  return total;
}
