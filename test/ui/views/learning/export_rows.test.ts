import { describe, expect, it } from "vitest";
import { parseRows } from "../../../../src/metrics/ndjson.ts";
import { type ExportedRun, toCsv, toNdjson } from "../../../../src/ui/views/learning/export_rows.ts";
import { evaluationOf } from "./fixtures.ts";

const run: ExportedRun = {
  steps: [
    { 'my "own", metric': 5, reward: 0.5, step: 1, "rewards/format/mean": 1 },
    { step: 2, reward: null, entropy: 0.25 },
  ],
  evaluations: [evaluationOf(0, "before", 0.4), evaluationOf(2, "after", 0.9)],
  turned: [{ step: 1, knobs: { temperature: 0.8 } }],
};

describe("toCsv()", () => {
  it("has a line a step in the table's order of names, evaluations beside them, gaps empty", () => {
    expect(toCsv(run)).toBe(
      [
        'step,reward,entropy,"my ""own"", metric",rewards/format/mean,eval_pass@1',
        "0,,,,,0.4",
        "1,0.5,,5,1,",
        "2,,0.25,,,0.9",
        "",
      ].join("\n"),
    );
  });

  it("leaves the run as it was", () => {
    toCsv(run);
    expect(run.steps[1]).toEqual({ step: 2, reward: null, entropy: 0.25 });
  });
});

describe("toNdjson()", () => {
  it("has the rows of a run directory in the order in which they came about", () => {
    const rows = parseRows(toNdjson(run), "test");
    expect(rows.map(({ step, event }) => [step, event])).toEqual([
      [0, "evaluation"],
      [1, undefined],
      [1, "turned"],
      [2, undefined],
      [2, "evaluation"],
    ]);
    expect(rows[0]).toEqual({
      step: 0,
      event: "evaluation",
      when: "before",
      "eval_pass@1": 0.4,
      samples: [],
    });
    expect(rows[2]).toEqual({ step: 1, event: "turned", temperature: 0.8 });
    expect(rows[3]).toEqual(run.steps[1]);
  });
});
