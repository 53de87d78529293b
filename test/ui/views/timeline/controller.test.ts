import { describe, expect, it } from "vitest";
import type { TraceEvent } from "../../../../src/metrics/trace.ts";
import { TimelineController } from "../../../../src/ui/views/timeline/controller.ts";
import { spoken } from "../../../../src/ui/views/timeline/describe.ts";
import { Gestures, moved, press } from "../../../../src/ui/views/timeline/gestures.ts";
import { summarize } from "../../../../src/ui/views/timeline/summary.ts";
import { MINUTE } from "../../../../src/ui/views/timeline/viewport.ts";
import { syntheticTrace } from "./synthetic_trace.ts";

const long = syntheticTrace({ steps: 120, origin: 0 });

function opened(live = false, events = long): TimelineController {
  const controller = new TimelineController();
  controller.take(events, live);
  return controller;
}

const span = ({ view }: TimelineController) => view.value.to - view.value.from;

describe("TimelineController", () => {
  it("opens on the newest steps, few enough to be read", () => {
    const controller = opened();
    const { view, index, follow } = controller;
    expect(view.value.to).toBeGreaterThan(index.last);
    const inView = index.marks.filter(({ at }) => at > view.value.from).length;
    expect(inView).toBeGreaterThanOrEqual(3);
    expect(inView).toBeLessThanOrEqual(8);
    expect(follow.value).toBe(false);
  });

  it("follows a live run at one scale once there are a few steps", () => {
    const controller = new TimelineController();
    const told: TraceEvent[] = [];
    const scales: number[] = [];
    for (let i = 0; i < long.length; i += 100) {
      told.push(...long.slice(i, i + 100));
      controller.take(told, true);
      expect(controller.view.value.to).toBeGreaterThan(controller.index.last);
      scales.push(Math.round(span(controller)));
    }
    expect(controller.follow.value).toBe(true);
    expect(new Set(scales.slice(-10)).size).toBe(1);
  });

  it("stays where it was moved while the run goes on, and follows again when asked", () => {
    const told = long.slice(0, 2000);
    const controller = opened(true, told);
    controller.pan(-1);
    const { from } = controller.view.value;
    told.push(...long.slice(2000, 3000));
    controller.take(told, true);
    expect(controller.follow.value).toBe(false);
    expect(controller.view.value.from).toBe(from);
    controller.setFollow(true);
    expect(controller.view.value.to).toBeGreaterThan(controller.index.last);
  });

  it("shows all, and the last minute", () => {
    const controller = opened();
    controller.fit();
    expect(controller.view.value.from).toBeLessThanOrEqual(controller.index.first);
    expect(controller.view.value.to).toBeGreaterThanOrEqual(controller.index.last);
    controller.lastMinute();
    expect(span(controller)).toBeCloseTo(
      Math.min(MINUTE, (controller.index.last - controller.index.first) * 1.03),
      0,
    );
  });

  it("comes back into view when the player goes back to a shorter trace", () => {
    const controller = opened();
    controller.take(long.slice(0, 50), false);
    expect(controller.view.value.from).toBeLessThan(controller.index.last);
  });

  it("walks along tracks and between them, and brings what it finds into view", () => {
    const controller = opened();
    const first = controller.walk("right");
    expect(first?.track).toBe("generator 0");
    const second = controller.walk("right");
    expect(second?.start).toBeGreaterThanOrEqual(first!.end - 0.1);
    expect(controller.walk("left")).toBe(first);
    expect(controller.walk("down")?.track).toBe("generator 1");
    for (let i = 0; i < 9; i++) controller.walk("down");
    expect(controller.selected.value?.track).toBe("trainer");
    const earliest = controller.walk("first");
    expect(earliest).toBe(controller.index.track("trainer")?.slices[0]);
    expect(controller.walk("left")).toBe(earliest);
    expect(controller.view.value.from).toBeLessThanOrEqual(earliest!.start);
    expect(controller.view.value.to).toBeGreaterThan(earliest!.start);
  });

  it("goes along an arrow to the step that used a rollout, and back", () => {
    const controller = opened();
    const { index } = controller;
    const made = index.track("generator 0")!.slices.find((slice) => index.leaving(slice).length > 0)!;
    controller.select(made);
    expect(controller.followArrow()).toBe(true);
    const step = controller.selected.value!;
    expect(step.name).toBe("forward");
    expect(spoken(step, index).replaceAll("\u00a0", " ")).toMatch(
      /^trainer: forward, starts at .* s, lasts .*, step 1, micro batch 1, .*6 arrows from generator 0 and generator 1\.$/,
    );
    expect(controller.followArrow()).toBe(true);
    expect(controller.selected.value!.track).toMatch(/^generator/);
  });
});

