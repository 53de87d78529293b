/** The whole run through the filter, a slice at a time between frames. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { FilterScan } from "./filter_scan.ts";
import type { RowFilter } from "./row_filter.ts";
import type { Browsed } from "./state.ts";

const SLICE_MS = 8;

/** The scan of this run and filter; the component draws anew when a slice is done. `size`: rows of the run by now. */
export function useScan({ index, trainer }: Browsed, filter: RowFilter, size: number): FilterScan {
  const scan = useMemo(
    () => new FilterScan(index, filter, { ranges: index.ranges, trainer }),
    [index, trainer, filter],
  );
  const [, redraw] = useState(0);
  // New rows are looked at, though the scan stays the same.
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const work = () => {
      const done = scan.advance(performance.now() + SLICE_MS, () => performance.now());
      if (!done) timer = setTimeout(work, 0);
      else redraw((n) => n + 1);
    };
    if (!scan.done) work();
    return () => clearTimeout(timer);
  }, [scan, size]);
  return scan;
}
