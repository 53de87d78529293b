/**
 * Turns the stream of rewarded groups into batches of a fixed number of completions: groups without signal and groups
 * that are too old are dropped and counted, the rest is taken oldest first and in arrival order or, for reproducible runs,
 * in the order of group ids. Knows nothing of the GPU; the loop owns one.
 */
import type { RewardedGroup, RewardedRollout } from "../rollout.ts";
import { type DeadGroupFilter, isDeadGroup } from "./advantages.ts";

export interface CollectorOptions {
  /** Completions in every batch: a multiple of groupSize. */
  completionsPerBatch: number;
  groupSize: number;
  filter: DeadGroupFilter;
  /** `groupId` waits for the next id, so that batches do not depend on timing. */
  order: "arrival" | "groupId";
  /** Policy versions that the oldest token of a rollout may lie behind the trainer. */
  maxStaleness: number;
  /** The first id to wait for under `groupId`. */
  firstGroupId?: number;
  /** Smaller ids that will arrive nevertheless: started again after a resume. */
  restartedGroupIds?: readonly number[];
}

/** Counted over the groups that were used up to form one batch. */
export interface CollectionStats {
  groupsSeen: number;
  /** Dropped for want of signal. */
  groupsDead: number;
  /** Groups whose rewards are all equal, dropped or not. */
  groupsFlat: number;
  /** Dead groups whose every judged answer was right. */
  groupsSolved: number;
  /** Dead groups whose every judged answer was wrong. */
  groupsUnsolved: number;
  groupsStale: number;
  /** Ids that were given up with `skip`. */
  groupsMissing: number;
  /** Completions of dead and stale groups. */
  completionsDropped: number;
  /** Completions that no reward function could score, among those kept. */
  completionsUnscored: number;
  /** Versions between the trainer and the oldest token of each kept completion. */
  stalenessMean: number;
  stalenessMax: number;
}

export interface CollectedBatch {
  groups: RewardedGroup[];
  stats: CollectionStats;
  /** Groups dropped as too old since `drainStaleGroupIds` or the last batch. */
  staleGroupIds: number[];
}

type Entry = { groupId: number; group: RewardedGroup | null; dead: boolean };

export class BatchCollector {
  private readonly options: CollectorOptions;
  /** What may be used, in order. */
  private readonly queue: Entry[] = [];
  /** Under `groupId`: what waits for a smaller id. */
  private readonly waiting = new Map<number, Entry>();
  private readonly seen = new Set<number>();
  private cursor: number;
  /** Restarted ids not yet arrived, ascending: they come before the cursor. */
  private readonly restarted: number[];
  private stale = emptyStats();
  private staleIds: number[] = [];
  /** Groups that arrived more than once; the later ones were ignored. */
  duplicates = 0;

  /** @throws RangeError for sizes that cannot make a batch. */
  constructor(options: CollectorOptions) {
    const { completionsPerBatch, groupSize, maxStaleness } = options;
    if (!(groupSize >= 1 && completionsPerBatch >= groupSize && completionsPerBatch % groupSize === 0)) {
      throw new RangeError(
        `Cannot fill batches of ${completionsPerBatch} completions with groups of ${groupSize}: a multiple of the group size is needed`,
      );
    }
    if (!(maxStaleness >= 0)) {
      throw new RangeError(`Cannot allow a staleness of ${maxStaleness}: a number from 0 is needed`);
    }
    this.options = options;
    this.cursor = options.firstGroupId ?? 0;
    this.restarted = [...(options.restartedGroupIds ?? [])]
      .filter((id) => id < this.cursor)
      .sort((a, b) => a - b);
  }

  /** Kept completions that wait to be batched (staleness not yet judged). */
  get pendingCompletions(): number {
    return this.queue.reduce((sum, { group, dead }) => sum + (group && !dead ? group.rollouts.length : 0), 0);
  }

  /** Completions still needed for the next batch, dead groups left out; 0 when it is full. */
  get missingCompletions(): number {
    return Math.max(0, this.options.completionsPerBatch - this.pendingCompletions);
  }

  /** Under `groupId`: the smallest id that has neither arrived nor been skipped. */
  get nextGroupId(): number {
    return this.restarted[0] ?? this.cursor;
  }

  /**
   * Takes one group in; one whose id was seen before is counted and ignored.
   * @returns whether the group carries signal.
   * @throws RangeError when it does not have groupSize rollouts.
   */
  add(group: RewardedGroup): boolean {
    if (group.rollouts.length !== this.options.groupSize) {
      throw new RangeError(
        `Cannot collect group ${group.groupId} of ${group.rollouts.length} rollouts: ${this.options.groupSize} are needed`,
      );
    }
    if (this.isKnown(group.groupId)) {
      this.duplicates++;
      return false;
    }
    const dead = isDeadGroup(group.rollouts, this.options.filter);
    this.admit({ groupId: group.groupId, group, dead });
    return !dead;
  }

  /** Declares that a group will never arrive, so that `groupId` order does not wait for it. */
  skip(groupId: number): void {
    if (!this.isKnown(groupId)) this.admit({ groupId, group: null, dead: false });
  }

