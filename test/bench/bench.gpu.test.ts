/** The benchmarks on a device: they run, their figures are consistent, and steps ask no more of WebGPU than they need. */
import { describe, expect, it } from "vitest";
import { type BenchEvent, builtinConfig, runBench } from "../../src/bench/bench.ts";
import { measurePeaks } from "../../src/bench/peaks.ts";
import { measureGenerator, measureTrainer } from "../../src/bench/steps.ts";
import { Stopwatch } from "../../src/bench/stopwatch.ts";
import { tally } from "../../src/bench/tally.ts";
import { openGpu } from "../../src/gpu/device.ts";
import { copyQuads } from "../../src/kernels/probe/copy_quads.ts";
import { testGpu } from "../gpu_harness.ts";

const size = { sequences: 16, concurrency: 8, promptTokens: 5, maxTokens: 9 };

describe("runBench()", () => {
  it("hands out adapter, peaks and the chosen kernels, rates being work over time", async () => {
    const gpu = await openGpu({ label: "bench test" });
    const events: BenchEvent[] = [];
    await runBench(gpu, { only: "head_finish", repeats: 1 }, (event) => events.push(event));
    expect(gpu.allocatedBytes).toBe(0);
    gpu.destroy();
    expect(events.map(({ event }) => event)).toEqual(["adapter", "peaks", "kernel", "kernel"]);
    for (const event of events) {
      if (event.event !== "kernel") continue;
      expect(event.seconds).toBeGreaterThan(0);
      expect(event.gflopsPerSecond * event.seconds * 1e9).toBeCloseTo(event.flops, 3);
      expect(event.gbPerSecond * event.seconds * 1e9).toBeCloseTo(event.bytes, 3);
      expect(event.roofline).toBeGreaterThan(0);
    }
  });

  it("stops when it is told to", async () => {
    const events: string[] = [];
    const stop = AbortSignal.abort();
    await runBench(await testGpu(), { repeats: 1, signal: stop }, ({ event }) => events.push(event));
    expect(events).toEqual(["adapter", "peaks"]);
  });
});

describe("Stopwatch", () => {
  it("uses the clock where there are no timestamps", async () => {
    const gpu = await testGpu();
    using stopwatch = await Stopwatch.create(gpu);
    expect(stopwatch.source).toBe("clock");
    const peaks = await measurePeaks(stopwatch, 1);
    expect(peaks.flopsPerSecond).toBeGreaterThan(1e6);
    expect(peaks.bytesPerSecond).toBeGreaterThan(1e6);
    expect(Number.isFinite(peaks.flopsPerSecond + peaks.bytesPerSecond)).toBe(true);
  });

  it("records as many rounds a sample as asked, warm-ups apart", async () => {
    const gpu = await testGpu();
    await gpu.compile([copyQuads]);
    using x = gpu.buffer("x", 64);
    using y = gpu.buffer("y", 64);
    using stopwatch = await Stopwatch.create(gpu);
    const calls: number[] = [];
    const { result, counts } = await tally(() =>
      stopwatch.time((recorder) => {
        calls.push(1);
        copyQuads.encode(recorder, { x, y }, { quads: 16 });
      }, 3),
    );
    expect(counts.dispatches).toBe(calls.length);
    expect((calls.length - 2) % 3).toBe(0);
    expect(result.seconds).toBeGreaterThanOrEqual(result.fastest);
  });
});

describe("tally()", () => {
  it("counts at the interface, and lets go of it afterwards", async () => {
    const gpu = await testGpu();
    const { counts } = await tally(async () => {
      using buffer = gpu.buffer("counted", 4);
      buffer.write(new Float32Array(4));
      await buffer.readFloats();
    });
    expect(counts).toMatchObject({ dispatches: 0, submits: 1, uploads: 1, readbacks: 1 });
    const before = { ...counts };
    using other = gpu.buffer("not counted", 4);
    other.write(new Float32Array(4));
    expect(counts).toEqual(before);
  });

  it("lets go when the work fails", async () => {
    const submit = GPUQueue.prototype.submit;
    await expect(tally(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(GPUQueue.prototype.submit).toBe(submit);
  });
});

describe("whole steps", () => {
  it("train without making objects, with one read-back a step", async () => {
    const gpu = await openGpu({ label: "bench test" });
    using stopwatch = await Stopwatch.create(gpu);
    const figure = await measureTrainer(stopwatch, builtinConfig(), 2, size);
    expect(gpu.allocatedBytes).toBe(0);
    gpu.destroy();
    expect(figure.counts).toMatchObject({ buffers: 0, bindGroups: 0, readbacks: 1 });
    expect(figure.counts.dispatches).toBeGreaterThan(50);
    // Two layers: nothing is dispatched per row or per sequence.
    expect(figure.counts.dispatches).toBeLessThan(120);
    expect(figure.tokensPerSecond).toBeGreaterThan(0);
    if (stopwatch.source === "timestamps") {
      const dispatched = figure.kernels.reduce((sum, { dispatches }) => sum + dispatches, 0);
      expect(dispatched).toBe(figure.counts.dispatches);
    }
  });

  it("decode with one read-back a chunk and without making objects", async () => {
    const gpu = await testGpu();
    using stopwatch = await Stopwatch.create(gpu);
    const figure = await measureGenerator(stopwatch, builtinConfig(), 2, size);
    // The prefill and eight decode steps give nine tokens: one chunk a round.
    expect(figure.what).toContain("a prefill every 1 chunks");
    expect(figure.counts).toMatchObject({ buffers: 0, bindGroups: 0, readbacks: 1 });
    expect(figure.tokensPerSecond * figure.seconds).toBeCloseTo(8 * 9, 3);
  });
});
