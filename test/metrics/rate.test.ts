import { describe, expect, it } from "vitest";
import { RecentRate } from "../../src/metrics/rate.ts";

describe("RecentRate", () => {
  it("is 0 before anything was counted", () => {
    expect(new RecentRate(2000, 0).perSecond(0)).toBe(0);
    expect(new RecentRate(2000, 0).perSecond(500)).toBe(0);
  });

  it("looks at the window alone", () => {
    const rate = new RecentRate(2000, 0);
    for (let at = 250; at <= 10_000; at += 250) rate.add(at <= 5000 ? 25 : 100, at);
    expect(rate.perSecond(10_000)).toBeCloseTo(400);
  });

  it("does not look idle between the heaps of a slow counter, and dwindles when none comes", () => {
    const rate = new RecentRate(2000, 0);
    rate.add(300, 3000);
    rate.add(300, 6000);
    expect(rate.perSecond(6000)).toBeCloseTo(100);
    expect(rate.perSecond(8500)).toBeCloseTo(300 / 5.5);
    expect(rate.perSecond(60_000)).toBeLessThan(10);
  });

  it("keeps few heaps however long it counts", () => {
    const rate = new RecentRate(2000, 0);
    for (let at = 0; at < 1e5; at++) rate.add(1, at);
    expect(rate.perSecond(1e5)).toBeCloseTo(1000, -1);
    expect(JSON.stringify(rate).length).toBeLessThan(100_000);
  });
});
