/** Why a completion got its reward: each function's verdict, and the comparison that decided. */
import type { RolloutRow } from "../../state/records.ts";
import { exact, milliseconds } from "./format.ts";
import type { RewardRange } from "./group_index.ts";
import { type VerdictLine, verdictLines } from "./why.ts";

function Compared({ name, text }: { name: string; text: string | undefined }) {
  return (
    <div>
      <dt class="soft small">{name}</dt>
      <dd class="mono">
        {text === undefined ? (
          <span class="soft">nothing</span>
        ) : text === "" ? (
          <span class="soft">empty</span>
        ) : (
          text
        )}
      </dd>
    </div>
  );
}

function VerdictCard({
  line: { verdict, weight, share, good },
  among,
}: {
  line: VerdictLine;
  among: number;
}) {
  const compares = verdict.extracted !== undefined || verdict.expected !== undefined;
  return (
    <li class="rollouts-verdict">
      <div class="rollouts-verdict-head">
        <strong class="mono">{verdict.name}</strong>
        {among > 1 && good !== null && <span class="chip">{good ? "finds it good" : "finds it bad"}</span>}
        <span class="num rollouts-verdict-reward">
          {verdict.reward === null ? "not scored" : exact(verdict.reward)}
          {weight !== 1 && share !== null && (
            <span class="soft">
              {" "}
              × {weight} = {exact(share)}
            </span>
          )}
        </span>
      </div>
      {compares && (
        <dl class="rollouts-compared">
          <Compared name="Found" text={verdict.extracted} />
          <Compared name="Expected" text={verdict.expected} />
        </dl>
      )}
      <p class="rollouts-reason">
        <span>
          <span class="soft small">Decided by</span> {verdict.reason ?? "nothing it told"}
        </span>
        <span class="soft small num" title="Time the function took">
          {milliseconds(verdict.ms)}
        </span>
      </p>
    </li>
  );
}

interface VerdictsProps {
  row: RolloutRow;
  weights: ReadonlyMap<string, number>;
  ranges: ReadonlyMap<string, RewardRange>;
}

export function Verdicts({ row, weights, ranges }: VerdictsProps) {
  const lines = verdictLines(row, weights, ranges);
  if (lines.length === 0) return <p class="soft">No verdicts were recorded for this completion.</p>;
  return (
    <ul class="rollouts-verdicts">
      {lines.map((line) => (
        <VerdictCard key={line.verdict.name} line={line} among={lines.length} />
      ))}
    </ul>
  );
}
