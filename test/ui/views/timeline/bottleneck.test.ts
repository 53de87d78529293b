import { describe, expect, it } from "vitest";
import { coveredShare, type TraceEvent } from "../../../../src/metrics/trace.ts";
import { bottleneckOf, percent } from "../../../../src/ui/views/timeline/bottleneck.ts";
import { known, sharesOf } from "../../../../src/ui/views/timeline/shares.ts";
import { TraceIndex } from "../../../../src/ui/views/timeline/trace_index.ts";
import { syntheticTrace } from "./synthetic_trace.ts";

const MINUTE = { from: 0, to: 60_000 };

/** Tracks as rows of slices that follow each other, in thousandths of a minute. */
function told(tracks: Record<string, [name: string, share: number][]>) {
  const events: TraceEvent[] = [];
  for (const [track, slices] of Object.entries(tracks)) {
    let at = 0;
    for (const [name, share] of slices) {
      const end = at + share * 60_000;
      if (name !== "") events.push({ kind: "slice", track, name, start: at, end });
      at = end;
    }
  }
  const index = new TraceIndex();
  index.sync(events);
  return bottleneckOf(sharesOf(index, MINUTE), 60_000, "the last minute");
}

const plain = (sentence: string) => sentence.replaceAll("\u00a0", " ");

describe("bottleneckOf()", () => {
  it("names the generator when the trainer waits for rollouts", () => {
    const { stage, sentence } = told({
      trainer: [
        ["wait for rollouts", 0.38],
        ["forward", 0.2],
        ["backward", 0.38],
        ["optimiser", 0.04],
      ],
      "generator 0": [["decode", 1]],
      "verifier 0": [["verify", 0.1]],
    });
    expect(stage).toBe("generator");
    expect(plain(sentence)).toBe(
      "Trainer waited 38 % of the last minute for rollouts: the generator is the bottleneck.",
    );
  });

  it("names the trainer when generators have nothing to do, the mean of them", () => {
    const { stage, sentence } = told({
      trainer: [["forward, backward, optimiser", 1]],
      "generator 0": [
        ["decode", 0.5],
        ["wait", 0.5],
      ],
      "generator 1": [
        ["decode", 0.7],
        ["wait", 0.3],
      ],
    });
    expect(stage).toBe("trainer");
    expect(plain(sentence)).toBe(
      "Generators waited 40 % of the last minute for prompts: the trainer is the bottleneck.",
    );
  });

  it("counts time without any slice as rest", () => {
    const { stage, sentence } = told({
      trainer: [["forward, backward, optimiser", 1]],
      "generator 0": [["decode", 0.75]],
    });
    expect(stage).toBe("trainer");
    expect(plain(sentence)).toBe("Generator rested 25 % of the last minute: the trainer is the bottleneck.");
  });

  it("names the verifier where it is full and those around it are not", () => {
    const verifier: [string, number][] = [["verify", 0.97]];
    const waits = told({
      trainer: [
        ["wait for rollouts", 0.5],
        ["forward, backward, optimiser", 0.5],
      ],
      "generator 0": [["decode", 0.6]],
      "verifier 0": verifier,
    });
    const rests = told({
      trainer: [["forward, backward, optimiser", 0.6]],
      "generator 0": [["decode", 0.3]],
      "verifier 0": verifier,
    });
    expect([waits.stage, rests.stage]).toEqual(["verifier", "verifier"]);
  });

  it("says that a loop in lockstep takes turns", () => {
    const { stage, sentence } = told({
      trainer: [
        ["wait for rollouts", 0.6],
        ["forward, backward, optimiser", 0.4],
      ],
      "generator 0": [
        ["decode", 0.6],
        ["wait", 0.4],
      ],
    });
    expect(stage).toBe("generator");
    expect(plain(sentence)).toContain("the generator is the bottleneck, and the two take turns.");
  });

  it("blames nobody when all work, when an evaluation runs, or when there is nothing", () => {
    const busy = told({
      trainer: [["forward, backward, optimiser", 0.98]],
      "generator 0": [["decode", 0.99]],
    });
    expect(busy.stage).toBeNull();
    expect(busy.sentence).toContain("nothing holds the loop up");
    const evaluated = told({
      trainer: [
        ["wait for evaluation", 0.7],
        ["wait for rollouts", 0.1],
      ],
      "generator 0": [["decode", 1]],
    });
    expect(evaluated.stage).toBeNull();
    expect(plain(evaluated.sentence)).toBe("Evaluation took 70 % of the last minute; the trainer waited.");
    const short = told({
      trainer: [
        ["wait for evaluation", 0.1],
        ["forward, backward, optimiser", 0.9],
      ],
      "generator 0": [
        ["decode", 0.4],
        ["wait", 0.6],
      ],
    });
    expect(short.stage).toBe("trainer");
    expect(told({}).sentence).toBe("Nothing was traced in the last minute.");
  });

  it("says the same whatever the tracks of GPUs show", () => {
    const workers: Record<string, [string, number][]> = {
      trainer: [
        ["wait for rollouts", 0.38],
        ["forward, backward, optimiser", 0.62],
      ],
      "generator 0": [["decode", 1]],
    };
    const gpus: Record<string, [string, number][]> = {
      "GPU of the trainer": [["compute", 0.1]],
      "GPU of generator 0": [["compute", 0.2]],
    };
    expect(told({ ...workers, ...gpus })).toEqual(told(workers));
  });

  it("needs no generator's track, as in a trace of the trainer alone", () => {
    const { stage, sentence } = told({
      trainer: [
        ["wait for rollouts", 0.2],
        ["publish", 0.8],
      ],
    });
    expect(stage).toBe("generator");
    expect(plain(sentence)).toContain("Trainer waited 20 %");
  });
});

describe("sharesOf()", () => {
  it("agrees with coveredShare() on every track, activity and span", () => {
    const events = syntheticTrace({ steps: 15, origin: 0 });
    const index = new TraceIndex();
    index.sync(events);
    for (const span of [
      { from: 0, to: 3000 },
      { from: 1234, to: 4321 },
      { from: 5000, to: 5100 },
    ])
      for (const { track, activities, busy, waiting, idle } of sharesOf(index, span)) {
        for (const { name, time } of activities)
          expect(time / (span.to - span.from)).toBeCloseTo(coveredShare(events, track.name, name, span), 6);
        expect(busy + waiting + idle).toBeCloseTo(span.to - span.from, 6);
      }
  });

  it("counts nested slices once, and a wait beside work as work", () => {
    const index = new TraceIndex();
    index.sync([
      { kind: "slice", track: "trainer", name: "step", start: 0, end: 80 },
      { kind: "slice", track: "trainer", name: "forward", start: 10, end: 60 },
      { kind: "slice", track: "trainer", name: "wait", start: 70, end: 90 },
    ]);
    const [share] = sharesOf(index, { from: 0, to: 100 });
    expect([share.busy, share.waiting, share.idle]).toEqual([80, 10, 10]);
    expect(known(index, { from: -50, to: 500 })).toEqual({ from: 0, to: 90 });
  });
});

describe("percent()", () => {
  it("does not round something to nothing", () => {
    expect([0, 0.001, 0.38].map((share) => plain(percent(share)))).toEqual(["0 %", "< 1 %", "38 %"]);
  });
});
