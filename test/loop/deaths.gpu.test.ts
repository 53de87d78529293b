import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { latestCheckpoint } from "../../src/runs/checkpoint.ts";
import { openDiskStorage } from "../../src/runs/disk.ts";
import type { Stages } from "../../src/stages.ts";
import type { TrainingEvent } from "../../src/training.ts";
import {
  caught,
  hasModel,
  loop,
  recordWorkers,
  removeFolders,
  tinyRecipe,
  train,
  weightsOf,
} from "./tiny.ts";

let workers: ReturnType<typeof recordWorkers>;
beforeEach(() => {
  workers = recordWorkers();
});
afterEach(() => workers.restore());
afterAll(removeFolders);

/** Batches of two groups of four. */
const recipeOf = (settings: Record<string, unknown>) =>
  tinyRecipe({ trainer: { batchSize: 8 }, ...settings });
const sync = recipeOf({ mode: "sync" });
let whole: Promise<Buffer> | undefined;
/** What the sync run ends with when nobody dies. */
const wholeWeights = () => {
  whole ??= train(sync).then(({ folder }) => weightsOf(folder, 3));
  return whole;
};
const restarted = (events: TrainingEvent[]) =>
  events.flatMap((event) => (event.kind === "restarted" ? [event.worker] : []));
/** Kills the newest worker of a stage a little after each of the given steps, once each. */
const killAfter = (stage: string, ...steps: number[]) => {
  const left = new Set(steps);
  return (event: TrainingEvent) => {
    if (event.kind === "stepped" && left.delete(event.step))
      setTimeout(() => workers.of(stage).at(-1)!.terminate(), 150);
  };
};

describe.skipIf(!hasModel)("a generator that dies", () => {
  it("is started again, and the run ends as if it had not", async () => {
    const whole = await wholeWeights();
    const hurt = await train(sync, { onEvent: killAfter("generator", 1) });
    expect(restarted(hurt.events)).toEqual(["generator 0"]);
    expect(hurt.summary.steps).toBe(3);
    expect((await weightsOf(hurt.folder, 3)).equals(whole)).toBe(true);
  });

  it("goes on after the loss of its device in mid-sequence, in async mode too", async () => {
    const { end, steps, restarts } = await loop(recipeOf({ steps: 4 }), {
      prepare: (stages) =>
        stages.generator.onGroup((group) => {
          if (group.groupId === 1) void stages.generator.loseDevice(0);
        }),
    });
    expect(restarts).toMatchObject([{ worker: "generator 0", cause: { code: "gpu/lost" } }]);
    expect(end.step).toBe(4);
    const ids = steps.flatMap(({ groups }) => groups.map(({ groupId }) => groupId));
    expect(new Set(ids).size).toBe(8);
  });

  it("ends the run at its second death within a minute, with every step saved", async () => {
    const recipe = recipeOf({ steps: 4 });
    const folder: string[] = [];
    const events: TrainingEvent[] = [];
    const kill = killAfter("generator", 1);
    const failing = train(recipe, {
      onFolder: (path) => folder.push(path),
      onEvent: (event) => {
        events.push(event);
        if (event.kind === "restarted") workers.of("generator").at(-1)!.terminate();
        kill(event);
      },
    });
    const error = await caught(failing);
    expect(error).toMatchObject({ code: "generator/died-twice" });
    expect(error.message).toContain("was terminated");
    expect(error.hint).toContain("--resume");
    const reached = events.flatMap((event) => (event.kind === "stepped" ? [event.step] : [])).at(-1)!;
    expect(reached).toBeGreaterThanOrEqual(1);
    expect((await latestCheckpoint(openDiskStorage(folder[0])))?.state.step).toBe(reached);
    const rest = await train(recipe, { resume: folder[0] });
    expect(rest.summary.steps).toBe(4);
    expect(rest.metrics.map((row) => row.step)).toEqual([1, 2, 3, 4]);
  });
});

