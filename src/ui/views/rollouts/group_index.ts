/**
 * Rollouts by step, group, problem and id. Takes in only the rows that are new, so that a long run costs no more at its end
 * than at its start; begins anew where the rows were trimmed or rewound.
 */
import type { RolloutRow, StepRow } from "../../state/records.ts";

/** The completions of one prompt in one step. */
export interface Group {
  step: number;
  group: number;
  problem: string;
  /** In order of arrival: the place is the completion's seed within the group. */
  rows: RolloutRow[];
  /** By reward, best first; made when first looked at. */
  sorted: RolloutRow[] | null;
}

export interface StepEntry {
  step: number;
  groups: Group[];
  rows: number;
  rewardSum: number;
  rewarded: number;
  /** Completions whose advantage was recorded. */
  withAdvantage: number;
  /** Completions recorded so far, by what the filters ask. */
  facets: Facets | null;
  facetsOf: number;
}

export interface Facets {
  right: number;
  wrong: number;
  truncated: number;
  stale: number;
  disagreement: number;
}

/** Smallest and largest reward that a function gave in this run. */
export interface RewardRange {
  min: number;
  max: number;
}

const byReward = (a: RolloutRow, b: RolloutRow) =>
  (b.reward ?? Number.NEGATIVE_INFINITY) - (a.reward ?? Number.NEGATIVE_INFINITY) || a.id - b.id;

/** Sorts once, and again only when the group has grown. */
export function sortedRows(group: Group): RolloutRow[] {
  if (group.sorted?.length !== group.rows.length) group.sorted = group.rows.toSorted(byReward);
  return group.sorted as RolloutRow[];
}

export function meanReward(rows: readonly RolloutRow[]): number | null {
  let sum = 0;
  let rewarded = 0;
  for (const { reward } of rows)
    if (reward !== null) {
      sum += reward;
      rewarded++;
    }
  return rewarded === 0 ? null : sum / rewarded;
}

export class RolloutIndex {
  /** In order of arrival. */
  groups: Group[] = [];
  readonly ranges = new Map<string, RewardRange>();
  /** Grows when a range does, since "good" is judged by it. */
  rangesVersion = 0;
  /** Grows when earlier groups changed: whatever was derived from them is void. */
  generation = 0;
  private readonly entries = new Map<number, StepEntry>();
  private readonly groupsByKey = new Map<string, Group>();
  private readonly groupsByRow = new Map<number, Group>();
  private readonly groupsByProblem = new Map<string, Group[]>();
  private sortedSteps: number[] = [];
  private source: readonly RolloutRow[] = [];
  private taken = 0;
  private openGroup: Group | null = null;

  /** Takes in what is new; tells whether anything changed. */
  update(rows: readonly RolloutRow[]): boolean {
    const replaced = rows !== this.source || rows.length < this.taken;
    if (replaced) this.clear();
    else if (rows.length === this.taken) return false;
    this.source = rows;
    for (; this.taken < rows.length; this.taken++) this.take(rows[this.taken]);
    if (this.sortedSteps.length !== this.entries.size)
      this.sortedSteps = [...this.entries.keys()].sort((a, b) => a - b);
    return true;
  }

  /** Rows taken in. */
  get size(): number {
    return this.taken;
  }

  /** Ascending. */
  get steps(): readonly number[] {
    return this.sortedSteps;
  }

  stepEntry(step: number): StepEntry | undefined {
    return this.entries.get(step);
  }

  groupOf(rolloutId: number): Group | undefined {
    return this.groupsByRow.get(rolloutId);
  }

  rowOf(rolloutId: number): RolloutRow | undefined {
    return this.groupOf(rolloutId)?.rows.find(({ id }) => id === rolloutId);
  }

  /** Every group of one problem, in order of arrival. */
  groupsOfProblem(problem: string): readonly Group[] {
    return this.groupsByProblem.get(problem) ?? [];
  }

  private clear(): void {
    this.groups = [];
    this.entries.clear();
    this.groupsByKey.clear();
    this.groupsByRow.clear();
    this.groupsByProblem.clear();
    this.sortedSteps = [];
    this.ranges.clear();
    this.rangesVersion++;
    this.generation++;
    this.taken = 0;
    this.openGroup = null;
  }

  private take(row: RolloutRow): void {
    const entry = this.entryAt(row.step);
    const group = this.groupFor(row, entry);
    group.rows.push(row);
    entry.rows++;
    if (row.reward !== null) {
      entry.rewardSum += row.reward;
      entry.rewarded++;
    }
    if (row.advantage !== null && row.advantage !== undefined) entry.withAdvantage++;
    this.groupsByRow.set(row.id, group);
    for (const name in row.rewards) this.widen(name, row.rewards[name]);
  }

  private entryAt(step: number): StepEntry {
    let entry = this.entries.get(step);
    if (!entry) {
      entry = {
        step,
        groups: [],
        rows: 0,
        rewardSum: 0,
        rewarded: 0,
        withAdvantage: 0,
        facets: null,
        facetsOf: -1,
      };
      this.entries.set(step, entry);
    }
    return entry;
  }

  private groupFor(row: RolloutRow, entry: StepEntry): Group {
    const open = this.openGroup;
    if (open && open.group === row.group && open.step === row.step) return open;
    const key = `${row.step}/${row.group}`;
    let group = this.groupsByKey.get(key);
    if (group) this.generation++;
    else {
      group = { step: row.step, group: row.group, problem: row.problem, rows: [], sorted: null };
      this.groupsByKey.set(key, group);
      this.groups.push(group);
      entry.groups.push(group);
      const sameProblem = this.groupsByProblem.get(row.problem);
      if (sameProblem) sameProblem.push(group);
      else this.groupsByProblem.set(row.problem, [group]);
    }
    this.openGroup = group;
    return group;
  }

  private widen(name: string, reward: number | null): void {
    if (reward === null) return;
    const range = this.ranges.get(name);
    if (!range) this.ranges.set(name, { min: reward, max: reward });
    else if (reward < range.min) range.min = reward;
    else if (reward > range.max) range.max = reward;
    else return;
    this.rangesVersion++;
  }
}

/**
 * The trainer's version when it took up each step: what it had published after the step before. Its optimiser may take
 * several updates a step, each a version.
 */
export class TrainerVersions {
  private readonly published = new Map<number, number>();
  private readonly updatesPerStep: number;
  private seen: readonly StepRow[] = [];
  private taken = 0;

  constructor(updatesPerStep: number) {
    this.updatesPerStep = updatesPerStep;
  }

  update(steps: readonly StepRow[]): void {
    if (steps !== this.seen || steps.length < this.taken) {
      this.published.clear();
      this.taken = 0;
      this.seen = steps;
    }
    for (; this.taken < steps.length; this.taken++) {
      const { step, "trainer/policy_version": version } = steps[this.taken];
      if (typeof step === "number" && typeof version === "number") this.published.set(step, version);
    }
  }

  before(step: number): number {
    const after = this.published.get(step);
    return after === undefined ? (step - 1) * this.updatesPerStep : after - this.updatesPerStep;
  }
}
