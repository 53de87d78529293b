import { describe, expect, it } from "vitest";
import type { Stages } from "../../src/stages.ts";
import { caught, hasModel, loop, tinyRecipe } from "./tiny.ts";

/** Far longer than these tests may take. */
const FOR_EVER = 600_000;

/** Short work: a hang is as many times longer than the longest. */
const brief = (steps: number) =>
  tinyRecipe({
    steps,
    generator: { concurrency: 8, maxTokens: 8, decodeChunk: 4 },
    trainer: { groupSize: 2, batchSize: 4, microBatchTokens: 128, filter: "none" },
  });

describe.skipIf(!hasModel)("a worker that hangs without dying", () => {
  it.each(["generator", "trainer"] as const)("is replaced, and the run goes on (%s)", async (which) => {
    let stages!: Stages;
    let hung: Promise<unknown> | undefined;
    const { end, restarts } = await loop(brief(4), {
      silenceMs: 2000,
      prepare: (opened) => {
        stages = opened;
      },
      onStep: async ({ state }) => {
        // Watched from its first work on, which is done by now.
        if (state.step !== 2 || hung) return;
        hung = caught(
          which === "trainer" ? stages.trainer.hang(FOR_EVER) : stages.generator.hang(0, FOR_EVER),
        );
      },
    });
    expect(restarts.map(({ worker }) => worker)).toEqual([which === "trainer" ? "trainer" : "generator 0"]);
    expect(restarts[0].cause).toMatchObject({ code: "worker/silent" });
    expect(await hung).toMatchObject({ code: "worker/silent" });
    expect(end.step).toBe(4);
  });

  it("is left alone while it only works slowly", async () => {
    let stages!: Stages;
    const { restarts } = await loop(brief(2), {
      silenceMs: 10_000,
      prepare: (opened) => {
        stages = opened;
      },
      onStep: async () => {
        await Promise.all([stages.trainer.hang(1500), stages.generator.hang(0, 1500)]);
      },
    });
    expect(restarts).toEqual([]);
  });
});
