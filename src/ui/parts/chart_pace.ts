/** When charts are drawn: each at most so often, and all of them together only as much in one frame as leaves it smooth. */

type Clock = () => number;

/** Of one frame: what a canvas was told to draw is painted after the clock was looked at, and costs more than the telling. */
const MOST_DRAWN = 2;

/** Draws in turn, a few milliseconds a frame; what is left waits for the next frame. */
export class FrameQueue {
  private readonly budgetMs: number;
  private readonly clock: Clock;
  private readonly nextFrame: (run: () => void) => void;
  private readonly waiting = new Set<() => void>();
  private isAsked = false;

  constructor(
    budgetMs: number,
    clock: Clock = () => performance.now(),
    nextFrame: (run: () => void) => void = (run) => requestAnimationFrame(run),
  ) {
    this.budgetMs = budgetMs;
    this.clock = clock;
    this.nextFrame = nextFrame;
  }

  add(draw: () => void): void {
    this.waiting.add(draw);
    this.ask();
  }

  remove(draw: () => void): void {
    this.waiting.delete(draw);
  }

  private ask(): void {
    if (this.isAsked) return;
    this.isAsked = true;
    this.nextFrame(() => this.run());
  }

  private run(): void {
    this.isAsked = false;
    const end = this.clock() + this.budgetMs;
    let drawn = 0;
    for (const draw of this.waiting) {
      this.waiting.delete(draw);
      draw();
      if (++drawn === MOST_DRAWN || this.clock() >= end) break;
    }
    if (this.waiting.size > 0) this.ask();
  }
}

/** One chart's place in the queue: asked at once when it has rested long enough, otherwise as soon as it has. */
export class Pace {
  private readonly draw: () => void;
  private readonly everyMs: number;
  private readonly queue: FrameQueue;
  private readonly clock: Clock;
  private drawn = Number.NEGATIVE_INFINITY;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(draw: () => void, everyMs: number, queue: FrameQueue, clock: Clock = () => performance.now()) {
    this.everyMs = everyMs;
    this.queue = queue;
    this.clock = clock;
    this.draw = () => {
      this.drawn = this.clock();
      draw();
    };
  }

  ask(): void {
    if (this.timer !== null) return;
    const rest = this.drawn + this.everyMs - this.clock();
    if (rest <= 0) this.queue.add(this.draw);
    else
      this.timer = setTimeout(() => {
        this.timer = null;
        this.queue.add(this.draw);
      }, rest);
  }

  /** Forgets what was asked for. */
  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.queue.remove(this.draw);
  }
}