describe.skipIf(!hasModel)("a worker that is killed without a word", () => {
  it.each([["generator", "generator 0"], ["trainer"]])(
    "is noticed at once (%s)",
    async (stage, name = stage) => {
      let killed = 0;
      let noticedAfter = Number.POSITIVE_INFINITY;
      const { events, summary } = await train(recipeOf({ steps: 4, checkpoint: { every: 1 } }), {
        onEvent: (event) => {
          if (event.kind === "restarted") noticedAfter = performance.now() - killed;
          if (event.kind !== "stepped" || event.step !== 2 || killed > 0) return;
          killed = performance.now();
          // Its own `terminate` tells the connection; a browser that runs out of memory tells nobody.
          Worker.prototype.terminate.call(workers.of(stage).at(-1));
        },
      });
      expect(restarted(events)).toEqual([name]);
      const [{ cause }] = events.filter((event) => event.kind === "restarted");
      expect(cause).toMatchObject({ code: "worker/gone" });
      // The start of its successor is in it; silence alone tells after a minute and more.
      expect(noticedAfter).toBeLessThan(20_000);
      expect(summary.steps).toBe(4);
    },
  );
});

describe.skipIf(!hasModel)("a trainer that dies", () => {
  it("goes on from the newest checkpoint", async () => {
    const recipe = tinyRecipe({ steps: 4, checkpoint: { every: 2 } });
    const { events, summary, metrics, folder } = await train(recipe, { onEvent: killAfter("trainer", 3) });
    expect(restarted(events)).toEqual(["trainer"]);
    expect(events.find(({ kind }) => kind === "restarted")).toMatchObject({ step: 2 });
    // What was lost with the trainer is not counted twice.
    expect(summary).toMatchObject({ steps: 4, samples: 64 });
    // Step 3 was lost with the trainer and came again; its row is there once.
    expect(metrics.map((row) => row.step)).toEqual([1, 2, 3, 4]);
    const steps = events.flatMap((event) => (event.kind === "stepped" ? [event.step] : []));
    // The device goes while the loop goes on: step 4 may still be done before its loss is noticed.
    const before = steps.slice(0, -2);
    expect([
      [1, 2, 3],
      [1, 2, 3, 4],
    ]).toContainEqual(before);
    expect(steps.slice(-2)).toEqual([3, 4]);
    expect((await weightsOf(folder, 4)).byteLength).toBeGreaterThan(0);
  });

  it("is noticed also where its state is asked for, and begins at the model without a checkpoint", async () => {
    const numbers: number[] = [];
    let trainer!: Stages["trainer"];
    const { end, restarts } = await loop(recipeOf({ steps: 2 }), {
      prepare: (stages) => {
        trainer = stages.trainer;
      },
      onStep: async ({ state }) => {
        numbers.push(state.step);
        if (numbers.length > 1) return;
        await trainer.loseDevice();
        expect(await trainer.state()).toBeNull();
      },
    });
    expect(restarts).toMatchObject([{ worker: "trainer", cause: { code: "gpu/lost" } }]);
    expect(numbers).toEqual([1, 1, 2]);
    expect(end.step).toBe(2);
  });

  it("ends the run at its second death within a minute; the newest checkpoint is whole", async () => {
    const recipe = tinyRecipe({ steps: 5, checkpoint: { every: 1 } });
    const folder: string[] = [];
    // Death may come before the step that was just done is saved.
    const saved: number[] = [];
    const kill = killAfter("trainer", 1, 2);
    const error = await caught(
      train(recipe, {
        onFolder: (path) => folder.push(path),
        onEvent: (event) => {
          if (event.kind === "saved") saved.push(event.step);
          kill(event);
        },
      }),
    );
    expect(error).toMatchObject({ code: "trainer/died-twice" });
    expect(saved.length).toBeGreaterThan(0);
    expect((await latestCheckpoint(openDiskStorage(folder[0])))?.state.step).toBe(saved.at(-1));
    const rest = await train(recipe, { resume: folder[0] });
    expect(rest.summary.steps).toBe(5);
  });
});

describe.skipIf(!hasModel)("a verifier that dies", () => {
  it("costs no sample", async () => {
    const whole = await wholeWeights();
    const hurt = await train(sync, { onEvent: killAfter("verifier", 1) });
    expect(workers.of("verifier")).toHaveLength(2);
    expect(hurt.metrics.map((row) => row["verifier/restarts_total"])).toContain(1);
    expect(hurt.metrics.map((row) => row["batch/unscored_completions"])).toEqual([0, 0, 0]);
    expect((await weightsOf(hurt.folder, 3)).equals(whole)).toBe(true);
  });
});
