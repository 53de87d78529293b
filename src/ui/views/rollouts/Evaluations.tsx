/** Held-out problems before training and now: the same prompts with the same seed, side by side. */
import { useState } from "preact/hooks";
import type { EvaluationRow } from "../../state/records.ts";
import { Answer } from "./Answer.tsx";
import { AskButton } from "./AskButton.tsx";
import { evaluationsToCompare, pairSamples } from "./compare.ts";
import "./detail.css";
import { percent } from "./format.ts";

const passAt1 = ({ metrics }: EvaluationRow) =>
  metrics["pass@1"] === undefined ? "" : `, ${percent(metrics["pass@1"])} right`;

export function Evaluations({ evaluations }: { evaluations: readonly EvaluationRow[] }) {
  const [chosen, setChosen] = useState<number | null>(null);
  const { before, later } = evaluationsToCompare(evaluations);
  if (!before)
    return (
      <div class="card">
        <p>This run has no evaluation from before its training, so there is nothing to compare with yet.</p>
        <p class="soft small">Recipes that evaluate before training write one down.</p>
      </div>
    );
  const after = later.find((_, i) => i === chosen) ?? later.at(-1) ?? null;
  return (
    <div class="stack">
      <div class="rollouts-evaluations-head">
        <p class="soft">
          The same held-out problems with the same seed; of several answers the first is shown.
        </p>
        {later.length > 1 && (
          <label class="row small">
            Compare with
            <select
              class="input small"
              value={after ? later.indexOf(after) : 0}
              onChange={(event) => setChosen(Number(event.currentTarget.value))}
            >
              {later.map((evaluation, i) => (
                <option key={evaluation.step} value={i}>
                  step {evaluation.step}
                  {passAt1(evaluation)}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      {pairSamples(before, after).map((pair) => (
        <section key={pair.prompt} class="card rollouts-evaluation">
          <div class="rollouts-evaluation-head">
            <h3>{pair.prompt}</h3>
            <AskButton prompt={pair.prompt} />
          </div>
          <div class="rollouts-pair">
            <Answer title="Version 0, before training" {...pair.before} />
            {pair.after && after ? (
              <Answer title={`Now, after step ${after.step}`} {...pair.after} />
            ) : (
              <div class="rollouts-answer">
                <p class="soft small">
                  {after
                    ? "This problem is not among the later evaluation's samples."
                    : "No later evaluation yet; it is run once training ends."}
                </p>
              </div>
            )}
          </div>
        </section>
      ))}
    </div>
  );
}
