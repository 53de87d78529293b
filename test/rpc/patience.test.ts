import { describe, expect, it } from "vitest";
import { WorkerError } from "../../src/errors.ts";
import { Patience } from "../../src/rpc/patience.ts";

describe("Patience", () => {
  const watched = (leastMs?: number) => {
    const limits: number[] = [];
    const patience = new Patience({ watch: (ms) => void limits.push(ms) }, leastMs);
    return { limits, patience };
  };

  it("watches from the first work on, and grows with the longest", () => {
    const { limits, patience } = watched();
    expect(limits).toEqual([]);
    for (const ms of [5, 900, 40, 7000, 6999, 7001]) patience.worked(ms);
    // A minute, then twenty times the longest: no step on a slow software adapter is cut off.
    expect(limits).toEqual([60_000, 140_000, 140_020]);
  });

  it("dates a death of silence back to the last sign of life", () => {
    const { patience } = watched(1000);
    patience.worked(10);
    expect(patience.lastWell(new WorkerError("worker/silent", ""), 5000)).toBe(4000);
    expect(patience.lastWell(new WorkerError("worker/terminated", ""), 5000)).toBe(5000);
    expect(patience.lastWell("gone", 5000)).toBe(5000);
  });
});
