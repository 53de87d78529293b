/** One chart: what it is, its newest value, how it is read, its lines or its table. */
import { useMemo } from "preact/hooks";
import { Chart } from "../../parts/Chart.tsx";
import type { ChartMark } from "../../parts/chart_draw.ts";
import type { Alert } from "./alert_rule.ts";
import { ChartRowsTable } from "./ChartRowsTable.tsx";
import type { ChartDefinition, PanelDefinition } from "./definitions.ts";
import { formatTick, formatX, xSteps } from "./format.ts";
import { Headline, Legend } from "./Legend.tsx";
import { LevelSign } from "./LevelSign.tsx";
import { plotPanel } from "./plot.ts";
import type { RunTable, XAxis } from "./run_table.ts";
import { asTables, cursor } from "./view_state.ts";
import { panelInWords } from "./words.ts";

export interface ChartSettings {
  /** The run in view, then those beside it. */
  runs: readonly RunTable[];
  recipe: Record<string, unknown>;
  axis: XAxis;
  smoothing: number;
  xRange: readonly [number, number];
  marks: readonly ChartMark[];
}

/** Of the plots, legends aside. Of two panels the upper one has no x axis. */
const SINGLE = [212] as const;
const PAIR = [112, 76] as const;
/** Of a panel's legend, as in the style sheet. */
const LEGEND_HEIGHT = 24;

interface PanelProps {
  chart: ChartDefinition;
  panel: PanelDefinition;
  index: number;
  settings: ChartSettings;
}

function Panel({ chart, panel, index, settings }: PanelProps) {
  const { runs, recipe, axis, smoothing, xRange, marks } = settings;
  const isLast = index === chart.panels.length - 1;
  const plot = useMemo(
    () => plotPanel(panel, runs, { axis, smoothing, recipe }),
    [panel, runs, axis, smoothing, recipe],
  );
  const label = useMemo(() => panelInWords(chart.title, panel, runs[0]), [chart, panel, runs[0]]);
  const limits = useMemo(() => [panel.limit?.(recipe)].filter((limit) => !!limit), [panel, recipe]);
  const labelX = useMemo(
    () => (isLast ? (value: number, isFirst: boolean) => formatX(axis, value, isFirst) : undefined),
    [isLast, axis],
  );
  return (
    <div>
      <Legend panel={panel} run={runs[0]} />
      <Chart
        label={label}
        height={(chart.panels.length === 1 ? SINGLE : PAIR)[index]}
        tables={plot.tables}
        lines={plot.lines}
        bands={plot.bands}
        xRange={xRange}
        yRange={plot.yRange}
        logarithmic={panel.logarithmic}
        formatX={labelX}
        xSteps={xSteps(axis)}
        formatY={(value) => formatTick(value, panel.kind)}
        limits={limits}
        marks={marks}
        labelMarks={index === 0}
        syncKey="learning"
        onCursor={(x) => {
          cursor.value = x;
        }}
      />
    </div>
  );
}

function toggleTable(chart: ChartDefinition): void {
  const shown = new Set(asTables.value);
  if (!shown.delete(chart.id)) shown.add(chart.id);
  asTables.value = shown;
}

interface ChartCardProps {
  chart: ChartDefinition;
  settings: ChartSettings;
  alert: Alert | undefined;
}

export function ChartCard({ chart, settings, alert }: ChartCardProps) {
  const [run] = settings.runs;
  const isTable = asTables.value.has(chart.id);
  const title = `learning-${chart.id}`;
  return (
    <section class="card learning-card" aria-labelledby={title}>
      <header>
        <h3 id={title}>{chart.title}</h3>
        {alert && <LevelSign level={alert.level} label={alert.message} />}
        <Headline run={run} panel={chart.panels[0]} />
      </header>
      <div class="learning-bar">
        <p class="learning-reading small soft">{chart.reading}</p>
        <button
          type="button"
          class="button quiet small learning-toggle"
          aria-pressed={isTable}
          onClick={() => toggleTable(chart)}
        >
          <span class="visually-hidden">{chart.title} </span>as a table
        </button>
      </div>
      {isTable ? (
        <ChartRowsTable chart={chart} runs={settings.runs} height={SINGLE[0] + LEGEND_HEIGHT} />
      ) : (
        <div class="learning-plot">
          {chart.panels.map((panel, index) => (
            <Panel key={panel.caption} chart={chart} panel={panel} index={index} settings={settings} />
          ))}
          {run.length === 0 && <p class="learning-none small soft">No step yet</p>}
        </div>
      )}
    </section>
  );
}
