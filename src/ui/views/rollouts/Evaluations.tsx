/** Held-out problems before training and now: the same prompts with the same seed, side by side. */
import { useId, useState } from "preact/hooks";
import type { EvaluationRow } from "../../state/records.ts";
import { Answer } from "./Answer.tsx";
import { AskButton } from "./AskButton.tsx";
import { type EvaluationPair, evaluationsToCompare, pairSamples } from "./compare.ts";
import "./detail.css";
import { percent, plural, sharedPrefix } from "./format.ts";

const passAt1 = ({ metrics }: EvaluationRow) =>
  metrics["pass@1"] === undefined ? "" : `, ${percent(metrics["pass@1"])} right`;

interface PairProps {
  pair: EvaluationPair;
  prefix: number;
  after: EvaluationRow | null;
  /** Steps from one evaluation to the next; 0 where there is one at the end alone. */
  every: number;
}

function Pair({ pair, prefix, after, every }: PairProps) {
  const problem = useId();
  return (
    <li class="rollouts-evaluation">
      <div class="rollouts-evaluation-problem">
        <h3 id={problem} class="rollouts-problem">
          {prefix > 0 && <span class="visually-hidden">{pair.prompt.slice(0, prefix)}</span>}
          {pair.prompt.slice(prefix)}
        </h3>
        <AskButton prompt={pair.prompt} describedBy={problem} />
      </div>
      <Answer title="Version 0, before training" {...pair.before} />
      {pair.after && after ? (
        <Answer title={`After step ${after.step}`} {...pair.after} />
      ) : (
        <p class="soft small rollouts-answer">
          {after
            ? "This problem is not among the later evaluation's samples."
            : `No later evaluation yet: one is run ${every > 0 ? `every ${plural(every, "step")}` : "when training ends"}.`}
        </p>
      )}
    </li>
  );
}

interface EvaluationsProps extends Pick<PairProps, "every"> {
  evaluations: readonly EvaluationRow[];
}

export function Evaluations({ evaluations, every }: EvaluationsProps) {
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
  const pairs = pairSamples(before, after);
  const prefix = sharedPrefix(pairs.map(({ prompt }) => prompt));
  const lead = pairs[0]?.prompt.slice(0, prefix).trim();
  return (
    <div class="card rollouts-evaluations">
      <div class="rollouts-evaluations-head">
        <p class="soft small">
          Held-out problems, answered with the same seed; of several answers the first is shown.
          {lead && ` Each begins “${lead}”`}
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
      <ul class="rollouts-evaluations-list">
        {pairs.map((pair, i) => (
          <Pair key={`${i} ${pair.prompt}`} pair={pair} prefix={prefix} after={after} every={every} />
        ))}
      </ul>
    </div>
  );
}
