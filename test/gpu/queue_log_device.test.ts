/** The log on a device of its own, which one test loses. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { GpuLostError } from "../../src/errors.ts";
import { type Gpu, openGpu } from "../../src/gpu/device.ts";
import { logQueue, type QueueLog } from "../../src/gpu/queue_log.ts";
import { Recorder } from "../../src/gpu/recorder.ts";
import { linearVec4 } from "../../src/kernels/linear/linear_vec4.ts";
import { traceClock } from "../../src/metrics/trace.ts";

const SIZE = 256;

describe("logQueue()", () => {
  let gpu: Gpu;
  let log: QueueLog;
  let multiply: (times: number) => Promise<Float32Array>;
  let multiplyOnly: (times: number) => void;
  beforeEach(async () => {
    gpu = await openGpu({ label: "queue log", baseOnly: true });
    await gpu.compile([linearVec4]);
    const recorder = new Recorder(gpu, "multiply");
    const [x, w, y] = ["x", "w", "y"].map((name) => gpu.buffer(name, SIZE * SIZE));
    const sizes = { rows: SIZE, outputs: SIZE, inputs: SIZE };
    const dims = { ...sizes, has_bias: 0, accumulate: 0, y_stride: SIZE, y_start: 0 };
    multiplyOnly = (times) => {
      for (let i = 0; i < times; i++) linearVec4.encode(recorder, { x, w, bias: w, y }, dims);
      recorder.submit();
    };
    multiply = (times) => {
      multiplyOnly(times);
      return y.readFloats(0, 1);
    };
    await multiply(1);
    log = logQueue(gpu);
  });
  afterEach(() => gpu.destroy());

  it("has a span from submit to read-back, with what was submitted", async () => {
    const from = traceClock();
    await multiply(8);
    const between = traceClock();
    await new Promise<void>((resolve) => setTimeout(resolve, 20));
    await multiply(3);
    const [first, second, ...rest] = log.take();
    expect(rest).toEqual([]);
    expect(first).toMatchObject({ name: "compute", details: { submits: 2, dispatches: 8 } });
    expect(second).toMatchObject({ name: "compute", details: { submits: 2, dispatches: 3 } });
    expect(first.start).toBeGreaterThanOrEqual(from);
    expect(first.end).toBeLessThanOrEqual(between);
    expect(second.start).toBeGreaterThanOrEqual(between + 19);
  });

  it("learns of the end where one waits for the device to be idle", async () => {
    multiplyOnly(2);
    await gpu.idle();
    expect(log.take()).toMatchObject([{ details: { submits: 1, dispatches: 2 } }]);
  });

  it.skipIf("Deno" in globalThis)("learns of the end by itself where asking does not block", async () => {
    multiplyOnly(2);
    await vi.waitUntil(() => !log.working, { timeout: 30_000 });
    expect(log.take()).toMatchObject([{ details: { submits: 1, dispatches: 2 } }]);
  });

  it("does not hold the host up: a submit returns before the work is done", async () => {
    const from = traceClock();
    multiplyOnly(40);
    const returned = traceClock() - from;
    await gpu.idle();
    // Forty products of 2·256³ take a software adapter tens of milliseconds; encoding them far less than one.
    expect(returned).toBeLessThan((traceClock() - from) / 2);
  });

  it("keeps nothing where nobody asked for it", async () => {
    gpu.queueLog = null;
    await multiply(1);
    expect(log.take()).toEqual([]);
  });

  it("rejects nothing and takes no harm when the device is lost under way", async () => {
    multiplyOnly(40);
    gpu.destroy();
    await expect(gpu.idle()).rejects.toThrow(GpuLostError);
    await expect(multiply(1)).rejects.toThrow(GpuLostError);
    for (const { start, end } of log.take()) expect(end).toBeGreaterThanOrEqual(start);
    // A promise that nobody handles would fail the file by now.
    await new Promise<void>((resolve) => setTimeout(resolve, 50));
  });
});
