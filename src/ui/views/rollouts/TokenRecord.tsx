/** All that was recorded of one token. */
import type { RolloutRow } from "../../state/records.ts";
import { fixed, NOTHING, percent, signed, visibleText } from "./format.ts";
import { SCALES } from "./heat.ts";

interface TokenRecordProps {
  row: RolloutRow;
  position: number;
}

const at = (values: readonly number[] | undefined, position: number): number | null =>
  values?.[position] ?? null;

export function TokenRecord({ row, position }: TokenRecordProps) {
  const logprob = at(row.logprobs, position);
  const version = at(row.versions, position);
  const text = visibleText(row.token_texts[position] ?? "");
  const facts: readonly (readonly [string, string, string])[] = [
    ["Token", text, text],
    ["Position", `${position + 1} of ${row.token_texts.length}`, "Its place in the completion"],
    [
      "Probability",
      logprob === null ? NOTHING : percent(Math.exp(logprob)),
      "It was sampled with this probability",
    ],
    ["Log-probability", fixed(logprob, 3), SCALES.logprob.meaning],
    ["Entropy", fixed(at(row.entropies, position), 3), SCALES.entropy.meaning],
    ["Ratio", fixed(at(row.ratios, position), 3), SCALES.ratio.meaning],
    ["Advantage", signed(row.advantage, 3), SCALES.advantage.meaning],
    ["Version", version === null ? NOTHING : `v${version}`, SCALES.version.meaning],
  ];
  return (
    <dl class="rollouts-facts rollouts-record">
      {facts.map(([name, value, meaning], i) => (
        <div key={name} title={meaning}>
          <dt class="soft small">{name}</dt>
          <dd class={i === 0 ? "mono" : "num"}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
