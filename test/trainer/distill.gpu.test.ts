/** Supervised steps on traces; `test/cli/distill.gpu.test.ts` has the command around them. */
import { describe, expect, it } from "vitest";
import { freshPolicy } from "../../src/cli/distill_start.ts";
import { makeTask } from "../../src/tasks/registry.ts";
import { loadTokenizer } from "../../src/text/tokenizer.ts";
import { type DistillReport, distill, longestTrace } from "../../src/trainer/distill.ts";
import { testGpu } from "../gpu_harness.ts";

describe("distill()", () => {
  it("passes over what is longer than it has room for", async () => {
    const task = makeTask("chain_sum", {}, 0);
    const start = await freshPolicy(task, { width: 16, layers: 1, heads: 2, mlpWidth: 24 }, 0);
    const tokenizer = await loadTokenizer(start);
    const teacher = task.teacher!();
    const batchSize = 16;
    const traces = Array.from({ length: batchSize }, (_, i) => {
      const problem = task.sample(i);
      const completion = tokenizer.encode(teacher.trace(problem, i).completion).length;
      return { completion, whole: tokenizer.encode(String(problem.prompt)).length + completion };
    });
    const stages = [{ teacher, steps: 1 }];
    const whole = Math.max(...traces.map((trace) => trace.whole));
    expect(longestTrace({ task, tokenizer }, stages).whole).toBeGreaterThanOrEqual(whole);
    const longest = whole - 1;
    const fitting = traces.filter((trace) => trace.whole <= longest);
    expect(fitting.length).toBeGreaterThan(0);
    expect(fitting.length).toBeLessThan(batchSize);

    const reports: DistillReport[] = [];
    const { steps } = await distill(await testGpu(), {
      ...{ config: start.config, tensors: start.tensors, tokenizer, task, stages, longest, batchSize },
      ...{ learningRate: 1e-3, schedule: "constant", warmupSteps: 0, minLearningRateRatio: 0 },
      ...{ weightDecay: 0, beta2: 0.99, maxGradNorm: 1, reportEvery: 1 },
      onReport: (report) => reports.push(report),
    });
    expect(steps).toBe(1);
    expect(reports.map(({ tokens }) => tokens)).toEqual([
      fitting.reduce((sum, { completion }) => sum + completion, 0),
    ]);
  });
});
