/** How the charts are looked at, and their numbers as files. */
import type { RunFeed } from "../../state/run_feed.ts";
import { toCsv, toNdjson } from "./export_rows.ts";
import type { XAxis } from "./run_table.ts";
import { axis, smoothing } from "./view_state.ts";

const AXES: readonly { value: XAxis; label: string }[] = [
  { value: "step", label: "Steps" },
  { value: "time", label: "Time" },
  { value: "tokens", label: "Tokens" },
];

function download(text: string, name: string, type: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The download has its own hold on the blob once the click is through.
  setTimeout(() => URL.revokeObjectURL(address), 0);
}

export function Toolbar({ run, isEmpty }: { run: RunFeed; isEmpty: boolean }) {
  const name = run.name || "run";
  return (
    <div class="learning-toolbar small">
      <fieldset class="learning-axes">
        <legend class="visually-hidden">Charts by</legend>
        {AXES.map(({ value, label }) => (
          <label key={value}>
            <input
              type="radio"
              name="learning-axis"
              value={value}
              checked={axis.value === value}
              onChange={() => {
                axis.value = value;
              }}
            />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
      <label class="learning-smoothing">
        <span class="soft">Smoothing</span>
        <input
          type="range"
          min="0"
          max="0.98"
          step="0.02"
          value={smoothing.value}
          onInput={(event) => {
            smoothing.value = event.currentTarget.valueAsNumber;
          }}
        />
        <span class="num">{smoothing.value.toFixed(2)}</span>
      </label>
      {/* biome-ignore lint/a11y/useSemanticElements: two buttons are no form's fields */}
      <div class="row" role="group" aria-label="Download the metrics">
        <button
          type="button"
          class="button small"
          disabled={isEmpty}
          onClick={() => download(toCsv(run), `${name}.csv`, "text/csv")}
        >
          CSV
        </button>
        <button
          type="button"
          class="button small"
          disabled={isEmpty}
          onClick={() => download(toNdjson(run), `${name}.ndjson`, "application/x-ndjson")}
        >
          NDJSON
        </button>
      </div>
    </div>
  );
}
