/** The numbers behind a chart. */
import type { ChartDefinition } from "./definitions.ts";
import type { RunTable } from "./run_table.ts";
import { chartRows } from "./table_rows.ts";

/** As many as one cares to read; all of them are in the export. */
const SHOWN = 60;

function RunRows({ chart, run }: { chart: ChartDefinition; run: RunTable }) {
  const { heads, rows, count } = chartRows(chart, run, SHOWN);
  const shown =
    rows.length < count ? `newest ${rows.length} of ${count} rows` : `${count} rows, newest first`;
  return (
    <table class="small">
      <caption>
        {chart.title} of {run.name || "this run"}: {shown}
      </caption>
      <thead>
        <tr>
          <th scope="col">step</th>
          {heads.map((head) => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ step, cells }) => (
          <tr key={step}>
            <th scope="row">{step}</th>
            {cells.map((cell, index) => (
              <td key={heads[index]}>{cell}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface ChartRowsTableProps {
  chart: ChartDefinition;
  runs: readonly RunTable[];
  height: number;
}

export function ChartRowsTable({ chart, runs, height }: ChartRowsTableProps) {
  return (
    <section
      class="learning-table"
      style={{ height: `${height}px` }}
      aria-label={`${chart.title} as a table`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
      tabIndex={0}
    >
      {runs.map((run, index) => (
        <RunRows key={`${index} ${run.name}`} chart={chart} run={run} />
      ))}
    </section>
  );
}
