// @vitest-environment happy-dom
import { h, render } from "preact";
import { afterEach, expect, test } from "vitest";
import { Now } from "../../../src/ui/shell/Now.tsx";
import { feed } from "../../../src/ui/state/app.ts";
import type { EvaluationRow } from "../../../src/ui/state/records.ts";
import { RunFeed } from "../../../src/ui/state/run_feed.ts";

afterEach(() => render(null, document.body));

const evaluation = (step: number, when: EvaluationRow["when"], share: number): EvaluationRow => ({
  step,
  when,
  metrics: { "pass@1": share },
  samples: [],
});

test.each([
  [0.2, 0.7, "now-gain"],
  [0.4, 0, "now-loss"],
  [0.4, 0.4, ""],
])("calls %f solved before and %f after what it is", (before, after, name) => {
  const run = new RunFeed("mine", "live", { steps: 8 });
  run.evaluations.push(evaluation(0, "before", before), evaluation(8, "after", after));
  feed.value = run;
  render(h(Now, {}), document.body);
  expect(document.querySelectorAll(".now-solved b")[1].className).toBe(name);
});

const answered = (row: EvaluationRow, answer: number): EvaluationRow => ({
  ...row,
  samples: [
    { prompt: "1 + 2 =", completion: `\\boxed{${answer}}`, reward: 1, correct: answer === 3 ? 1 : 0 },
  ],
});

test("shows the newest end of a run that was trained on after its end", () => {
  const run = new RunFeed("mine", "live", { steps: 8 });
  run.evaluations.push(
    answered(evaluation(0, "before", 0.2), 7),
    answered(evaluation(4, "after", 0.5), 5),
    answered(evaluation(8, "after", 0.7), 3),
  );
  run.phase.value = "done";
  feed.value = run;
  render(h(Now, {}), document.body);
  expect(document.querySelectorAll(".now-solved b")[1].textContent).toContain("70");
  const answers = [...document.querySelectorAll(".now-answer b")].map(({ textContent }) => textContent);
  expect(answers).toEqual(["7", "3"]);
});
