/**
 * Bounds staleness by starting work, not by throwing it away: a group is started only if, by the time it can be
 * trained on, the policy will be at most `maxStaleness` batches ahead (the rule of AReaL, arXiv:2505.24298).
 */
export interface AdmissionOptions {
  groupsPerBatch: number;
  /** Batches that the trainer may be ahead of a group's first token. */
  maxStaleness: number;
}

export class Admission {
  private readonly options: AdmissionOptions;
  /** Groups started and neither trained on nor dropped. */
  outstanding = 0;

  constructor(options: AdmissionOptions) {
    this.options = options;
  }

  /** Groups that may be started now when `batchesLeft` batches are still to be trained. */
  permits(batchesLeft: number): number {
    const { groupsPerBatch, maxStaleness } = this.options;
    return Math.max(0, Math.min(maxStaleness + 1, batchesLeft) * groupsPerBatch - this.outstanding);
  }

  started(groups: number): void {
    this.outstanding += groups;
  }

  /** Trained on, or dropped (then another may take its place). */
  finished(groups: number): void {
    this.outstanding -= groups;
  }
}
