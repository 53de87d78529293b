import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NO_GAP } from "../../src/gpu/queue_log.ts";
import { gpuTrackOf, type TraceEvent } from "../../src/metrics/trace.ts";
import { openDiskStorage } from "../../src/runs/disk.ts";
import { readRecordedRun } from "../../src/runs/recorded_run.ts";
import { openRun } from "../../src/runs/run_directory.ts";
import { hasModel, removeFolders, type Trained, tinyRecipe, train } from "./tiny.ts";

type Slice = Extract<TraceEvent, { kind: "slice" }>;
type Arrow = Extract<TraceEvent, { kind: "arrow" }>;

const traceOf = async (folder: string) =>
  (await readRecordedRun(await openRun(openDiskStorage(folder)), "tiny")).trace;

afterAll(removeFolders);

describe.skipIf(!hasModel)("the timeline of a run", () => {
  let trained: Trained;
  let trace: TraceEvent[];
  let slices: Slice[];
  beforeAll(async () => {
    const recipe = tinyRecipe({
      steps: 4,
      trainer: { minibatches: 2 },
      evaluation: { problems: 4, samples: 1 },
      verifier: { workers: 2 },
    });
    trained = await train(recipe);
    trace = await traceOf(trained.folder);
    slices = trace.filter((event): event is Slice => event.kind === "slice");
  });
  const on = (track: string, name?: string) =>
    slices.filter((slice) => slice.track === track && (name === undefined || slice.name === name));

  it("has a track for every worker, with all that it did", () => {
    expect(new Set(slices.map(({ track }) => track))).toEqual(
      new Set([
        "generator 0",
        "GPU of generator 0",
        "verifier 0",
        "verifier 1",
        "trainer",
        "GPU of the trainer",
      ]),
    );
    const names = (track: string) => new Set(on(track).map(({ name }) => name));
    for (const name of ["prefill", "decode", "take weights"]) expect(names("generator 0")).toContain(name);
    for (const name of ["pack", "optimiser", "read back"]) expect(on("trainer", name)).toHaveLength(8);
    expect(names("trainer")).not.toContain("forward, backward, optimiser");
    for (const name of ["wait for rollouts", "publish"]) expect(on("trainer", name)).toHaveLength(4);
    expect(on("trainer", "wait for evaluation")).toHaveLength(2);
    expect(names("trainer")).toContain("save");
    // A verify slice for every group that was scored, in training and evaluation, dead ones included.
    const verified = [...on("verifier 0"), ...on("verifier 1")];
    const scored = trained.metrics.reduce((sum, row) => sum + (row["verifier/scored_total"] as number), 0);
    expect(
      verified.reduce((sum, { details }) => sum + (details?.completions as number), 0),
    ).toBeGreaterThanOrEqual(scored);
    expect(on("generator 0", "decode")[0].details).toEqual({
      version: 0,
      rows: expect.any(Number),
      steps: expect.any(Number),
    });
  });

  it("tells forward and backward of every micro-batch and the optimiser, without gaps from pack to read-back", () => {
    const inTime = on("trainer").sort((a, b) => a.start - b.start);
    for (const pack of on("trainer", "pack")) {
      const micro = Array(pack.details?.microBatches).fill(["forward", "backward"]).flat();
      const phases = [...micro, "optimiser", "read back"];
      const at = inTime.indexOf(pack);
      const after = inTime.slice(at + 1, at + 1 + phases.length);
      expect(after.map(({ name }) => name)).toEqual(phases);
      // Rounded to a thousandth of a millisecond in the file.
      after.forEach(({ start }, k) => {
        expect(Math.abs(start - inTime[at + k].end)).toBeLessThan(2e-3);
      });
      // Thousands of products of matrices: none of them is done in no time.
      for (const { name, start, end } of after.slice(0, -1)) expect(end, name).toBeGreaterThan(start);
      expect(after[0].details).toEqual({
        step: pack.details?.step,
        microBatch: 1,
        tokens: expect.any(Number),
      });
    }
  });

  it("lets no two slices of a track overlap, and no slice run backwards", () => {
    for (const track of new Set(slices.map((slice) => slice.track))) {
      const inTime = on(track).sort((a, b) => a.start - b.start);
      for (const [k, { start, end }] of inTime.entries()) {
        expect(end).toBeGreaterThanOrEqual(start);
        // Rounded to a thousandth of a millisecond in the file.
        if (k > 0) expect(start - inTime[k - 1].end).toBeGreaterThan(-2e-3);
      }
    }
  });

  it("has a track for every worker's GPU, whose work lies within what the worker did meanwhile", () => {
    for (const [worker, activities] of [
      ["generator 0", /^(prefill|decode)$/],
      // Weights are read back to be published and saved.
      ["trainer", /^(pack|forward|backward|optimiser|read back|publish|save)$/],
    ] as const) {
      const did = on(worker).filter(({ name }) => activities.test(name));
      did.sort((a, b) => a.start - b.start);
      const busy = on(gpuTrackOf(worker));
      expect(busy.length).toBeGreaterThan(4);
      for (const { start, end, details } of busy) {
        expect(details).toEqual({ submits: expect.any(Number), dispatches: expect.any(Number) });
        // From one slice to the next as long as they follow each other: prefill and decode are one piece of GPU work. The
        // clock is one and the worker's slice is ended after its read-back was told, so nothing but rounding to a
        // thousandth of a millisecond in the file lies between; and work that follows within NO_GAP is one span.
        let reached = start;
        for (const slice of did)
          if (slice.start <= reached + NO_GAP + 2e-3) reached = Math.max(reached, slice.end);
        const first = did.find((slice) => slice.end > start);
        expect(first?.start, `${worker} at ${start}`).toBeLessThanOrEqual(start + 2e-3);
        expect(reached, `${worker} at ${start}`).toBeGreaterThanOrEqual(end - 2e-3);
      }
    }
    // Nothing is trained and nothing is decoded without the GPU: each such slice has a span of it.
    for (const name of ["forward", "backward", "optimiser"])
      for (const { start, end } of on("trainer", name))
        expect(
          on(gpuTrackOf("trainer"), "compute").some((span) => span.start <= end && span.end >= end - 2e-3),
          `${name} at ${start}`,
        ).toBe(true);
    // What was read back tells the end.
    for (const [worker, name] of [
      ["generator 0", "decode"],
      ["trainer", "read back"],
    ]) {
      const busy = on(gpuTrackOf(worker), "compute");
      for (const { start, end } of on(worker, name))
        expect(busy.some((span) => span.start <= end && span.end >= start && span.end <= end + 2e-3)).toBe(
          true,
        );
    }
    // A minibatch's forward and backward pass and its update, in as many submits as the adapter's speed calls for.
    const computed = on(gpuTrackOf("trainer"), "compute").map(
      ({ details }) => details as Record<string, number>,
    );
    for (const { submits, dispatches } of computed) {
      expect(dispatches).toBeGreaterThan(60);
      expect(submits).toBeLessThanOrEqual(dispatches + 1);
    }
  });

  it("leads from every group's last decode to the step that used it", () => {
    const arrows = trace.filter((event): event is Arrow => event.kind === "arrow");
    expect(arrows).toHaveLength(16);
    const within = (slice: Slice, at: number) => slice.start <= at && at <= slice.end;
    for (const { name, from, to } of arrows) {
      const source = on(from.track, "decode").find((slice) => within(slice, from.at));
      const target = on(to.track, "forward").find((slice) => within(slice, to.at));
      const group = Number(name.split(" ")[1]);
      const verify = slices.find((slice) => slice.name === "verify" && slice.details?.group === group);
      // Three workers, one clock: a group is decoded, verified and trained on in this order.
      expect(source?.end).toBeLessThan((verify?.start ?? 0) + 2);
      expect(verify?.end).toBeLessThan((target?.start ?? 0) + 2);
    }
  });

  it("marks every version when it is out", () => {
    const marks = trace.flatMap((event) => (event.kind === "mark" ? [event] : []));
    expect(marks.map(({ name }) => name)).toEqual([0, 2, 4, 6, 8].map((version) => `version ${version}`));
    const published = on("trainer", "publish").map(({ end }) => end);
    marks.slice(1).forEach(({ at }, k) => {
      expect(Math.abs(at - published[k])).toBeLessThan(1e-2);
    });
  });

  it("is told step by step, and is what lies in the file", () => {
    const told = trained.events.flatMap((event) => (event.kind === "traced" ? [event.events] : []));
    expect(told.length).toBeGreaterThanOrEqual(5);
    const count = told.reduce((sum, events) => sum + events.length, 0);
    expect(trace.length).toBeGreaterThan(count - 20);
    // The default run is 120 times as many completions.
    expect(trace.length).toBeLessThan(400);
  });

  it("goes on where it was when the run is resumed", async () => {
    await train(tinyRecipe({ steps: 5 }), { resume: trained.folder });
    const longer = await traceOf(trained.folder);
    expect(longer.length).toBeGreaterThan(trace.length);
    expect(longer.slice(0, 3)).toEqual(trace.slice(0, 3));
    const gpu = (events: TraceEvent[]) =>
      events.filter((event) => event.kind === "slice" && event.track === gpuTrackOf("trainer"));
    expect(gpu(longer).length).toBeGreaterThan(gpu(trace).length);
    expect(gpu(longer).slice(0, gpu(trace).length)).toEqual(gpu(trace));
    const publish = longer.filter((event) => event.kind === "slice" && event.name === "publish");
    expect(publish).toHaveLength(5);
  });
});
