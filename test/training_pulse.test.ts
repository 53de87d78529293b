import { beforeEach, describe, expect, it } from "vitest";
import { parseRecipe } from "../src/config/parse.ts";
import type { Stages } from "../src/stages.ts";
import { type LoopPulse, PulseMeter } from "../src/training_pulse.ts";
import { makeGroup } from "./trainer/rollouts.ts";

const recipe = parseRecipe({
  model: "builtin:none",
  task: { name: "chain_sum" },
  trainer: { batchSize: 8, groupSize: 2 },
});
const quiet = {
  submittedGroups: 0,
  finishedCompletions: 0,
  lastSubmit: Number.NEGATIVE_INFINITY,
  decoding: 0,
  queued: 0,
  version: -1,
  tokensPerSecond: 0,
};

describe("PulseMeter", () => {
  let gauges = quiet;
  const verifier = { pending: 0, pendingCompletions: 0 };
  let trainer = { version: 0, busy: false, takenCompletions: 0, publishedAt: Number.NEGATIVE_INFINITY };
  let meter: PulseMeter;
  const read = (): LoopPulse => meter.read(0);
  beforeEach(() => {
    gauges = { ...quiet, version: 0 };
    trainer = { version: 0, busy: false, takenCompletions: 0, publishedAt: Number.NEGATIVE_INFINITY };
    const stages = {
      generator: { gauges: () => gauges },
      verifier,
      get trainer() {
        return trainer;
      },
    };
    // Five groups were done with before, two are started again.
    meter = new PulseMeter(recipe, stages as unknown as Stages, { step: 1, nextGroup: 7, inFlight: [5, 6] });
  });

  it("counts on where a resumed run was", () => {
    gauges = { ...gauges, submittedGroups: 3, finishedCompletions: 4 };
    meter.arrived(makeGroup(5, [1, 0]), true);
    expect(read()).toMatchObject({
      problemsStarted: 8,
      generated: 14,
      scored: 12,
      collected: 2,
      batchSize: 8,
    });
  });

  it("collects what has signal until the trainer takes it or it is too old", () => {
    for (const id of [7, 8, 9, 10, 11, 12]) meter.arrived(makeGroup(id, [1, 0]), id !== 9);
    expect(read().collected).toBe(10);
    trainer.takenCompletions = 8;
    expect(read().collected).toBe(2);
    meter.tooOld(1);
    expect(read().collected).toBe(0);
  });

  it("tells work from waiting, and waiting from rest", () => {
    expect(new Set(Object.values(read().activity))).toEqual(new Set(["idle"]));
    meter.training = true;
    expect(read().activity).toMatchObject({ generator: "waiting", trainer: "waiting", tasks: "idle" });
    gauges = { ...gauges, decoding: 3, lastSubmit: performance.now() };
    trainer.busy = true;
    expect(read().activity).toMatchObject({
      generator: "busy",
      trainer: "busy",
      tasks: "busy",
      weights: "idle",
    });
    // A version on its way to a generator that is decoding.
    trainer.version = 1;
    expect(read().activity.weights).toBe("busy");
    gauges = { ...gauges, decoding: 0 };
    expect(read().activity.weights).toBe("idle");
    trainer.publishedAt = performance.now();
    expect(read().activity.weights).toBe("busy");
  });
});
