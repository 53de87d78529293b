import { describe, expect, it } from "vitest";
import { Player, STEP_MS } from "../../../src/ui/shell/player.ts";
import type { RecordedRun, RolloutRow, TraceEvent } from "../../../src/ui/state/records.ts";
import { RunFeed } from "../../../src/ui/state/run_feed.ts";

const rollout = (step: number, id: number) => ({ step, id, group: step, prompt: "1 + 1 =" }) as RolloutRow;

function recording(length: number, trace: TraceEvent[] = []): RecordedRun {
  const steps = Array.from({ length }, (_, index) => ({
    step: index + 1,
    reward: index / length,
    "batch/groups_per_step": 4,
    "batch/samples_per_step": 32,
    "trainer/idle_ratio": 0.5,
  }));
  return {
    name: "recorded",
    recipe: { steps: length },
    adapter: "an adapter",
    steps,
    evaluations: [
      { step: 0, when: "before", metrics: { "pass@1": 0.4 }, samples: [] },
      { step: 2, when: "during", metrics: { "pass@1": 0.6 }, samples: [] },
      { step: length, when: "after", metrics: { "pass@1": 0.9 }, samples: [] },
    ],
    turned: [{ step: 3, knobs: { temperature: 0.8 } }],
    rollouts: steps.flatMap(({ step }) => [rollout(step, step * 10), rollout(step, step * 10 + 1)]),
    trace,
    summary: null,
  };
}

const stepsOf = ({ feed }: Player) => feed.steps.map(({ step }) => step);

/** Lets time pass in the page's ticks. */
function wait(player: Player, ms: number): void {
  for (let passed = 0; passed < ms; passed += 100) player.advance(Math.min(100, ms - passed));
}

describe("Player", () => {
  it("plays a stored run again in its own feed, from its end or from any step, with all its rows", () => {
    const run = recording(5);
    const feed = RunFeed.of(run, "stored");
    const before = JSON.stringify([feed.steps, feed.rollouts, feed.evaluations, feed.turned]);
    const player = new Player(run, feed);
    expect([player.position.value, feed.steps.length, feed.phase.value]).toEqual([5, 5, "done"]);
    player.play();
    expect(feed.steps).toEqual([]);
    wait(player, 2 * STEP_MS + 50);
    expect(stepsOf(player)).toEqual([1, 2]);
    player.seek(5);
    expect(JSON.stringify([feed.steps, feed.rollouts, feed.evaluations, feed.turned])).toBe(before);
    expect(feed.phase.value).toBe("done");
  });

  it("shows nothing but the evaluation before training until it plays", () => {
    const player = new Player(recording(5));
    wait(player, 3000);
    expect(stepsOf(player)).toEqual([]);
    expect(player.feed.evaluations.map(({ when }) => when)).toEqual(["before"]);
    expect(player.feed.phase.value).toBe("paused");
  });

  it("feeds a step about every 0.7 seconds, with its rollouts", () => {
    const player = new Player(recording(5));
    player.play();
    wait(player, 2 * STEP_MS + 50);
    expect(stepsOf(player)).toEqual([1, 2]);
    expect(player.feed.rollouts.map(({ id }) => id)).toEqual([10, 11, 20, 21]);
    expect(player.feed.phase.value).toBe("training");
  });

  it("ends at the last step and does not begin again by itself", () => {
    const player = new Player(recording(4));
    player.play();
    wait(player, 10 * STEP_MS);
    expect(stepsOf(player)).toEqual([1, 2, 3, 4]);
    expect(player.playing.value).toBe(false);
    expect(player.feed.phase.value).toBe("done");
    expect(player.feed.evaluations.map(({ when }) => when)).toEqual(["before", "during", "after"]);
  });

  it("plays from the start when it is told to play at the end", () => {
    const player = new Player(recording(4));
    player.seek(4);
    player.play();
    expect(stepsOf(player)).toEqual([]);
    wait(player, STEP_MS + 50);
    expect(stepsOf(player)).toEqual([1]);
  });

  it("plays faster by its speed", () => {
    const player = new Player(recording(20));
    player.speed.value = 4;
    player.play();
    wait(player, STEP_MS + 20);
    expect(stepsOf(player)).toHaveLength(4);
  });

  it("tells of every end of a run that was trained on after its end when its step comes", () => {
    const once = recording(4);
    const run = recording(8);
    run.evaluations = [...once.evaluations, ...run.evaluations.slice(2)];
    const player = new Player(run);
    player.seek(4);
    expect(player.feed.evaluations.map(({ step, when }) => [step, when])).toEqual([
      [0, "before"],
      [2, "during"],
      [4, "after"],
    ]);
    player.seek(8);
    expect(player.feed.evaluations).toEqual(run.evaluations);
  });

  it("takes back what comes after the step it goes back to", () => {
    const player = new Player(recording(5));
    player.seek(5);
    player.seek(2);
    expect(stepsOf(player)).toEqual([1, 2]);
    expect(player.feed.rollouts.every(({ step }) => step <= 2)).toBe(true);
    expect(player.feed.evaluations.map(({ when }) => when)).toEqual(["before", "during"]);
    expect(player.feed.turned).toEqual([]);
    player.seek(3);
    expect(stepsOf(player)).toEqual([1, 2, 3]);
    expect(player.feed.turned).toHaveLength(1);
  });

  it("goes to the end of the step that is played by a single step, and rests there", () => {
    const player = new Player(recording(5));
    player.play();
    wait(player, 1.5 * STEP_MS);
    player.stepOnce();
    expect(player.position.value).toBe(2);
    wait(player, 2000);
    expect(stepsOf(player)).toEqual([1, 2]);
  });

  it("does not make up for the time that a tab slept", () => {
    const player = new Player(recording(50));
    player.play();
    player.advance(60_000);
    expect(player.position.value).toBeLessThan(1);
  });

  it("tells trace events when their step is played, and takes them back", () => {
    const slice = (step: number): TraceEvent => ({
      kind: "slice",
      track: "trainer",
      name: "forward",
      start: step * 100 - 60,
      end: step * 100,
      details: { step },
    });
    const player = new Player(recording(4, [4, 2, 3, 1].map(slice)));
    player.seek(2);
    expect(player.feed.trace.map((event) => event.kind === "slice" && event.details?.step)).toEqual([1, 2]);
    player.seek(4);
    expect(player.feed.trace).toHaveLength(4);
    player.seek(1);
    expect(player.feed.trace).toHaveLength(1);
  });
});
