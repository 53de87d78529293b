import { describe, expect, it } from "vitest";
import { batchShare, stageWords, stepsAskedFor } from "../../../src/ui/shell/strip_stages.ts";
import { type LoopPulse, STAGES } from "../../../src/ui/state/records.ts";

const pulse = {
  problemsStarted: 1472,
  decoding: 80,
  queued: 176,
  verifying: 8,
  collected: 192,
  batchSize: 256,
  trainerVersion: 12,
  generatorVersion: 11,
  scored: 5760,
} as LoopPulse;

describe("stageWords()", () => {
  it("says of each stage what it does, in the loop's order", () => {
    const words = stageWords(pulse, { done: 6, of: 30 });
    expect(words.map(({ stage }) => stage)).toEqual([...STAGES]);
    expect(words.map(({ number, counts }) => `${number} ${counts}`)).toEqual([
      "1,472 problems",
      "80 decoding",
      "5,760 checked",
      "6 of 30 steps",
      "v12 newest",
    ]);
  });

  it("puts what waits on the arrows", () => {
    expect(
      stageWords(pulse, { done: 6, of: 30 }).map(({ queue }) => queue && `${queue.number} ${queue.counts}`),
    ).toEqual(["176 queued", "8 to check", "192/256 in batch", null, null]);
  });

  it("has dashes where nothing is known", () => {
    expect(stageWords(null, { done: 0, of: 0 }).map(({ number }) => number)).toEqual([
      "–",
      "–",
      "–",
      "–",
      "–",
    ]);
  });
});

describe("batchShare()", () => {
  it("is a share, also of no batch", () => {
    expect(batchShare(pulse)).toBe(0.75);
    expect(batchShare({ ...pulse, collected: 300 })).toBe(1);
    expect(batchShare({ ...pulse, batchSize: 0 })).toBe(0);
    expect(batchShare(null)).toBe(0);
  });
});

describe("stepsAskedFor()", () => {
  it("reads the recipe's steps", () => {
    expect(stepsAskedFor({ steps: 30 })).toBe(30);
    expect(stepsAskedFor({})).toBe(0);
  });
});
