/** A chart's values in numbers: under the pointer, or the newest ones. */
import type { PanelDefinition, SeriesDefinition } from "./definitions.ts";
import { formatValue } from "./format.ts";
import { nearest, type RunTable } from "./run_table.ts";
import { Swatch } from "./Swatch.tsx";
import { axis, cursor } from "./view_state.ts";

interface ValueProps {
  run: RunTable;
  panel: PanelDefinition;
  series: SeriesDefinition;
}

function readingOf({ run, panel, series }: ValueProps): string {
  const at = cursor.value;
  if (series.style === "dots") {
    const { xs, values } = run.evaluationColumn(series.metric, axis.value);
    const index = at === null ? values.length - 1 : nearest(xs, at);
    return formatValue(values[index] ?? Number.NaN, panel.kind);
  }
  if (at === null) return formatValue(run.newest(series.metric), panel.kind);
  return formatValue(run.column(series.metric)[nearest(run.xs(axis.value), at)] ?? Number.NaN, panel.kind);
}

/** By itself, so that the pointer redraws numbers and nothing else. */
function Value(props: ValueProps) {
  return <span class={`num learning-value learning-${props.panel.kind}`}>{readingOf(props)}</span>;
}

/** A chart's first series, large, and the step it belongs to. */
export function Headline({ run, panel }: { run: RunTable; panel: PanelDefinition }) {
  const at = cursor.value;
  const steps = run.xs("step");
  const step = at === null ? steps.at(-1) : steps[nearest(run.xs(axis.value), at)];
  const [series] = panel.series;
  return (
    <>
      <span class="num soft small learning-step">step {formatValue(step ?? Number.NaN, "rate")}</span>
      <p class={`num learning-headline learning-${panel.kind}`}>
        <span class="visually-hidden">{series.label}: </span>
        {readingOf({ run, panel, series })}
      </p>
    </>
  );
}

/** What a panel's axis counts, and its series. */
export function Legend({ panel, run }: { panel: PanelDefinition; run: RunTable }) {
  return (
    <div class="learning-legend">
      <p class="soft">{panel.caption}</p>
      <ul>
        {panel.series.map((series) => (
          <li key={series.metric}>
            <Swatch color={series.color} style={series.style} />
            {series.label}
            <Value run={run} panel={panel} series={series} />
          </li>
        ))}
      </ul>
    </div>
  );
}
