/** Calls of a drawing function kept apart in time: the first at once, later ones together when the time has passed. */
export class Pace {
  private readonly draw: () => void;
  private readonly everyMs: number;
  private readonly clock: () => number;
  private last = Number.NEGATIVE_INFINITY;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(draw: () => void, everyMs: number, clock: () => number = () => performance.now()) {
    this.draw = draw;
    this.everyMs = everyMs;
    this.clock = clock;
  }

  ask(): void {
    if (this.timer !== null) return;
    const rest = this.last + this.everyMs - this.clock();
    if (rest <= 0) this.now();
    else this.timer = setTimeout(() => this.now(), rest);
  }

  /** Forgets what was asked for. */
  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private now(): void {
    this.timer = null;
    this.last = this.clock();
    this.draw();
  }
}
