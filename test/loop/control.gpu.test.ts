import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunControl } from "../../src/control.ts";
import { openDiskStorage } from "../../src/runs/disk.ts";
import { readRecordedRun } from "../../src/runs/recorded_run.ts";
import { openRun } from "../../src/runs/run_directory.ts";
import type { TrainingEvent } from "../../src/training.ts";
import { hasModel, recordWorkers, removeFolders, tinyRecipe, train, weightsOf } from "./tiny.ts";

/** Batches of two groups of four. */
const recipeOf = (settings: Record<string, unknown>) =>
  tinyRecipe({ trainer: { batchSize: 8 }, ...settings });

afterAll(removeFolders);

let workers: ReturnType<typeof recordWorkers>;
beforeEach(() => {
  workers = recordWorkers();
});
afterEach(() => workers.restore());

const recorded = async (folder: string) => readRecordedRun(await openRun(openDiskStorage(folder)), "tiny");
const stepsOf = (events: TrainingEvent[]) =>
  events.flatMap((event) => (event.kind === "stepped" ? [event.step] : []));

/** A control whose rests can be awaited: `resting(n)` resolves as soon as the run has come to rest n times. */
function watched() {
  let rests = 0;
  let wake: () => void = () => undefined;
  const control = new RunControl((resting) => {
    if (resting) rests++;
    wake();
  });
  const resting = async (times: number) => {
    while (rests < times)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  };
  return { control, resting };
}

describe.skipIf(!hasModel)("a run under control", () => {
  it("pauses, takes single steps and goes on, and ends as if it had not been touched", async () => {
    const recipe = recipeOf({ mode: "sync", steps: 4 });
    const untouched = await train(recipe);
    const { control, resting } = watched();
    control.pause();
    const events: TrainingEvent[] = [];
    const training = train(recipe, { control, onEvent: (event) => events.push(event) });
    await resting(1);
    expect(stepsOf(events)).toEqual([]);
    control.step();
    await resting(2);
    expect(stepsOf(events)).toEqual([1]);
    control.step(2);
    await resting(3);
    expect(stepsOf(events)).toEqual([1, 2, 3]);
    expect(control.paused).toBe(true);
    control.resume();
    const { folder, summary, metrics } = await training;
    expect(summary).toMatchObject({ steps: 4, interrupted: false });
    expect((await weightsOf(folder, 4)).equals(await weightsOf(untouched.folder, 4))).toBe(true);
    // The time at rest is nobody's.
    for (const row of metrics) expect(row.step_time as number).toBeLessThan(30);
  });

  it("stops and saves while it is paused", async () => {
    const { control, resting } = watched();
    const stop = new AbortController();
    const training = train(recipeOf({ steps: 4 }), {
      control,
      signal: stop.signal,
      onEvent: (event) => {
        if (event.kind === "stepped" && event.step === 2) control.pause();
      },
    });
    await resting(1);
    stop.abort();
    const { folder, summary } = await training;
    expect(summary).toMatchObject({ steps: 2, interrupted: true });
    expect((await weightsOf(folder, 2)).byteLength).toBeGreaterThan(0);
  });

  it("writes down when it was ready and what was turned", async () => {
    const control = new RunControl();
    const { folder, events } = await train(recipeOf({ mode: "sync", steps: 3 }), {
      control,
      onEvent: (event) => {
        if (event.kind === "stepped" && event.step === 1)
          control.turn({ learningRate: 5e-4, temperature: 0.9 });
        if (event.kind === "stepped" && event.step === 2) control.turn({ epsilonHigh: 0.4 });
      },
    });
    const turned = [
      { step: 1, knobs: { learningRate: 5e-4, temperature: 0.9 } },
      { step: 2, knobs: { epsilonHigh: 0.4 } },
    ];
    expect(events.filter(({ kind }) => kind === "turned")).toMatchObject(turned);
    const run = await recorded(folder);
    expect(run.adapter.length).toBeGreaterThan(3);
    expect(run.turned).toEqual(turned);
    expect(run.steps.map((row) => [row.learning_rate, row.epsilon_high])).toEqual([
      [1e-3, 0.28],
      [5e-4, 0.28],
      [5e-4, 0.4],
    ]);
    // The trainer reckons with the temperature that each completion was sampled at.
    for (const { ratios } of run.rollouts)
      for (const ratio of ratios) expect(Math.abs(ratio - 1)).toBeLessThan(2e-4);
    // Rows of events are no steps, and a resumed run is ready once more.
    const rest = await train(recipeOf({ mode: "sync", steps: 4 }), { resume: folder });
    expect(rest.metrics.map((row) => row.step)).toEqual([1, 2, 3, 4]);
    const rows = await (await openRun(openDiskStorage(folder))).readMetrics();
    expect(rows.flatMap(({ event, step }) => (event ? [[event, step]] : []))).toEqual([
      ["ready", 0],
      ["turned", 1],
      ["turned", 2],
      ["ready", 3],
    ]);
  });

  it("keeps what was turned when the trainer begins again before it", async () => {
    const control = new RunControl();
    const { folder, metrics } = await train(recipeOf({ steps: 3 }), {
      control,
      onEvent: (event) => {
        if (event.kind !== "stepped") return;
        const isFirst = workers.of("trainer").length === 1;
        if (event.step === 1 && isFirst) control.turn({ learningRate: 5e-4 });
        if (event.step === 2 && isFirst) workers.of("trainer")[0].terminate();
      },
    });
    expect(workers.of("trainer")).toHaveLength(2);
    // Without a checkpoint it begins at the model.
    expect((await recorded(folder)).turned).toEqual([{ step: 0, knobs: { learningRate: 5e-4 } }]);
    expect(metrics.map((row) => row.learning_rate)).toEqual([5e-4, 5e-4, 5e-4]);
  });
});
