import { describe, expect, it } from "vitest";
import { Recorder } from "../../src/gpu/recorder.ts";
import { linearVec4 } from "../../src/kernels/linear/linear_vec4.ts";
import { calibrateSubmits } from "../../src/model/calibrate.ts";
import { testGpu } from "../gpu_harness.ts";

describe("calibrateSubmits()", () => {
  it("cuts work into submits of the size it found, and leaves no buffer behind", async () => {
    const gpu = await testGpu();
    const before = gpu.allocatedBytes;
    await calibrateSubmits(gpu);
    expect(gpu.allocatedBytes).toBe(before);
    expect(gpu.maxFlopsPerSubmit).toBeGreaterThanOrEqual(2e8);
    expect(gpu.maxFlopsPerSubmit).toBeLessThan(1e13);
    gpu.maxFlopsPerSubmit = 3 * 2 * 64 ** 3;
    const recorder = new Recorder(gpu, "cut");
    using x = gpu.buffer("x", 64 * 64);
    using y = gpu.buffer("y", 64 * 64);
    for (let i = 0; i < 7; i++)
      linearVec4.encode(
        recorder,
        { x, w: x, bias: x, y },
        { rows: 64, outputs: 64, inputs: 64, has_bias: 0, accumulate: 0, y_stride: 64, y_start: 0 },
      );
    recorder.submit();
    expect(recorder.counters).toMatchObject({ dispatches: 7, submits: 3 });
    await gpu.idle();
  });
});
