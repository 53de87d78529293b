import { describe, expect, it } from "vitest";
import { RunControl } from "../src/control.ts";

describe("RunControl", () => {
  it("gathers what was turned until it is taken, the newest value of each", () => {
    const control = new RunControl();
    expect(control.takeTurned()).toBeNull();
    control.turn({ temperature: 0.8, learningRate: 1e-4 });
    control.turn({ temperature: 0.7 });
    expect(control.takeTurned()).toEqual({ temperature: 0.7, learningRate: 1e-4 });
    expect(control.takeTurned()).toBeNull();
  });

  it("turns nothing to what a recipe may not say", () => {
    const control = new RunControl();
    for (const knobs of [{ temperature: 0 }, { epsilonHigh: -1 }, { learningRate: Number.NaN }]) {
      expect(() => control.turn({ temperature: 0.8, ...knobs })).toThrow(
        expect.objectContaining({ code: "config/out-of-range" }),
      );
    }
    const other = { groupSize: 3 } as Record<string, number>;
    expect(() => control.turn({ temperature: 0.8, ...other })).toThrow(
      expect.objectContaining({ code: "config/unknown-key" }),
    );
    expect(control.takeTurned()).toBeNull();
  });

  it("permits steps one by one, and all again once resumed", async () => {
    const told: boolean[] = [];
    const control = new RunControl((resting) => told.push(resting));
    await control.permit();
    control.step(2);
    await control.permit();
    await control.permit();
    expect(told).toEqual([]);
    const third = control.permit();
    expect(told).toEqual([true]);
    control.step();
    await third;
    expect(told).toEqual([true, false]);
    const fourth = control.permit();
    control.resume();
    await fourth;
    expect(control.paused).toBe(false);
    await control.permit();
  });

  it("lets nobody wait who is to stop", async () => {
    const control = new RunControl();
    control.pause();
    const stop = new AbortController();
    const waiting = control.permit(stop.signal);
    stop.abort();
    await waiting;
    await control.permit(stop.signal);
  });
});
