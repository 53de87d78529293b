import { afterAll, describe, expect, it } from "vitest";
import type { LoopPulse } from "../../src/training_pulse.ts";
import { hasModel, removeFolders, tinyRecipe, train } from "./tiny.ts";

afterAll(removeFolders);

/** Every pulse of a run, read about fifty times a second, the last one after its end. */
async function pulsesOf(settings: Record<string, unknown>, resume?: string) {
  const pulses: LoopPulse[] = [];
  let timer: ReturnType<typeof setInterval> | undefined;
  let read: () => LoopPulse = () => {
    throw new Error("no pulse");
  };
  const { folder } = await train(tinyRecipe(settings), {
    resume,
    onPulseSource: (source) => {
      read = source;
      pulses.push(read());
      timer = setInterval(() => pulses.push(read()), 20);
    },
  });
  clearInterval(timer);
  pulses.push(read());
  return { pulses, folder };
}

const COUNTS = [
  "problemsStarted",
  "generated",
  "scored",
  "trained",
  "trainerVersion",
  "generatorVersion",
] as const;

describe.skipIf(!hasModel)("the pulse of the loop", () => {
  it("counts every completion on its way, and shows every stage at work", async () => {
    const { pulses, folder } = await pulsesOf({ steps: 6 });
    expect(pulses[0]).toMatchObject({ problemsStarted: 0, decoding: 0, collected: 0, trainerVersion: 0 });
    for (const [k, pulse] of pulses.entries()) {
      for (const name of COUNTS) if (k > 0) expect(pulse[name]).toBeGreaterThanOrEqual(pulses[k - 1][name]);
      expect(4 * pulse.problemsStarted).toBeGreaterThanOrEqual(pulse.generated);
      expect(pulse.generated).toBeGreaterThanOrEqual(pulse.scored + pulse.verifying);
      expect(pulse.scored).toBeGreaterThanOrEqual(pulse.trained + pulse.collected);
      expect(pulse.decoding + pulse.queued).toBe(4 * pulse.problemsStarted - pulse.generated);
      expect(pulse.collected).toBeLessThanOrEqual(2 * pulse.batchSize);
    }
    const most = (of: (pulse: LoopPulse) => number) => Math.max(...pulses.map(of));
    expect(most(({ collected }) => collected)).toBeGreaterThan(0);
    expect(most(({ generatedTokensPerSecond: rate }) => rate)).toBeGreaterThan(20);
    for (const stage of ["tasks", "generator", "trainer", "weights"] as const)
      expect(new Set(pulses.map(({ activity }) => activity[stage]))).toContain("busy");
    const last = pulses[pulses.length - 1];
    expect(last).toMatchObject({ trained: 96, trainerVersion: 6, decoding: 0, generatedTokensPerSecond: 0 });
    expect(last.activity).toMatchObject({ generator: "idle", trainer: "idle", verifier: "idle" });

    const { pulses: later } = await pulsesOf({ steps: 7 }, folder);
    expect(later[0]).toMatchObject({ problemsStarted: last.problemsStarted, trained: 96 });
    expect(later[later.length - 1].trained).toBe(112);
  });
});
