/** Filters over the completions, with how many each would keep, and how many are shown. */
import { useState } from "preact/hooks";
import { pressable } from "../../parts/pressable.ts";
import type { RolloutRow } from "../../state/records.ts";
import { exportName, ndjsonParts } from "./export_rows.ts";
import { count, plural } from "./format.ts";
import type { Facets } from "./group_index.ts";
import { isFiltering, NO_FILTER, type RowFilter } from "./row_filter.ts";
import { filter, scope, setFilter } from "./state.ts";

type Toggle = "right" | "wrong" | "truncated" | "stale" | "disagreement";

const TOGGLES: readonly { name: Toggle; label: string; meaning: string }[] = [
  { name: "right", label: "Right", meaning: "The answer was judged right" },
  { name: "wrong", label: "Wrong", meaning: "The answer was judged wrong" },
  { name: "truncated", label: "Cut off", meaning: "The completion reached the length limit before it ended" },
  {
    name: "stale",
    label: "Stale",
    meaning: "Its oldest token was sampled with weights older than those its step began with",
  },
  {
    name: "disagreement",
    label: "Disagreement",
    meaning: "One reward function gave in the upper half of what it gives in this run, another in the lower",
  },
];

const isOn = (name: Toggle, { correctness, ...flags }: RowFilter) =>
  name === "right" || name === "wrong" ? correctness === name : flags[name];

function flip(name: Toggle): void {
  if (name === "right" || name === "wrong")
    setFilter({ correctness: filter.value.correctness === name ? "any" : name });
  else setFilter({ [name]: !filter.value[name] });
}

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

async function download(run: string, rows: readonly RolloutRow[]): Promise<void> {
  const blob = new Blob(await ndjsonParts(rows, pause), { type: "application/x-ndjson" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = exportName(run, rows.length);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

interface RewardBoundProps {
  label: string;
  name: "minReward" | "maxReward";
}

function RewardBound({ label, name }: RewardBoundProps) {
  return (
    <input
      class="input rollouts-bound num"
      type="number"
      step="0.1"
      placeholder={name === "minReward" ? "min" : "max"}
      aria-label={label}
      value={filter.value[name] ?? ""}
      onInput={({ currentTarget: { value } }) => {
        const bound = value === "" ? null : Number(value);
        if (bound === null || Number.isFinite(bound)) setFilter({ [name]: bound });
      }}
    />
  );
}

export function Filters({ facets }: { facets: Facets }) {
  const now = filter.value;
  return (
    <div class="rollouts-filters">
      <input
        class="input rollouts-search"
        type="search"
        placeholder="Search text"
        aria-label="Search completions, prompts and answers"
        value={now.search}
        onInput={(event) => setFilter({ search: event.currentTarget.value })}
      />
      <div class="rollouts-toggles">
        {TOGGLES.map(({ name, label, meaning }) => (
          <button
            key={name}
            type="button"
            class="rollouts-toggle"
            aria-pressed={isOn(name, now)}
            title={meaning}
            onClick={() => flip(name)}
          >
            {label} <span class="num rollouts-facet">{count(facets[name])}</span>
          </button>
        ))}
      </div>
      <span class="rollouts-bounds">
        <span class="soft small">Reward</span>
        <RewardBound name="minReward" label="Smallest reward shown" />
        <span class="soft" aria-hidden="true">
          –
        </span>
        <RewardBound name="maxReward" label="Largest reward shown" />
      </span>
      <button
        type="button"
        class="button quiet rollouts-clear"
        {...pressable(isFiltering(now), () => {
          filter.value = NO_FILTER;
        })}
      >
        Clear
      </button>
    </div>
  );
}

interface ShownProps {
  run: string;
  /** Completions in order as shown. */
  rows: readonly RolloutRow[];
  groups: number;
  /** Completions of the step or the run. */
  of: number;
  scanning: boolean;
}

/** Where the filters look, how many completions they leave, and those as a file. */
export function Shown({ run, rows, groups, of, scanning }: ShownProps) {
  const [writing, setWriting] = useState(false);
  const filtering = isFiltering(filter.value);
  const write = async () => {
    setWriting(true);
    try {
      await download(run, rows);
    } finally {
      setWriting(false);
    }
  };
  return (
    <div class="rollouts-shown">
      <fieldset class="rollouts-segments">
        <legend class="visually-hidden">Look in</legend>
        {(["step", "run"] as const).map((where) => (
          <label key={where}>
            <input
              type="radio"
              name="rollouts-scope"
              checked={scope.value === where}
              onChange={() => {
                scope.value = where;
              }}
            />
            {where === "step" ? "This step" : "Whole run"}
          </label>
        ))}
      </fieldset>
      <p class="small num rollouts-count" role={filtering ? "status" : undefined}>
        {scanning
          ? `${count(rows.length)} found, still looking…`
          : filtering
            ? `${count(rows.length)} of ${plural(of, "completion")}`
            : `${plural(of, "completion")}, ${plural(groups, "group")}`}
      </p>
      <button
        type="button"
        class="button rollouts-export"
        title="The completions shown, one JSON object a line"
        disabled={rows.length === 0 || writing || scanning}
        onClick={write}
      >
        {writing ? "Writing…" : "Export"}
        <span class="visually-hidden"> the completions shown as NDJSON</span>
      </button>
    </div>
  );
}
