import { describe, expect, it } from "vitest";
import { placeCard, TOUR, tourFor } from "../../../src/ui/shell/tour_steps.ts";

const window = { width: 1000, height: 700 };
const card = { width: 400, height: 200 };

describe("tourFor()", () => {
  it("has six steps, and leaves out what a teacher has hidden", () => {
    expect(TOUR).toHaveLength(6);
    expect(tourFor(new Set(["controls"])).map(({ target }) => target)).not.toContain(".controls");
    expect(tourFor(new Set(["controls", "strip"]))).toHaveLength(3);
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

  it("stays inside the window where there is room on neither side", () => {
    const { left, top } = placeCard({ left: 900, top: 20, width: 300, height: 660 }, card, window);
    expect(left + card.width).toBeLessThanOrEqual(window.width);
    expect(top + card.height).toBeLessThanOrEqual(window.height);
  });
});
