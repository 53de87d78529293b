/** One completion: its prompt, its tokens, why it got its reward, and the same problem at other times. */
import type { RolloutRow } from "../../state/records.ts";
import { AskButton } from "./AskButton.tsx";
import "./detail.css";
import { Encounters } from "./Encounters.tsx";
import { exact, plural, promptText, signed, versions } from "./format.ts";
import { sortedRows } from "./group_index.ts";
import { usableHeat } from "./heat.ts";
import { staleness } from "./row_filter.ts";
import { type Browsed, heat } from "./state.ts";
import { Tokens } from "./Tokens.tsx";
import { Verdicts } from "./Verdicts.tsx";
import { pullOf } from "./why.ts";

interface DetailProps {
  browsed: Browsed;
  row: RolloutRow;
  /** Characters that all prompts begin with. */
  prefix: number;
  weights: ReadonlyMap<string, number>;
  onMove(direction: 1 | -1): void;
  onLeave(): void;
  onChoose(row: RolloutRow): void;
}

/** What all prompts begin with is said softly, so that the problem itself stands out. */
function PromptBlock({ row, prefix }: Pick<DetailProps, "row" | "prefix">) {
  if (typeof row.prompt === "string")
    return (
      <p class="rollouts-problem">
        {prefix > 0 && <span class="soft rollouts-problem-lead">{row.prompt.slice(0, prefix)}</span>}
        {row.prompt.slice(prefix)}
      </p>
    );
  return (
    <dl class="rollouts-messages">
      {row.prompt.map(({ role, content }, i) => (
        <div key={i}>
          <dt class="soft small">{role}</dt>
          <dd>{content}</dd>
        </div>
      ))}
    </dl>
  );
}

function Facts({ browsed: { index, trainer }, row }: Pick<DetailProps, "browsed" | "row">) {
  const group = index.groupOf(row.id);
  const pull = group ? pullOf(row, group) : null;
  const behind = staleness(row, trainer);
  const facts: readonly (readonly [string, string, string])[] = [
    [
      "Reward",
      exact(row.reward),
      row.correct === null ? "not judged" : row.correct === 1 ? "✓ right" : "✗ wrong",
    ],
    pull?.kind === "from-mean"
      ? ["From the mean", signed(pull.value), "advantage not recorded"]
      : [
          "Advantage",
          signed(pull?.value),
          group ? `place ${sortedRows(group).indexOf(row) + 1} of ${group.rows.length}` : "",
        ],
    [
      "Length",
      String(row.tokens),
      row.finish_reason === "length" ? "tokens, cut off" : "tokens, ended by itself",
    ],
    [
      "Policy",
      versions(...row.policy_versions),
      behind === 0 ? "not stale" : `${plural(behind, "version")} behind`,
    ],
  ];
  return (
    <dl class="rollouts-facts">
      {facts.map(([name, value, note]) => (
        <div key={name}>
          <dt class="soft small">{name}</dt>
          <dd>
            <strong class="num">{value}</strong>
            <span class="soft small">{note}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function Detail({ browsed, row, prefix, weights, onMove, onLeave, onChoose }: DetailProps) {
  const kind = (row.token_texts?.length ?? 0) > 0 ? usableHeat(heat.value, row) : null;
  return (
    <article class="card rollouts-detail" aria-label={`Completion ${row.id}`}>
      <div class="rollouts-section">
        <div class="rollouts-detail-head">
          <p class="soft small num">
            Step {row.step} · group {row.group} · completion {row.id}
          </p>
          <AskButton prompt={promptText(row.prompt)} />
        </div>
        <PromptBlock row={row} prefix={prefix} />
        {row.answer !== null && row.answer !== undefined && (
          <p class="rollouts-expected small">
            <span class="soft">Right answer</span> <span class="mono">{row.answer}</span>
          </p>
        )}
        <Facts browsed={browsed} row={row} />
      </div>
      <section class="rollouts-section generator">
        <h3>Token by token</h3>
        {kind ? (
          <Tokens row={row} kind={kind} onMove={onMove} onLeave={onLeave} />
        ) : (
          <>
            <p class="soft small">Its tokens were not recorded one by one, so there is only the text.</p>
            <pre class="rollouts-answer-text">{row.completion}</pre>
          </>
        )}
      </section>
      <section class="rollouts-section verifier">
        <h3>Why this reward</h3>
        <Verdicts row={row} weights={weights} ranges={browsed.index.ranges} />
      </section>
      <section class="rollouts-section weights">
        <h3>The same problem at another time</h3>
        <Encounters index={browsed.index} row={row} onChoose={onChoose} />
      </section>
    </article>
  );
}