describe("keys and gestures", () => {
  it("does what its keys say and leaves others alone", () => {
    const controller = opened();
    const before = span(controller);
    expect(press(controller, "+", false)).toBe(true);
    expect(span(controller)).toBeCloseTo(before / 1.5, 6);
    expect(press(controller, "ArrowLeft", true)).toBe(true);
    expect(controller.selected.value).toBeNull();
    expect(press(controller, "ArrowLeft", false)).toBe(true);
    expect(controller.selected.value).not.toBeNull();
    expect(press(controller, "Escape", false)).toBe(true);
    expect(controller.selected.value).toBeNull();
    for (const key of ["Escape", "Tab", " ", "1", "s"]) expect(press(controller, key, false)).toBe(false);
  });

  it("pans with one finger and zooms around two", () => {
    const began = { from: 0, to: 1000 };
    expect(moved(began, [{ startX: 100, x: 150 }], 500)).toEqual({ from: -100, to: 900 });
    const pinched = moved(
      began,
      [
        { startX: 100, x: 50 },
        { startX: 200, x: 250 },
      ],
      500,
    );
    expect(pinched.to - pinched.from).toBe(500);
    // What was under the first finger, 200 ms, still is.
    expect(pinched.from + (50 / 500) * 500).toBe(200);
    const crossed = moved(
      began,
      [
        { startX: 100, x: 250 },
        { startX: 200, x: 50 },
      ],
      500,
    );
    expect(crossed.to - crossed.from).toBe(1000);
  });

  it("takes a press for a choice and a drag for a movement", () => {
    const controller = opened();
    const [slice] = controller.index.tracks[0].slices;
    const gestures = new Gestures(controller, {
      view: () => controller.view.value,
      width: () => 1000,
      hit: () => slice,
    });
    const { from } = controller.view.value;
    gestures.down(1, 500);
    gestures.move(1, 502, 10, false);
    gestures.up(1, 502, 10);
    expect(controller.selected.value).toBe(slice);
    expect(controller.view.value.from).toBe(from);
    controller.select(null);
    gestures.down(1, 500);
    gestures.move(1, 600, 10, false);
    gestures.up(1, 600, 10);
    expect(controller.selected.value).toBeNull();
    expect(controller.view.value.from).toBeLessThan(from);
  });

  it("leaves the wheel to the page unless it is turned sideways or with a key", () => {
    const controller = opened();
    const gestures = new Gestures(controller, {
      view: () => controller.view.value,
      width: () => 1000,
      hit: () => null,
    });
    const wheel = { deltaX: 0, deltaY: 100, ctrlKey: false, metaKey: false, shiftKey: false };
    const before = span(controller);
    expect(gestures.wheel(wheel, 500)).toBe(false);
    expect(span(controller)).toBe(before);
    expect(gestures.wheel({ ...wheel, ctrlKey: true, deltaY: -100 }, 500)).toBe(true);
    expect(span(controller)).toBeLessThan(before);
    const { from } = controller.view.value;
    expect(gestures.wheel({ ...wheel, shiftKey: true, deltaY: -100 }, 500)).toBe(true);
    expect(controller.view.value.from).toBeLessThan(from);
  });
});

describe("summarize()", () => {
  it("speaks of the last minute while following, else of what is in view", () => {
    const controller = opened(true);
    expect(controller.index.last - controller.index.first).toBeGreaterThan(MINUTE);
    expect(summarize(controller, true).words).toBe("the last minute");
    controller.pan(-0.5);
    expect(summarize(controller, true).words.replaceAll("\u00a0", " ")).toMatch(/^the [\d.]+ s in view$/);
    controller.fit();
    expect(summarize(controller, false).words).toBe("the run");
    expect(summarize(controller, true).words).toBe("the run so far");
  });
});
