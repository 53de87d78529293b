/** The same problem wherever this run met it: one time beside the completion in view. */
import { useState } from "preact/hooks";
import type { RolloutRow } from "../../state/records.ts";
import { Answer } from "./Answer.tsx";
import { type Encounter, encountersOf, otherEncounter } from "./compare.ts";
import { fixed, versions } from "./format.ts";
import type { RolloutIndex } from "./group_index.ts";

interface EncountersProps {
  index: RolloutIndex;
  row: RolloutRow;
  onChoose(row: RolloutRow): void;
}

const titleOf = ({ row, right, judged, mean }: Encounter) =>
  `Step ${row.step}, ${versions(...row.policy_versions)}: ${judged > 0 ? `${right} of ${judged} right, ` : ""}mean ${fixed(mean)}`;

export function Encounters({ index, row, onChoose }: EncountersProps) {
  const [chosen, setChosen] = useState<{ problem: string; step: number } | null>(null);
  const { encounters, current } = encountersOf(index, row);
  const standard = otherEncounter(encounters.length, current);
  if (standard === null)
    return (
      <p class="soft">This run has met this problem once so far, among the completions that are kept.</p>
    );
  const picked = encounters.findIndex(
    ({ group }, i) => i !== current && chosen?.problem === row.problem && group.step === chosen.step,
  );
  const other = encounters[picked >= 0 ? picked : standard];
  const own = (
    <Answer
      title={`Step ${row.step}, ${versions(...row.policy_versions)} (in view)`}
      completion={row.completion}
      reward={row.reward}
      correct={row.correct}
    />
  );
  const beside = (
    <Answer
      title={`Step ${other.row.step}, ${versions(...other.row.policy_versions)}`}
      completion={other.row.completion}
      reward={other.row.reward}
      correct={other.row.correct}
    />
  );
  return (
    <>
      <div class="row rollouts-encounter-choice">
        <select
          class="input small"
          aria-label="Another time the run met this problem"
          value={other.group.step}
          onChange={(event) => setChosen({ problem: row.problem, step: Number(event.currentTarget.value) })}
        >
          {encounters.map(
            (encounter, i) =>
              i !== current && (
                <option key={encounter.row.id} value={encounter.group.step}>
                  {titleOf(encounter)}
                </option>
              ),
          )}
        </select>
        <button type="button" class="button quiet small" onClick={() => onChoose(other.row)}>
          Open it
        </button>
      </div>
      <div class="rollouts-pair">{other.row.step < row.step ? [beside, own] : [own, beside]}</div>
    </>
  );
}
