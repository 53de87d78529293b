import { describe, expect, it } from "vitest";
import { readRecordedRun } from "../../src/runs/recorded_run.ts";
import { memoryFiles } from "./memory_files.ts";
import { storeRun } from "./stored_run.ts";

describe("readRecordedRun()", () => {
  it("gives its readers rows of one form, whatever a damaged file or another version wrote", async () => {
    const run = await storeRun(memoryFiles(), "run", { steps: 1 });
    const messages = [{ role: "user", content: "1 + 1" }];
    await run.logRollouts([
      {},
      { step: 2 },
      { step: 2, group: 1, id: 7, prompt: messages, completion: 5, token_texts: "x", reward: "none" },
    ]);
    await run.logMetrics({ event: "evaluation", step: 2, samples: 7 });
    const { rollouts, evaluations } = await readRecordedRun(run, "run");
    expect(rollouts.map(({ id, completion }) => [id, completion])).toEqual([
      [1, "answer 1"],
      [7, ""],
    ]);
    expect(rollouts[1]).toMatchObject({ prompt: messages, token_texts: [], reward: null, verdicts: [] });
    expect(evaluations[0].samples).toEqual([]);
  });
});
