import { describe, expect, it } from "vitest";
import {
  atEnd,
  clamp,
  clock,
  length,
  newest,
  overall,
  pan,
  reveal,
  ticks,
  zoom,
} from "../../../../src/ui/views/timeline/viewport.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("zoom()", () => {
  it("keeps the moment under the pointer where it is", () => {
    const view = zoom({ from: 100, to: 200 }, 0.5, 0.25);
    expect(view.to - view.from).toBe(50);
    expect(view.from + 0.25 * 50).toBe(125);
  });
});

describe("clamp()", () => {
  const whole = { from: 1000, to: 2000 };

  it("leaves a view within the trace as it is", () => {
    const view = clamp({ from: 1200, to: 1300 }, whole);
    expect(view.from).toBeCloseTo(1200, 9);
    expect(view.to).toBeCloseTo(1300, 9);
  });

  it("shows no more than everything and no less than half a millisecond", () => {
    expect(clamp({ from: -1e6, to: 1e6 }, whole)).toEqual(overall(whole));
    const { from, to } = clamp({ from: 1500, to: 1500.000001 }, whole);
    expect(to - from).toBeCloseTo(0.5, 6);
  });

  it("keeps a part of the trace in view, whichever way it is dragged", () => {
    for (const far of [-1e5, 1e5]) {
      const { from, to } = clamp(pan({ from: 1400, to: 1500 }, far), whole);
      expect(to - from).toBeCloseTo(100, 9);
      expect(Math.min(to, 2000) - Math.max(from, 1000)).toBeGreaterThanOrEqual(9);
    }
  });
});

describe("newest() and atEnd()", () => {
  it("end a little after the newest event and keep their length", () => {
    const view = newest({ from: 0, to: 300_000 }, 60_000);
    expect(view.to - view.from).toBe(60_000);
    expect(view.to).toBeGreaterThan(300_000);
    expect(view.to).toBeLessThan(302_000);
    expect(atEnd({ from: 5, to: 15 }, { from: 0, to: 100 }).to).toBeCloseTo(100.15, 6);
  });

  it("show everything where there is less", () => {
    expect(newest({ from: 0, to: 30_000 }, 60_000)).toEqual(overall({ from: 0, to: 30_000 }));
  });
});

describe("reveal()", () => {
  const view = { from: 0, to: 1000 };
  it("moves only as far as needed, and zooms out for what is longer", () => {
    expect(reveal(view, { from: 300, to: 400 })).toBe(view);
    expect(reveal(view, { from: 1200, to: 1300 })).toEqual({ from: 380, to: 1380 });
    expect(reveal(view, { from: -50, to: 10 })).toEqual({ from: -130, to: 870 });
    expect(reveal(view, { from: 0, to: 5000 })).toEqual({ from: -500, to: 5500 });
  });
});

describe("ticks()", () => {
  it("fall on round moments counted from the origin, far enough apart", () => {
    const marks = ticks({ from: 10_300, to: 13_300 }, 600, 10_000);
    expect(marks.map(({ label }) => plain(label))).toEqual([
      "0.5 s",
      "1.0 s",
      "1.5 s",
      "2.0 s",
      "2.5 s",
      "3.0 s",
    ]);
    expect(marks[0].at).toBe(10_500);
  });

  it("keep their distance at every scale, from half a millisecond to days", () => {
    for (let span = 0.5; span < 1e9; span *= 3.7) {
      const marks = ticks({ from: 0, to: span }, 1000, 0);
      expect(marks.length).toBeGreaterThanOrEqual(1);
      for (let i = 1; i < marks.length; i++)
        expect(((marks[i].at - marks[i - 1].at) / span) * 1000).toBeGreaterThanOrEqual(95.9);
      expect(new Set(marks.map(({ label }) => label)).size).toBe(marks.length);
    }
  });

  it("begin at the origin", () => {
    expect(ticks({ from: -5000, to: 5000 }, 1000, 0)[0]).toEqual({ at: 0, label: "0\u00a0s" });
  });
});

describe("clock() and length()", () => {
  it("are as exact as asked, and change units where one reads better", () => {
    expect(plain(clock(1234.5, 1))).toBe("1.234 s");
    expect(plain(clock(12_000, 1000))).toBe("12 s");
    expect(clock(65_000, 5000)).toBe("1:05");
    expect(clock(65_250, 50)).toBe("1:05.25");
    expect(clock(7_384_000, 1000)).toBe("2:03:04");
    expect([0, 0.34, 12.44, 443.2, 1251, 12_340, 200_000].map((ms) => plain(length(ms)))).toEqual([
      "0 s",
      "340 µs",
      "12.4 ms",
      "443 ms",
      "1.25 s",
      "12.3 s",
      "3 min 20 s",
    ]);
  });
});
