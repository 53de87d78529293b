import { describe, expect, it } from "vitest";
import type { Stages } from "../../src/stages.ts";
import { caught, hasModel, loop, tinyRecipe } from "./tiny.ts";

/** Far longer than these tests may take. */
const FOR_EVER = 600_000;

describe.skipIf(!hasModel)("a worker that hangs without dying", () => {
  it.each(["generator", "trainer"] as const)("is replaced, and the run goes on (%s)", async (which) => {
    let stages!: Stages;
    let hung: Promise<unknown> | undefined;
    const { end, restarts } = await loop(tinyRecipe({ steps: 4 }), {
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
    const { restarts } = await loop(tinyRecipe({ steps: 2 }), {
      silenceMs: 20_000,
      prepare: (opened) => {
        stages = opened;
      },
      onStep: async () => {
        await Promise.all([stages.trainer.hang(3000), stages.generator.hang(0, 3000)]);
      },
    });
    expect(restarts).toEqual([]);
  });
});
