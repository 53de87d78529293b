import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FrameQueue, Pace } from "../../../src/ui/parts/chart_pace.ts";

/** Frames that come when they are called for, and a clock that is set by hand. */
class Frames {
  now = 0;
  private run: (() => void) | null = null;
  readonly queue = new FrameQueue(
    8,
    () => this.now,
    (run) => {
      this.run = run;
    },
  );

  next(): void {
    const run = this.run;
    this.run = null;
    run?.();
  }

  get isAsked(): boolean {
    return this.run !== null;
  }
}

describe("FrameQueue", () => {
  it("draws in turn and leaves what does not fit to the next frame", () => {
    const frames = new Frames();
    const drawn: string[] = [];
    const take = (name: string) => () => {
      drawn.push(name);
      frames.now += 5;
    };
    for (const name of ["a", "b", "c"]) frames.queue.add(take(name));
    expect(drawn).toEqual([]);
    frames.next();
    expect(drawn).toEqual(["a", "b"]);
    frames.next();
    expect(drawn).toEqual(["a", "b", "c"]);
    expect(frames.isAsked).toBe(false);
  });

  it("draws two at most in a frame, however soon they are told", () => {
    const frames = new Frames();
    const drawn: string[] = [];
    for (const name of ["a", "b", "c"]) frames.queue.add(() => drawn.push(name));
    frames.next();
    expect(drawn).toEqual(["a", "b"]);
    frames.next();
    expect(drawn).toEqual(["a", "b", "c"]);
  });

  it("draws once what was asked for twice, and not what was taken back", () => {
    const frames = new Frames();
    const draw = vi.fn();
    const dropped = vi.fn();
    frames.queue.add(draw);
    frames.queue.add(draw);
    frames.queue.add(dropped);
    frames.queue.remove(dropped);
    frames.next();
    expect(draw).toHaveBeenCalledTimes(1);
    expect(dropped).not.toHaveBeenCalled();
  });

  it("goes on after a draw that asks again", () => {
    const frames = new Frames();
    let left = 3;
    const draw = () => {
      frames.now += 10;
      if (--left > 0) frames.queue.add(draw);
    };
    frames.queue.add(draw);
    for (let frame = 0; frame < 5; frame++) frames.next();
    expect(left).toBe(0);
  });
});

describe("Pace", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const paced = (draw: () => void) => {
    const queue = new FrameQueue(8, Date.now, (run) => run());
    return new Pace(draw, 100, queue, Date.now);
  };

  it("draws at once, then at most ten times a second however often it is asked", () => {
    const draw = vi.fn();
    const pace = paced(draw);
    pace.ask();
    expect(draw).toHaveBeenCalledTimes(1);
    for (let ms = 0; ms < 1000; ms += 5) {
      vi.advanceTimersByTime(5);
      pace.ask();
    }
    expect(draw.mock.calls.length).toBeGreaterThanOrEqual(9);
    expect(draw.mock.calls.length).toBeLessThanOrEqual(11);
  });

  it("draws the last thing that was asked for", () => {
    const draw = vi.fn();
    const pace = paced(draw);
    pace.ask();
    pace.ask();
    expect(draw).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(100);
    expect(draw).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(1000);
    expect(draw).toHaveBeenCalledTimes(2);
  });

  it("draws nothing after it was stopped", () => {
    const draw = vi.fn();
    const pace = paced(draw);
    pace.ask();
    pace.ask();
    pace.stop();
    vi.advanceTimersByTime(1000);
    expect(draw).toHaveBeenCalledTimes(1);
  });
});
