/** The table behind the picture: how each track spent the span that is in view. */
import { labelOf } from "./activities.ts";
import { percent } from "./bottleneck.ts";
import type { TrackShare } from "./shares.ts";
import { length } from "./viewport.ts";

interface ShareTableProps {
  shares: readonly TrackShare[];
  /** Milliseconds of the span. */
  span: number;
  /** The span in words. */
  words: string;
}

export function ShareTable({ shares, span, words }: ShareTableProps) {
  return (
    <section
      class="timeline-table"
      aria-label="Time by track and activity"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways is scrolled with the keyboard too
      tabIndex={0}
    >
      <table class="small">
        <caption class="soft">Share of {words} that each track spent on each activity</caption>
        <thead>
          <tr>
            <th scope="col">Track</th>
            <th scope="col">Activity</th>
            <th scope="col" class="end">
              Share
            </th>
            <th scope="col" class="end">
              Time
            </th>
            <th scope="col" class="end">
              Slices
            </th>
          </tr>
        </thead>
        {shares.map(({ track, activities, idle }) => (
          <tbody key={track.name}>
            {activities.map(({ name, time, count }, i) => (
              <tr key={name}>
                {i === 0 && (
                  <th scope="rowgroup" rowSpan={activities.length + 1}>
                    <span class={`timeline-name inline ${track.stage ?? ""}${track.gpu ? " gpu" : ""}`}>
                      {track.name}
                    </span>
                  </th>
                )}
                <td>{labelOf({ track: track.name, name })}</td>
                <td class="end">{percent(time / span)}</td>
                <td class="end">{length(time)}</td>
                <td class="end">{count.toLocaleString("en")}</td>
              </tr>
            ))}
            <tr class="soft">
              {activities.length === 0 && (
                <th scope="rowgroup">
                  <span class={`timeline-name inline ${track.stage ?? ""}${track.gpu ? " gpu" : ""}`}>
                    {track.name}
                  </span>
                </th>
              )}
              <td>idle</td>
              <td class="end">{percent(idle / span)}</td>
              <td class="end">{length(idle)}</td>
              <td class="end" />
            </tr>
          </tbody>
        ))}
      </table>
    </section>
  );
}
