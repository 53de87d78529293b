/**
 * Which groups the loop has started and what became of them: how many may start now (admission bounds staleness), which
 * are in flight, how many were dropped for want of signal. The loop owns one; what it says of itself goes into checkpoints.
 */
import { WebgrpoError } from "./errors.ts";
import { Admission } from "./generator/admission.ts";
import type { RewardedGroup } from "./rollout.ts";

/** The groups of a run, as saved: enough to go on. */
export interface GroupCursor {
  /** The next group to start; its number is also the cursor into the tasks. */
  nextGroup: number;
  /** Groups started and neither trained on nor dropped: started again after a resume. */
  inFlight: number[];
}

export interface GroupLedgerOptions {
  /** Batches of the whole run. */
  steps: number;
  groupsPerBatch: number;
  /** Batches that the trainer may be ahead of a group's first token. */
  maxStaleness: number;
  /** Batches' worth of groups without signal that are replaced before a batch stays smaller. */
  maxRefillWaves: number;
}

/**
 * Batches' worth of groups of which not one completion could be scored before no more are started: a reward that fails on
 * all of them will fail on the next as well, and one that hangs takes its whole time limit for each.
 */
const UNSCORED_WAVES = 4;

export class GroupLedger {
  /** Groups dropped for want of signal since the last batch, and their completions. */
  private dead = 0;
  private completions = 0;
  private unscored: string[] = [];
  private readonly options: GroupLedgerOptions;
  private readonly admission: Admission;
  private readonly mostDead: number;
  private readonly started = new Set<number>();
  /** Of those the ones not yet back, with the step at which they were started. */
  private readonly awaited = new Map<number, number>();
  private readonly restarted: number[];
  private nextGroup: number;

  constructor(options: GroupLedgerOptions, start: GroupCursor) {
    const { groupsPerBatch, maxStaleness, maxRefillWaves } = options;
    this.options = options;
    this.admission = new Admission({ groupsPerBatch, maxStaleness });
    this.mostDead = groupsPerBatch * maxRefillWaves;
    this.restarted = [...start.inFlight];
    this.nextGroup = start.nextGroup;
  }

  /** Groups started and neither trained on nor dropped. */
  get inFlight(): number {
    return this.started.size;
  }

  /** Whether so many groups in a row were without signal that no more are started to replace them. */
  get exhausted(): boolean {
    const hopeless = this.unscored.length === this.completions;
    const most = hopeless ? this.options.groupsPerBatch * UNSCORED_WAVES : this.mostDead;
    return this.dead >= Math.min(most, this.mostDead);
  }

  /** Marks the groups as started that may start now, after `step` batches; those of a resume first. */
  start(step: number): number[] {
    const free = this.exhausted ? 0 : this.admission.permits(this.options.steps - step);
    const ids = Array.from({ length: free }, () => this.restarted.shift() ?? this.nextGroup++);
    for (const id of ids) {
      this.started.add(id);
      this.awaited.set(id, step);
    }
    this.admission.started(free);
    return ids;
  }

  /** A group has come back with its rewards. */
  arrive(groupId: number): void {
    this.awaited.delete(groupId);
  }

  /** Whether a group is still out that would be too old after the batch that follows on `step`: that batch waits for it. */
  awaits(step: number): boolean {
    return [...this.awaited.values()].some((started) => started <= step - this.options.maxStaleness);
  }

  /** A group without signal. */
  drop({ groupId, rollouts }: RewardedGroup): void {
    this.dead++;
    this.completions += rollouts.length;
    for (const { reward, verdicts } of rollouts)
      if (reward === null) this.unscored.push(verdicts.find(({ reason }) => reason)?.reason ?? "not judged");
    this.release([groupId]);
  }

  /** Groups trained on or given up; ones that are not in flight are passed over. */
  release(groupIds: readonly number[]): void {
    this.admission.finished(groupIds.filter((id) => this.started.delete(id)).length);
  }

  /** A batch was trained on: the count of groups without signal begins anew. */
  settle(groupIds: readonly number[]): void {
    this.dead = this.completions = 0;
    this.unscored = [];
    this.release(groupIds);
  }

  cursor(): GroupCursor {
    const inFlight = [...this.restarted, ...this.started].sort((a, b) => a - b);
    return { nextGroup: this.nextGroup, inFlight };
  }

  /** The end of a run in which nothing can be learned. */
  noSignal(step: number): WebgrpoError {
    const { dead, completions, unscored } = this;
    const why =
      unscored.length > completions / 2
        ? `${unscored.length} of ${completions} completions could not be scored, the last with "${unscored.at(-1)}"`
        : "their completions had equal rewards, which give no gradient";
    return new WebgrpoError(
      "loop/no-signal",
      `Cannot form the batch of step ${step} from ${dead} groups in a row: ${why}`,
      {
        hint: "Look at verifier.rewards: mend a reward that fails, make problems easier or harder, sample more diversely (generator.temperature, trainer.groupSize) or raise trainer.maxRefillWaves.",
      },
    );
  }
}
