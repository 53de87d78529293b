/** How fast something counts up at this moment, from counts that come in irregular heaps. */

interface Heap {
  at: number;
  /** Counted until then, in all. */
  total: number;
}

export class RecentRate {
  private readonly windowMs: number;
  private readonly heaps: Heap[];

  /** @param now milliseconds of the clock that all later moments are of */
  constructor(windowMs: number, now: number) {
    this.windowMs = windowMs;
    this.heaps = [{ at: now, total: 0 }];
  }

  add(count: number, now: number): void {
    const { total } = this.heaps[this.heaps.length - 1];
    this.heaps.push({ at: now, total: total + count });
    this.forget(now);
  }

  /**
   * Over the window and however much longer the newest heap took: a slow counter does not look idle between two heaps,
   * but dwindles while none comes.
   */
  perSecond(now: number): number {
    this.forget(now);
    const [base] = this.heaps;
    const { total } = this.heaps[this.heaps.length - 1];
    return now > base.at ? ((total - base.total) * 1000) / (now - base.at) : 0;
  }

  /** Keeps one heap of before the window, and always the last two. */
  private forget(now: number): void {
    while (this.heaps.length > 2 && this.heaps[1].at <= now - this.windowMs) this.heaps.shift();
  }
}
