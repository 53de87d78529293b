import { describe, expect, it } from "vitest";
import { hiddenNotice } from "../../../src/ui/shell/hidden_tab.ts";

const steps = (...times: number[]) => times.map((step_time) => ({ step_time }));

describe("hiddenNotice()", () => {
  it("tells how much slower steps were while the tab was hidden", () => {
    expect(hiddenNotice(steps(2, 2, 2, 5, 5), 3, 90)).toMatch(
      /hidden for 1\u00a0min 30\u00a0s and the browser slowed it: 2 steps, 5\.0\u00a0s a step instead of 2\.0\u00a0s/,
    );
  });

  it("says nothing where the pace held", () => {
    expect(hiddenNotice(steps(2, 2, 2, 2.2, 2.1), 3, 90)).toBeNull();
  });

  it("says that nothing was finished where a step was due", () => {
    expect(hiddenNotice(steps(2, 2), 2, 60)).toMatch(/no step was finished/);
    expect(hiddenNotice(steps(50, 50), 2, 60)).toBeNull();
    // An evaluation takes as long as it takes.
    expect(hiddenNotice(steps(2, 2), 2, 60, false)).toBeNull();
  });

  it("draws nothing from a short absence or without steps before it", () => {
    expect(hiddenNotice(steps(1, 9), 1, 5)).toBeNull();
    expect(hiddenNotice(steps(9, 9), 0, 60)).toBeNull();
  });
});
