import { describe, expect, it } from "vitest";
import type { StoredRun } from "../../../src/ui/session/api.ts";
import {
  byTime,
  canGoOn,
  endOf,
  interruptedRun,
  runLine,
  whenSaved,
} from "../../../src/ui/shell/run_list.ts";

const run = (more: Partial<StoredRun> = {}): StoredRun => ({
  name: "run",
  recipe: "default",
  steps: 12,
  of: 30,
  savedAt: 0,
  checkpoint: 10,
  ended: true,
  bytes: 3 * 2 ** 20,
  ...more,
});
const resting = { training: false };

describe("stored runs", () => {
  it("can go on from a checkpoint while steps are left", () => {
    expect(canGoOn(run())).toBe(true);
    expect(canGoOn(run({ checkpoint: null }))).toBe(false);
    expect(canGoOn(run({ steps: 30, checkpoint: 30 }))).toBe(false);
    expect(canGoOn(run({ problem: "a file is missing" }))).toBe(false);
    // Cut after the last step, before its checkpoint was whole.
    expect(canGoOn(run({ steps: 30, checkpoint: 25 }))).toBe(true);
    expect(canGoOn(run({ training: true }))).toBe(false);
  });

  it("tell how they ended", () => {
    expect(endOf(run({ steps: 30 }), resting)).toBe("finished");
    expect(endOf(run(), resting)).toBe("stopped and saved");
    expect(endOf(run({ ended: false }), resting)).toBe("cut off");
    expect(endOf(run({ ended: false }), { training: true })).toBe("training");
    expect(endOf(run({ ended: false, training: true }), { training: true })).toBe("training");
    expect(endOf(run({ ended: false, training: true }), resting)).toBe("training in another tab");
    expect(endOf(run({ problem: "a file is missing" }), resting)).toBe("damaged");
  });

  it("are listed newest first", () => {
    const runs = [
      run({ name: "a", savedAt: 1 }),
      run({ name: "b", savedAt: 3 }),
      run({ name: "c", savedAt: 2 }),
    ];
    expect(byTime(runs).map(({ name }) => name)).toEqual(["b", "c", "a"]);
  });

  it("name steps and size", () => {
    expect(runLine(run())).toBe("12 of 30 steps · 3.0\u00a0MiB");
  });

  it("say today's time alone, and the day of others", () => {
    const noon = new Date(2026, 4, 12, 12, 0).getTime();
    expect(whenSaved(noon, noon + 3_600_000, "en-GB")).toBe("today, 12:00");
    expect(whenSaved(noon, noon + 48 * 3_600_000, "en-GB")).toBe("12 May, 12:00");
  });
});

describe("interruptedRun()", () => {
  it("offers the newest one that was cut off and can go on", () => {
    const runs = [
      run({ name: "old", ended: false, savedAt: 1 }),
      run({ name: "cut", ended: false, savedAt: 2 }),
      run({ name: "stopped", savedAt: 3 }),
      run({ name: "lost", ended: false, checkpoint: null, savedAt: 4 }),
    ];
    expect(interruptedRun(runs, null)?.name).toBe("cut");
    expect(interruptedRun(runs, "cut")?.name).toBe("old");
    expect(interruptedRun([run()], null)).toBeNull();
    // Another tab trains it: nothing cut it off.
    expect(interruptedRun([run({ ended: false, training: true })], null)).toBeNull();
  });
});
