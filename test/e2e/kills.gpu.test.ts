import { afterAll, describe, expect, it } from "vitest";
import { hasModel } from "../loop/tiny.ts";
import { freshFolder, removeFolders } from "./command.ts";
import { checkRows, finalWeights, killAndResume, leftAlone } from "./kills.ts";

afterAll(removeFolders);

describe.skipIf(!hasModel)("kill -9", () => {
  it("costs no more than the steps since the newest checkpoint, and in sync mode not a bit of the end", async () => {
    const folder = await freshFolder();
    const steps = 6;
    const whole = await leftAlone(folder, "sync", steps);
    const { run, lives } = await killAndResume({
      folder,
      mode: "sync",
      steps,
      kills: 3,
      seed: 3,
      withinMs: 4500,
    });
    expect(lives.map(({ killedAtMs }) => killedAtMs !== null)).toEqual([true, true, true, false]);
    checkRows(run, steps, 16);
    expect(finalWeights(run, steps).equals(finalWeights(whole, steps))).toBe(true);
  });
});
