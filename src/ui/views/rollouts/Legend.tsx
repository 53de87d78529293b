/** The choice of heat, and its scale with numbers. */
import type { RolloutRow } from "../../state/records.ts";
import { plural } from "./format.ts";
import {
  alongLegend,
  HEATS,
  type HeatKind,
  heatCss,
  legendColours,
  missingHeat,
  SCALES,
  tickText,
  versionRuns,
} from "./heat.ts";
import { heat, numbers } from "./state.ts";

function Scale({ kind }: { kind: HeatKind }) {
  const scale = SCALES[kind];
  return (
    <div class="rollouts-scale">
      <div
        class="rollouts-scale-bar"
        style={{ background: `linear-gradient(to right, ${legendColours(kind).join(", ")})` }}
      />
      <div class="rollouts-scale-ticks num" aria-hidden="true">
        {scale.ticks.map((tick) => (
          <span key={tick} style={{ left: `${alongLegend(scale, tick) * 100}%` }}>
            {tickText(kind, tick)}
          </span>
        ))}
      </div>
      <p class="rollouts-scale-ends soft small">
        <span>{scale.ends[0]}</span>
        <span>{scale.ends[1]}</span>
      </p>
    </div>
  );
}

function Bands({ row }: { row: RolloutRow }) {
  const runs = versionRuns(row.versions);
  return (
    <ul class="rollouts-bands">
      {runs.map(({ version, from, to }) => (
        <li key={from} class="small num">
          <span class="rollouts-band" style={{ background: heatCss("version", version) }}>
            v{version}
          </span>
          {plural(to - from, "token")}
        </li>
      ))}
      {runs.length === 1 && <li class="small soft">The same weights sampled every token.</li>}
    </ul>
  );
}

interface LegendProps {
  row: RolloutRow;
  /** What is drawn: the choice, or what stands in for it. */
  shown: HeatKind;
}

export function Legend({ row, shown }: LegendProps) {
  const missing = missingHeat(heat.value, row);
  return (
    <div class="rollouts-legend">
      <div class="row">
        <fieldset class="rollouts-segments rollouts-heats">
          <legend class="visually-hidden">Colour the tokens by</legend>
          {HEATS.map((kind) => {
            const reason = missingHeat(kind, row);
            return (
              <label key={kind} class={reason ? "off" : undefined} title={reason ?? SCALES[kind].meaning}>
                <input
                  type="radio"
                  name="rollouts-heat"
                  checked={shown === kind}
                  disabled={reason !== null}
                  onChange={() => {
                    heat.value = kind;
                  }}
                />
                {SCALES[kind].label}
              </label>
            );
          })}
        </fieldset>
        <label class="rollouts-numbers small">
          <input
            type="checkbox"
            checked={numbers.value}
            onChange={(event) => {
              numbers.value = event.currentTarget.checked;
            }}
          />
          Numbers
        </label>
      </div>
      <div class="rollouts-legend-body">
        {shown === "version" ? <Bands row={row} /> : <Scale kind={shown} />}
        <p class="small soft rollouts-meaning">{missing ? `${missing}.` : `${SCALES[shown].meaning}.`}</p>
      </div>
    </div>
  );
}
