import { describe, expect, it } from "vitest";
import { placeCard, type Scene, TOUR, tourFor } from "../../../src/ui/shell/tour_steps.ts";
import type { Hideable } from "../../../src/ui/state/app.ts";

const window = { width: 1000, height: 700 };
const scene = { hidden: new Set<Hideable>(), replays: false, trains: false };
const targets = (change: Partial<Scene>) => tourFor({ ...scene, ...change }).map(({ target }) => target);
const card = { width: 400, height: 200 };

describe("tourFor()", () => {
  it("has six steps, and leaves out what a teacher has hidden", () => {
    expect(TOUR).toHaveLength(6);
    expect(targets({ hidden: new Set(["controls"]) })).not.toContain(".controls");
    expect(targets({ hidden: new Set(["controls", "strip"]) })).toHaveLength(3);
    expect(targets({ hidden: new Set(["learning"]) })).not.toContain(".now-example");
  });

  it("invites to nothing that runs already, and to go back only where that can be done", () => {
    expect(targets({ trains: true })).not.toContain(".now-invite");
    const [replayed] = tourFor({ ...scene, replays: true });
    expect(replayed.text).toContain("Drag along the line");
    for (const { text } of tourFor(scene)) expect(text).not.toContain("Drag");
  });
});

describe("placeCard()", () => {
  it("stands below what it speaks of", () => {
    expect(placeCard({ left: 50, top: 100, width: 300, height: 100 }, card, window)).toEqual({
      left: 50,
      top: 214,
    });
  });

  it("stands above where there is no room below", () => {
    expect(placeCard({ left: 50, top: 500, width: 300, height: 150 }, card, window).top).toBe(286);
  });

  it.each([
    ["where there is room on neither side", 20],
    ["where what it speaks of was scrolled away above", -900],
    ["where it was scrolled away below", 2000],
  ])("stays inside the window %s", (_, target) => {
    const { left, top } = placeCard({ left: 900, top: target, width: 300, height: 660 }, card, window);
    expect(left + card.width).toBeLessThanOrEqual(window.width);
    expect(top).toBeGreaterThanOrEqual(12);
    expect(top + card.height).toBeLessThanOrEqual(window.height);
  });
});
