import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gpu, openGpu } from "../../src/gpu/device.ts";
import { PhaseClock, placeStamps } from "../../src/gpu/phase_clock.ts";
import { Recorder } from "../../src/gpu/recorder.ts";
import { linearVec4 } from "../../src/kernels/linear/linear_vec4.ts";
import { traceClock } from "../../src/metrics/trace.ts";

/** The beginnings, then the end, in milliseconds after some hours of the GPU's clock. */
const stamps = (...times: number[]) =>
  BigUint64Array.from(times, (ms) => 7_000_000_000_000n + BigInt(Math.round(ms * 1e6)));

describe("placeStamps()", () => {
  it("begins when the first phase was submitted, and says which part the read-back was", () => {
    // Three phases of 5, 20 and 3 ms; the first two submitted at 102, the third long before the GPU came to it.
    expect(placeStamps(stamps(0, 5, 25, 28), [102, 102, 110], 100, 140)).toEqual([100, 107, 127, 130]);
  });

  it("waits for the host: no phase begins before it was submitted", () => {
    // The GPU came to the second phase at once when it had it, at 115: the first began at 105 at the earliest.
    expect(placeStamps(stamps(0, 10, 30), [102, 115], 100, 140)).toEqual([100, 115, 135]);
  });

  it("ends with the read-back at the latest, also where the GPU's clock runs faster than the host's", () => {
    expect(placeStamps(stamps(0, 10, 30), [102, 125], 100, 140)).toEqual([100, 120, 140]);
    expect(placeStamps(stamps(0, 40, 80), [100, 100], 100, 140)).toEqual([100, 120, 140]);
  });

  it("gives a phase no length where two timestamps are the same", () => {
    expect(placeStamps(stamps(0, 0, 10, 10), [100, 100, 100], 100, 120)).toEqual([100, 100, 110, 110]);
  });

  it("knows nothing where timestamps are zero, run backwards or do not run", () => {
    expect(placeStamps(new BigUint64Array(3), [100, 100], 100, 120)).toBeNull();
    expect(placeStamps(new BigUint64Array([0n, 5n, 9n]), [100, 100], 100, 120)).toBeNull();
    expect(placeStamps(stamps(5, 0, 10), [100, 100], 100, 120)).toBeNull();
    expect(placeStamps(stamps(0, 5, 4), [100, 100], 100, 120)).toBeNull();
    expect(placeStamps(stamps(5, 5, 5), [100, 100], 100, 120)).toBeNull();
  });

  it("never overlaps and never leaves the step, whatever the clocks tell", () => {
    const times = fc.array(fc.tuple(fc.double({ min: 0, max: 50, noNaN: true }), fc.nat(50)), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(times, fc.nat(60), fc.boolean(), (phases, tail, coarse) => {
        // Chrome tells multiples of 100 microseconds.
        const told = (ms: number) => (coarse ? Math.floor(ms * 10) / 10 : ms);
        const begins = phases.map((_, k) => told(phases.slice(0, k).reduce((sum, [ms]) => sum + ms, 0)));
        const end = told(phases.reduce((sum, [ms]) => sum + ms, 0));
        const from = 1.8e12;
        const submitted = phases.map((_, k) => phases.slice(0, k).reduce((sum, [, ms]) => sum + ms, from));
        const to = submitted[submitted.length - 1] + tail;
        const borders = placeStamps(stamps(...begins, end), submitted, from, to);
        if (end === begins[0]) expect(borders).toBeNull();
        if (!borders) return;
        expect(borders).toHaveLength(phases.length + 1);
        expect(borders[0]).toBe(from);
        expect(borders[phases.length]).toBeLessThanOrEqual(to);
        for (let k = 1; k < borders.length; k++) expect(borders[k]).toBeGreaterThanOrEqual(borders[k - 1]);
      }),
    );
  });
});

const SIZE = 256;

describe("PhaseClock on a device", async () => {
  const adapter = await navigator.gpu.requestAdapter();
  const timed = adapter?.features.has("timestamp-query") ?? false;
  let gpu: Gpu;
  let recorder: Recorder;
  let clock: PhaseClock;
  let multiply: (times: number) => void;
  /** Submits, reads and places what was recorded since the start. */
  let finish: () => Promise<ReturnType<PhaseClock["take"]>>;
  beforeAll(async () => {
    if (!timed) return;
    gpu = await openGpu({ label: "phase clock" });
    await gpu.compile([linearVec4]);
    recorder = new Recorder(gpu, "multiply");
    const [x, w, y] = ["x", "w", "y"].map((name) => gpu.buffer(name, SIZE * SIZE));
    const sizes = { rows: SIZE, outputs: SIZE, inputs: SIZE };
    const dims = { ...sizes, has_bias: 0, accumulate: 0, y_stride: SIZE, y_start: 0 };
    multiply = (times) => {
      for (let i = 0; i < times; i++) linearVec4.encode(recorder, { x, w, bias: w, y }, dims);
    };
    clock = new PhaseClock(gpu, 4);
    recorder.phases = clock;
    finish = async () => {
      recorder.submitLast();
      const from = traceClock();
      const [, bytes] = await gpu.staging.read([{ source: y, length: 1 }, ...clock.finish()]);
      return clock.take(bytes, from, traceClock());
    };
    // The first use of a pipeline takes longer.
    multiply(1);
    await finish();
  });
  afterAll(() => gpu?.destroy());

  it.skipIf(!timed)("tells a long phase from short ones, over several submits", async () => {
    const before = traceClock();
    clock.start();
    recorder.enter({ name: "short", details: { k: 1 } });
    multiply(2);
    recorder.enter({ name: "long" });
    for (let i = 0; i < 4; i++) {
      multiply(10);
      recorder.submit();
    }
    recorder.enter({ name: "last", last: true });
    multiply(1);
    recorder.submit();
    multiply(1);
    recorder.submitLast();
    const [bytes] = await gpu.staging.read(clock.finish());
    const spans = clock.take(bytes, before, traceClock());
    expect(spans?.map(({ name }) => name)).toEqual(["short", "long", "last"]);
    const [short, long, last] = spans ?? [];
    expect(short.details).toEqual({ k: 1 });
    expect(short.start).toBe(before);
    expect([long.start, last.start]).toEqual([short.end, long.end]);
    expect(last.end).toBeLessThanOrEqual(traceClock());
    // Forty products against two: twenty times as long where nothing else needs the processor.
    expect(long.end - long.start).toBeGreaterThan(4 * (last.end - last.start));
    expect(last.end - last.start).toBeGreaterThan(0);
  });

  it.skipIf(!timed)("leaves out a phase without work, and is done with a step once it is taken", async () => {
    clock.start();
    recorder.enter({ name: "a" });
    multiply(3);
    recorder.enter({ name: "nothing" });
    recorder.enter({ name: "b", last: true });
    multiply(3);
    expect((await finish())?.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(clock.finish()).toEqual([]);
    multiply(3);
    expect(await finish()).toBeNull();
  });

  it.skipIf(!timed)("tells nothing of a step that did not end or has too many phases", async () => {
    clock.start();
    recorder.enter({ name: "a" });
    multiply(1);
    recorder.enter({ name: "b", last: true });
    expect(await finish()).toBeNull();
    clock.start();
    for (let k = 0; k < 5; k++) {
      recorder.enter({ name: `${k}`, last: k === 4 });
      multiply(1);
    }
    expect(await finish()).toBeNull();
  });
});