  /**
   * The next batch, or null while there is too little. Groups with a token older than maxStaleness, or newer than
   * the trainer (it was restarted from a checkpoint), are dropped first.
   * @param least take a smaller batch when at least this many completions wait.
   */
  take(trainerVersion: number, least = this.options.completionsPerBatch): CollectedBatch | null {
    this.dropStale(trainerVersion);
    if (this.options.order === "arrival") this.queue.sort((a, b) => oldestOf(a) - oldestOf(b));
    if (this.pendingCompletions < Math.max(1, least)) return null;
    const stats = this.stale;
    this.stale = emptyStats();
    const groups: RewardedGroup[] = [];
    for (let count = 0; count < this.options.completionsPerBatch; ) {
      const entry = this.queue.shift();
      if (!entry) break;
      tally(stats, entry);
      if (!entry.group || entry.dead) continue;
      groups.push(entry.group);
      count += entry.group.rollouts.length;
    }
    const rollouts = groups.flatMap((group) => group.rollouts);
    const ages = rollouts.map((rollout) => trainerVersion - oldestVersion(rollout));
    stats.stalenessMean = ages.reduce((sum, age) => sum + age, 0) / ages.length;
    stats.stalenessMax = ages.reduce((most, age) => Math.max(most, age), 0);
    stats.completionsUnscored = rollouts.filter((rollout) => rollout.reward === null).length;
    return { groups, stats, staleGroupIds: this.drainStaleGroupIds() };
  }

  /** Ids of groups dropped as too old since the last call or batch; ask when `take` gave null, to start others. */
  drainStaleGroupIds(): number[] {
    const ids = this.staleIds;
    this.staleIds = [];
    return ids;
  }

  private isKnown(groupId: number): boolean {
    if (this.options.order === "arrival") return this.seen.has(groupId);
    const past = groupId < this.cursor && !this.restarted.includes(groupId);
    return past || this.waiting.has(groupId);
  }

  private admit(entry: Entry): void {
    if (this.options.order === "arrival") {
      this.seen.add(entry.groupId);
      this.queue.push(entry);
      return;
    }
    this.waiting.set(entry.groupId, entry);
    for (let next = this.waiting.get(this.nextGroupId); next; next = this.waiting.get(this.nextGroupId)) {
      this.waiting.delete(next.groupId);
      if (this.restarted.length > 0) this.restarted.shift();
      else this.cursor++;
      this.queue.push(next);
    }
  }

  private dropStale(trainerVersion: number): void {
    const { maxStaleness } = this.options;
    for (let i = this.queue.length - 1; i >= 0; i--) {
      const { group, dead } = this.queue[i];
      if (!group || dead) continue;
      const usable = group.rollouts.every(
        (rollout) =>
          trainerVersion - oldestVersion(rollout) <= maxStaleness && newestVersion(rollout) <= trainerVersion,
      );
      if (usable) continue;
      this.queue.splice(i, 1);
      this.staleIds.push(group.groupId);
      this.stale.groupsSeen++;
      this.stale.groupsStale++;
      this.stale.completionsDropped += group.rollouts.length;
    }
  }
}

function tally(stats: CollectionStats, { group, dead }: Entry): void {
  if (!group) {
    stats.groupsMissing++;
    return;
  }
  stats.groupsSeen++;
  if (isDeadGroup(group.rollouts, "reward")) stats.groupsFlat++;
  if (!dead) return;
  stats.groupsDead++;
  stats.completionsDropped += group.rollouts.length;
  const judged = group.rollouts.filter((rollout) => rollout.correct !== null);
  if (judged.length === 0) return;
  if (judged.every((rollout) => rollout.correct === 1)) stats.groupsSolved++;
  if (judged.every((rollout) => rollout.correct === 0)) stats.groupsUnsolved++;
}

function oldestOf({ group }: Entry): number {
  return Math.min(...(group?.rollouts.map(oldestVersion) ?? []));
}

function oldestVersion(rollout: RewardedRollout): number {
  return rollout.policyVersions.reduce((low, version) => Math.min(low, version), Number.POSITIVE_INFINITY);
}

function newestVersion(rollout: RewardedRollout): number {
  return rollout.policyVersions.reduce((high, version) => Math.max(high, version), Number.NEGATIVE_INFINITY);
}

function emptyStats(): CollectionStats {
  return {
    groupsSeen: 0,
    groupsDead: 0,
    groupsFlat: 0,
    groupsSolved: 0,
    groupsUnsolved: 0,
    groupsStale: 0,
    groupsMissing: 0,
    completionsDropped: 0,
    completionsUnscored: 0,
    stalenessMean: 0,
    stalenessMax: 0,
  };
}

/** The statistics under TRL's names; groups are of one size, so shares of groups are shares of samples. */
export function collectionMetrics(stats: CollectionStats): Record<string, number> {
  return {
    frac_reward_zero_std: stats.groupsSeen === 0 ? 0 : stats.groupsFlat / stats.groupsSeen,
    "batch/groups_per_step": stats.groupsSeen - stats.groupsDead - stats.groupsStale,
    "batch/dead_groups": stats.groupsDead,
    "batch/dead_groups_solved": stats.groupsSolved,
    "batch/dead_groups_unsolved": stats.groupsUnsolved,
    "batch/unscored_completions": stats.completionsUnscored,
    "sample/staleness_mean": stats.stalenessMean,
    "sample/staleness_max": stats.stalenessMax,
    "sample/dropped_stale_total": stats.groupsStale,
    "sample/dropped_missing_total": stats.groupsMissing,
  };
}
