/** The whole run as a narrow strip, and the part of it that is in view; dragging on it moves the view. */
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { isWait, shadeOf } from "./activities.ts";
import type { TimelineController } from "./controller.ts";
import { visitLane } from "./lod.ts";
import { readPalette } from "./palette.ts";
import { SliceStyles } from "./slice_style.ts";
import { fitCanvas, watchLook } from "./surface.ts";
import { overall } from "./viewport.ts";

/** Height of the lanes together, and of each at most. */
const LANES = 26;
const MOST_LANE = 6;
const ROOM = 4;
/** The strip is drawn anew at most this often while the run goes on, milliseconds. */
const PACE = 300;

export function Overview({ controller }: { controller: TimelineController }) {
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const pane = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = host.current!;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const redraw = () => {
      timer = null;
      // Sizes may still be told between the view's end and that of its effects.
      if (!canvas.current || !pane.current) return;
      paint(controller, element, canvas.current);
      frame(controller, pane.current);
    };
    const later = () => {
      timer ??= setTimeout(redraw, PACE);
    };
    const stopLook = watchLook(element, redraw);
    const stopGrowing = effect(() => {
      controller.grown.value;
      later();
    });
    const stopMoving = effect(() => {
      controller.view.value;
      if (pane.current) frame(controller, pane.current);
    });
    const unlisten = listen(element, controller);
    return () => {
      stopLook();
      stopGrowing();
      stopMoving();
      unlisten();
      if (timer) clearTimeout(timer);
    };
  }, [controller]);
  return (
    <div ref={host} class="timeline-overview" aria-hidden="true">
      <canvas ref={canvas} />
      <div ref={pane} class="timeline-window" />
    </div>
  );
}

function paint({ index, whole }: TimelineController, host: HTMLElement, canvas: HTMLCanvasElement): void {
  const width = host.clientWidth;
  const context = canvas.getContext("2d");
  if (!context || width === 0) return;
  // Without GPUs, whose work is that of their workers in more detail.
  const tracks = index.tracks.filter(({ gpu }) => !gpu);
  const lane = Math.max(2, Math.min(MOST_LANE, Math.floor(LANES / Math.max(tracks.length, 1)) - 1));
  const height = tracks.length * (lane + 1) - 1 + 2 * ROOM;
  const ratio = fitCanvas(canvas, width, height);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const styles = new SliceStyles(readPalette(host));
  const view = overall(whole);
  tracks.forEach(({ name, lanes: [slices] }, i) => {
    const top = ROOM + i * (lane + 1);
    visitLane(slices, view, width, {
      slice: (x, wide, slice) => {
        const wait = isWait(slice.name);
        // Waits are told by their paleness here, as there is no room for hatching: no work is pale.
        const plain = wait || shadeOf(slice.name) < 0;
        context.fillStyle = plain ? styles.merged(name, 1, wait) : styles.of(name, slice.name).fill;
        context.fillRect(x, top, Math.max(1, wide - 0.5), lane);
      },
      merged: (x, wide, covered, waits) => {
        context.fillStyle = styles.merged(name, covered, waits);
        context.fillRect(x, top, wide, lane);
      },
    });
  });
}

/** Lays the frame around the part that is in view. */
function frame({ view, whole }: TimelineController, pane: HTMLElement): void {
  const all = overall(whole);
  const length = all.to - all.from;
  const left = Math.max(0, (view.value.from - all.from) / length);
  const right = Math.min(1, (view.value.to - all.from) / length);
  pane.style.left = `${left * 100}%`;
  pane.style.width = `${Math.max(0, right - left) * 100}%`;
}

function listen(element: HTMLElement, controller: TimelineController): () => void {
  const listening = new AbortController();
  const { signal } = listening;
  const centre = (event: PointerEvent) => {
    const { left, width } = element.getBoundingClientRect();
    const all = overall(controller.whole);
    const at = all.from + ((event.clientX - left) / width) * (all.to - all.from);
    controller.centre(at);
  };
  element.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button !== 0) return;
      element.setPointerCapture(event.pointerId);
      centre(event);
    },
    { signal },
  );
  element.addEventListener(
    "pointermove",
    (event) => {
      if (element.hasPointerCapture(event.pointerId)) centre(event);
    },
    { signal },
  );
  return () => listening.abort();
}
