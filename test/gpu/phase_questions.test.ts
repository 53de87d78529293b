import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gpu, openGpu } from "../../src/gpu/device.ts";
import { openPhases } from "../../src/gpu/open_phases.ts";
import { PhaseClock } from "../../src/gpu/phase_clock.ts";
import { MOST_RECORDING, PhaseQuestions } from "../../src/gpu/phase_questions.ts";
import { Recorder } from "../../src/gpu/recorder.ts";
import { linearVec4 } from "../../src/kernels/linear/linear_vec4.ts";
import { traceClock } from "../../src/metrics/trace.ts";

/** A queue that answers when it is told to, and a clock that is set. */
function asking() {
  const questions: PromiseWithResolvers<undefined>[] = [];
  const clock = { at: 0 };
  const queue = {
    onSubmittedWorkDone() {
      questions.push(Promise.withResolvers<undefined>());
      return questions[questions.length - 1].promise;
    },
  };
  const answer = async (k: number, at: number) => {
    clock.at = at;
    questions[k].resolve(undefined);
    await new Promise<void>((resolve) => setTimeout(resolve));
  };
  return { questions, clock, answer, phases: new PhaseQuestions(queue, () => clock.at) };
}

/** Three phases, recorded until `recorded`. */
function recordedUntil(recorded: number) {
  const scene = asking();
  scene.phases.start();
  for (const name of ["forward", "backward", "optimiser"]) scene.phases.enter({ name, details: { name } });
  scene.clock.at = recorded;
  expect(scene.phases.finish()).toEqual([]);
  return scene;
}

describe("PhaseQuestions", () => {
  it("asks once behind each phase, and ends it where the answer came", async () => {
    const { phases, questions, answer } = recordedUntil(2);
    expect(questions).toHaveLength(3);
    await answer(0, 30);
    await answer(1, 80);
    await answer(2, 97);
    expect(phases.take(undefined, 0, 100)).toEqual(
      [
        ["forward", 0, 30],
        ["backward", 30, 80],
        ["optimiser", 80, 97],
      ].map(([name, start, end]) => ({ name, start, end, details: { name } })),
    );
    expect(phases.take(undefined, 0, 100)).toBeNull();
  });

  it("takes what the read-back told for an answer that is still to come or was refused", async () => {
    const { phases, questions, answer } = recordedUntil(2);
    await answer(0, 40);
    questions[1].reject(new Error("lost"));
    await new Promise<void>((resolve) => setTimeout(resolve));
    const spans = phases.take(undefined, 0, 100);
    expect(spans?.map(({ end }) => end)).toEqual([40, 100, 100]);
    // It comes when the next step has begun.
    phases.start();
    phases.enter({ name: "forward" });
    await answer(2, 130);
    phases.finish();
    expect(phases.take(undefined, 100, 2000)?.map(({ end }) => end)).toEqual([2000]);
  });

  it("knows nothing where recording took so long that answers may have waited for it", () => {
    expect(recordedUntil(100 * MOST_RECORDING).phases.take(undefined, 0, 100)).not.toBeNull();
    expect(recordedUntil(100 * MOST_RECORDING + 1).phases.take(undefined, 0, 100)).toBeNull();
    expect(asking().phases.take(undefined, 0, 100)).toBeNull();
  });
});

const SIZE = 256;

describe("openPhases() without timestamps", () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu({ label: "phase questions", baseOnly: true });
  });
  afterAll(() => gpu.destroy());

  it.runIf("Deno" in globalThis)("asks nobody where a question stops the host", () => {
    expect(openPhases(gpu, 4)).toBeNull();
  });

  it.skipIf("Deno" in globalThis)("tells a long phase from short ones", async () => {
    await gpu.compile([linearVec4]);
    const recorder = new Recorder(gpu, "multiply");
    const [x, w, y] = ["x", "w", "y"].map((name) => gpu.buffer(name, SIZE * SIZE));
    const sizes = { rows: SIZE, outputs: SIZE, inputs: SIZE };
    const dims = { ...sizes, has_bias: 0, accumulate: 0, y_stride: SIZE, y_start: 0 };
    const multiply = (times: number) => {
      for (let i = 0; i < times; i++) linearVec4.encode(recorder, { x, w, bias: w, y }, dims);
    };
    multiply(1);
    recorder.submit();
    await gpu.idle();
    const phases = openPhases(gpu, 4);
    expect(phases).toBeInstanceOf(PhaseQuestions);
    expect(phases).not.toBeInstanceOf(PhaseClock);
    recorder.phases = phases;
    phases?.start();
    const from = traceClock();
    for (const [name, times] of [
      ["short", 3],
      ["long", 50],
      ["last", 3],
    ] as const) {
      recorder.enter({ name, last: name === "last" });
      multiply(times);
    }
    recorder.submitLast();
    expect(phases?.finish()).toEqual([]);
    await y.readFloats(0, 1);
    const spans = phases?.take(undefined, from, traceClock());
    expect(spans?.map(({ name }) => name)).toEqual(["short", "long", "last"]);
    const [short, long, last] = (spans ?? []).map(({ start, end }) => end - start);
    // Sixteen times the work, where nothing else needs the processor.
    expect(long).toBeGreaterThan(3 * short);
    expect(long).toBeGreaterThan(3 * last);
    expect(recorder.counters.submits).toBe(4);
  });
});
