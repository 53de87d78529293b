import { describe, expect, it } from "vitest";
import { type LoopStatus, LoopWatch } from "../../../src/ui/shell/loop_watch.ts";
import type { LoopPulse, StageActivity, StageName } from "../../../src/ui/state/records.ts";

const pulse = (activity: Partial<Record<StageName, StageActivity>>) =>
  ({
    activity: {
      tasks: "busy",
      generator: "busy",
      verifier: "idle",
      trainer: "busy",
      weights: "idle",
      ...activity,
    },
  }) as LoopPulse;

/** Ten seconds in which the trainer waits for a share of the time, in turns. */
function watchTrainerWait(share: number, rest: Partial<Record<StageName, StageActivity>> = {}): LoopStatus {
  const watch = new LoopWatch();
  let status!: LoopStatus;
  for (let tick = 0; tick < 100; tick++)
    status = watch.observe(pulse({ ...rest, trainer: tick % 10 < share * 10 ? "waiting" : "busy" }), 100);
  return status;
}

describe("LoopWatch", () => {
  it("calls the generator the bottleneck where the trainer waits and the generator does not", () => {
    const status = watchTrainerWait(0.7);
    expect(status.bottleneck).toBe("generator");
    expect(status.stages).toMatchObject({ trainer: "waits", generator: "bottleneck" });
    expect(status.sentence).toBe("Right now the trainer waits 70\u00a0% of the time for the generator.");
  });

  it("calls the verifier the bottleneck where it is the busy one", () => {
    expect(watchTrainerWait(0.7, { generator: "waiting", verifier: "busy" }).bottleneck).not.toBe(
      "generator",
    );
    expect(watchTrainerWait(1, { generator: "idle", verifier: "busy" }).bottleneck).toBe("verifier");
  });

  it("calls the trainer the bottleneck where the generator waits", () => {
    const status = watchTrainerWait(0, { generator: "waiting" });
    expect(status.bottleneck).toBe("trainer");
    expect(status.stages.generator).toBe("waits");
  });

  it("finds no bottleneck where both keep pace", () => {
    const status = watchTrainerWait(0);
    expect(status.bottleneck).toBeNull();
    expect(status.sentence).toMatch(/keep pace/);
  });

  it("says that both wait in turns where neither is the one that is waited for", () => {
    expect(watchTrainerWait(1, { generator: "waiting" })).toMatchObject({
      bottleneck: null,
      sentence: "Generator and trainer wait for each other in turns.",
    });
  });

  it("says nothing of a stage that was seen for a moment only", () => {
    const status = new LoopWatch().observe(pulse({ trainer: "waiting" }), 200);
    expect(status).toMatchObject({ bottleneck: null, sentence: "" });
    expect(status.stages.trainer).toBe("rests");
  });

  it("does not flicker: a label that is on stays on a little below where it comes", () => {
    const watch = new LoopWatch();
    for (let tick = 0; tick < 100; tick++) watch.observe(pulse({ trainer: "waiting" }), 100);
    const seen = new Set<string>();
    for (let tick = 0; tick < 200; tick++)
      seen.add(watch.observe(pulse({ trainer: tick % 2 ? "waiting" : "busy" }), 100).stages.trainer);
    expect([...seen]).toEqual(["waits"]);
  });

  it("never says of tasks or weights that they wait", () => {
    const watch = new LoopWatch();
    const { stages } = watch.observe(pulse({ tasks: "waiting", weights: "waiting" }), 20_000);
    expect(stages.tasks).not.toBe("waits");
    expect(stages.weights).not.toBe("waits");
  });

  it("says that stages rest when nobody asks anything of them", () => {
    const idle = { tasks: "idle", generator: "idle", verifier: "idle", trainer: "idle" } as const;
    const status = new LoopWatch().observe(pulse(idle), 0);
    expect(Object.values(status.stages)).toEqual(Array(5).fill("rests"));
    expect(status.sentence).toBe("");
  });
});
