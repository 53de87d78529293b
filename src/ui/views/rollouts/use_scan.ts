/** The whole run through the filter, a slice at a time between frames. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { FilterScan } from "./filter_scan.ts";
import type { RowFilter } from "./row_filter.ts";
import type { Browsed } from "./state.ts";

const SLICE_MS = 8;

const advance = (scan: FilterScan) => scan.advance(performance.now() + SLICE_MS, () => performance.now());

/**
 * The scan of this run by this filter, null where it is not wanted. The first slice is done at once, so that a few new rows
 * never show as unfinished; the component draws anew when the rest is done.
 */
export function useScan({ index, trainer }: Browsed, filter: RowFilter, wanted: boolean): FilterScan | null {
  const scan = useMemo(
    () => (wanted ? new FilterScan(index, filter, { ranges: index.ranges, trainer }) : null),
    [index, trainer, filter, wanted],
  );
  const [, redraw] = useState(0);
  const done = scan === null || scan.done || advance(scan);
  useEffect(() => {
    if (!scan || done) return;
    let timer = setTimeout(function work() {
      if (advance(scan)) redraw((n) => n + 1);
      else timer = setTimeout(work, 0);
    }, 0);
    return () => clearTimeout(timer);
  }, [scan, done]);
  return scan;
}
