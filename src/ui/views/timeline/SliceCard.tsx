/** What is known of the slice that is pointed at or selected; keeps its place while there is none. */

import { gpuOwnerOf } from "../../../metrics/trace.ts";
import { colourStage, isWait } from "./activities.ts";
import type { TimelineController } from "./controller.ts";
import { describe, EXACT, type Link } from "./describe.ts";
import { clock } from "./viewport.ts";

const MOST_LINKS = 3;

export function SliceCard({ controller, help }: { controller: TimelineController; help: string }) {
  const slice = controller.hovered.value ?? controller.selected.value;
  controller.grown.value;
  if (!slice)
    return (
      <div class="timeline-card">
        <p class="small soft" id={help}>
          <span class="timeline-keys">
            Point at a slice, or press <kbd>←</kbd> <kbd>→</kbd> to walk along a track and <kbd>↑</kbd>{" "}
            <kbd>↓</kbd> between tracks. Drag or <kbd>Shift</kbd> <kbd>←</kbd> <kbd>→</kbd> moves,{" "}
            <kbd>+</kbd> <kbd>−</kbd> or <kbd>Ctrl</kbd> and the wheel zooms, <kbd>0</kbd> shows all,{" "}
            <kbd>F</kbd> follows, <kbd>Enter</kbd> goes along an arrow.
          </span>
          <span class="timeline-touch">Tap a slice to see what it was. Drag to move, pinch to zoom.</span>
        </p>
      </div>
    );
  const { title, track, start, duration, details, links } = describe(slice, controller.index);
  const stage = colourStage(slice.track, slice.name);
  return (
    <div class="timeline-card">
      <div class="timeline-what">
        <h3
          class={`timeline-title ${stage ?? ""}${isWait(slice.name) ? " wait" : gpuOwnerOf(slice.track) ? " gpu" : ""}`}
        >
          {title}
        </h3>
        <dl class="timeline-facts num">
          <Fact name="track" value={track} />
          <Fact name="start" value={start} />
          <Fact name="duration" value={duration} />
          {details.map(([name, value]) => (
            <Fact key={name} name={name} value={value} />
          ))}
        </dl>
      </div>
      <p class="timeline-links small">
        <Links
          links={links.filter(({ way }) => way === "from")}
          title="rollouts from"
          controller={controller}
        />
        <Links links={links.filter(({ way }) => way === "feeds")} title="used by" controller={controller} />
      </p>
      <p class="visually-hidden" id={help}>
        Left and right walk along a track, up and down between tracks, plus and minus zoom, zero shows all,
        Enter goes along an arrow.
      </p>
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Links({
  links,
  title,
  controller,
}: {
  links: Link[];
  title: string;
  controller: TimelineController;
}) {
  if (links.length === 0) return null;
  return (
    <span>
      <span class="soft">{title}</span>
      {links.slice(0, MOST_LINKS).map(({ slice, count }) => (
        <button
          key={`${slice.track}${slice.start}`}
          type="button"
          class="timeline-link"
          onClick={() => controller.select(slice, true)}
        >
          {slice.track}, {clock(slice.start - controller.index.origin, EXACT)}
          {count > 1 && ` × ${count}`}
        </button>
      ))}
      {links.length > MOST_LINKS && <span class="soft">and {links.length - MOST_LINKS} more</span>}
    </span>
  );
}
