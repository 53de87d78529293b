/** How the charts are looked at; kept while other views are shown. */
import { signal } from "@preact/signals";
import type { RunFeed } from "../../state/run_feed.ts";
import type { ChartId } from "./definitions.ts";
import { RunTable, type XAxis } from "./run_table.ts";

export const axis = signal<XAxis>("step");
/** The weight of what came before, 0 to below 1. */
export const smoothing = signal(0.6);
/** Where the pointer is, in units of the x axis; over all charts at once. */
export const cursor = signal<number | null>(null);
/** Charts that are shown as tables. */
export const asTables = signal<ReadonlySet<ChartId>>(new Set());
export const alertsUnfolded = signal(false);

const tables = new WeakMap<RunFeed, { mark: unknown[]; table: RunTable }>();

/** A run's table, made anew only when its steps or evaluations have changed: the same object means the same charts. */
export function tableOf(feed: RunFeed): RunTable {
  const { steps, evaluations } = feed;
  const mark = [steps.length, steps.at(-1), evaluations.length, evaluations.at(-1)];
  const known = tables.get(feed);
  if (known?.mark.every((part, index) => part === mark[index])) return known.table;
  const table = new RunTable(feed.name, steps, evaluations, known?.table);
  tables.set(feed, { mark, table });
  return table;
}
