/** The Learning view: eight charts over a run's steps, and what they call for in words. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { compared, feed } from "../../state/app.ts";
import type { RunPhase } from "../../state/records.ts";
import type { RunFeed } from "../../state/run_feed.ts";
import { AlertStrip } from "./AlertStrip.tsx";
import { alertsOf, FIRST_WORD } from "./alerts.ts";
import { ChartCard, type ChartSettings } from "./ChartCard.tsx";
import { CHARTS } from "./definitions.ts";
import { marksOf, turnedInWords } from "./knob_marks.ts";
import { DASHES } from "./plot.ts";
import { xRange } from "./ranges.ts";
import { numberField } from "./recipe_fields.ts";
import type { RunTable } from "./run_table.ts";
import { Swatch } from "./Swatch.tsx";
import { Toolbar } from "./Toolbar.tsx";
import { axis, smoothing, tableOf } from "./view_state.ts";
import "./learning.css";

const ENDED: readonly RunPhase[] = ["done", "failed", "idle"];

function quietWords(run: RunTable, phase: RunPhase): string {
  if (run.length >= FIRST_WORD) {
    const over = phase === "failed" ? "The run has failed. Before that, " : "Nothing to mend: ";
    return `${over}the last steps look sound.`;
  }
  if (run.length > 0)
    return `Too early to judge: what the steps call for is told from step ${FIRST_WORD} on.`;
  if (phase === "idle" || phase === "done" || phase === "failed")
    return "No step to show. Start a run here, or choose one from the list of runs.";
  return "The charts begin with the first step: once a batch has been generated, verified and trained on.";
}

/** The runs by the dash of their lines. */
function RunNames({ runs }: { runs: readonly RunTable[] }) {
  return (
    <ul class="learning-runs small" aria-label="Runs on the charts">
      {runs.map(({ name }, index) => (
        <li key={`${index} ${name}`}>
          <Swatch color="--ink" dash={index === 0 ? undefined : DASHES[(index - 1) % DASHES.length]} />
          {name || "this run"}
        </li>
      ))}
    </ul>
  );
}

function useSettings(run: RunFeed, others: readonly RunFeed[]): ChartSettings {
  const tables = [run, ...others].map(tableOf);
  const runs = useMemo(() => tables, tables);
  const reached = Math.max(...runs.map((table) => table.xs(axis.value).at(-1) ?? 0));
  const [left, right] = xRange(axis.value, reached, {
    ended: ENDED.includes(run.phase.value),
    plannedSteps: numberField(run.recipe, "steps"),
  });
  const marks = useMemo(
    () => marksOf(run.turned, runs[0], axis.value),
    [run, run.turned.length, runs[0], axis.value],
  );
  return {
    runs,
    recipe: run.recipe,
    axis: axis.value,
    smoothing: smoothing.value,
    xRange: [left, right],
    marks,
  };
}

/** Steps from which a run's charts are made one a frame when it comes into view: together they would hold up the page. */
const LONG_RUN = 2000;

/** How many of the charts are made by now. */
function useShownCharts(run: RunFeed): number {
  const shown = useRef({ run, count: run.steps.length < LONG_RUN ? CHARTS.length : 0 });
  const [, draw] = useState(0);
  if (shown.current.run !== run)
    shown.current = { run, count: run.steps.length < LONG_RUN ? CHARTS.length : 0 };
  const { count } = shown.current;
  useEffect(() => {
    if (count === CHARTS.length) return;
    const frame = requestAnimationFrame(() => {
      shown.current.count++;
      draw((times) => times + 1);
    });
    return () => cancelAnimationFrame(frame);
  }, [run, count]);
  return count;
}

export function Learning() {
  const run = feed.value;
  // Read, so that new rows redraw the view: at most ten times a second.
  for (const { changed } of [run, ...compared.value]) changed.value;
  const settings = useSettings(run, compared.value);
  const [table] = settings.runs;
  const alerts = useMemo(() => alertsOf(table, run.recipe), [table, run.recipe]);
  const planned = numberField(run.recipe, "steps");
  const turned = turnedInWords(run.turned);
  const shown = useShownCharts(run);
  return (
    <div class="learning stack">
      <header class="learning-head">
        <div>
          <h2>Learning</h2>
          <p class="small soft num">
            {run.name && `${run.name}, `}
            {table.xs("step").at(-1) ?? 0}
            {planned !== null && ` of ${planned}`} steps
          </p>
        </div>
        <Toolbar run={run} isEmpty={table.length === 0} />
      </header>
      <AlertStrip alerts={alerts} quiet={quietWords(table, run.phase.value)} />
      {settings.runs.length > 1 && <RunNames runs={settings.runs} />}
      {turned && <p class="small soft">{turned}</p>}
      <div class="learning-grid">
        {CHARTS.map((chart, index) =>
          index < shown ? (
            <ChartCard
              key={chart.id}
              chart={chart}
              settings={settings}
              alert={alerts.find((alert) => alert.chart === chart.id)}
            />
          ) : (
            <div key={chart.id} class="card learning-card learning-awaited" aria-hidden="true" />
          ),
        )}
      </div>
    </div>
  );
}
