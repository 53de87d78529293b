/** The drawn timeline: a canvas that is panned, zoomed and walked through, and the names of its tracks beside it. */
import { effect, signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { TimelineController } from "./controller.ts";
import { Gestures, press } from "./gestures.ts";
import { hit, type Layout, layoutOf } from "./layout.ts";
import { Painter } from "./paint.ts";
import { readPalette } from "./palette.ts";
import { fitCanvas, watchLook } from "./surface.ts";
import type { Span } from "./trace_index.ts";

/** Below this width names stand above their tracks, which grow for fingers. */
const COMPACT = 560;
/** The view has come two thirds of its way after this long, milliseconds. */
const GLIDE = 55;

interface CanvasProps {
  controller: TimelineController;
  /** The id of the text that says which keys do what. */
  help: string;
}

/** What lies between the signals and the canvas; lives as long as the element. */
class Canvas {
  readonly layout = signal<Layout>({ rows: [], levels: [], height: 0, compact: false });
  private readonly controller: TimelineController;
  private readonly host: HTMLElement;
  private readonly canvas: HTMLCanvasElement;
  private painter: Painter | null = null;
  private width = 0;
  private ratio = 1;
  private shown: Span;
  private frame = 0;
  private drawnAt = 0;
  private readonly still = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(controller: TimelineController, host: HTMLElement, canvas: HTMLCanvasElement) {
    this.controller = controller;
    this.host = host;
    this.canvas = canvas;
    this.shown = controller.view.value;
  }

  view(): Span {
    return this.shown;
  }

  hit(x: number, y: number) {
    return hit(this.layout.peek(), x, y, this.shown, this.width);
  }

  pixels(): number {
    return this.width;
  }

  /** Watches everything that changes the picture. Returns how to stop. */
  watch(): () => void {
    const { controller } = this;
    const stopLook = watchLook(this.host, () => this.resize());
    const stopLayout = effect(() => {
      controller.grown.value;
      this.arrange();
    });
    const stopDrawing = effect(() => {
      controller.view.value;
      controller.grown.value;
      controller.selected.value;
      controller.hovered.value;
      controller.allArrows.value;
      this.layout.value;
      this.request();
    });
    return () => {
      stopLook();
      stopLayout();
      stopDrawing();
      cancelAnimationFrame(this.frame);
    };
  }

  private request(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame((now) => this.draw(now));
  }

  private resize(): void {
    this.width = this.host.clientWidth;
    this.painter = null;
    this.arrange();
    this.request();
  }

  /** Lays out anew only where tracks came or lanes were added: names are then set again. */
  private arrange(): void {
    const { index } = this.controller;
    const compact = this.width < COMPACT;
    const old = this.layout.peek();
    const same =
      old.compact === compact &&
      old.rows.length === index.tracks.length &&
      old.levels.length === index.levels.size &&
      old.rows.every(({ track, lanes }, i) => track === index.tracks[i] && track.lanes.length === lanes);
    if (!same) this.layout.value = layoutOf(index, compact);
  }

  private prepared(): Painter | null {
    const ratio = fitCanvas(this.canvas, this.width, this.layout.peek().height);
    if (this.painter && this.ratio === ratio) return this.painter;
    this.ratio = ratio;
    const context = this.canvas.getContext("2d");
    if (context)
      this.painter = new Painter(
        context,
        readPalette(this.host),
        getComputedStyle(this.host).fontFamily,
        ratio,
      );
    return this.painter;
  }

  private draw(now: number): void {
    this.frame = 0;
    const { controller } = this;
    // A frame may still come between the view's end and that of its effects: there are no colours to be read then.
    const painter = this.width > 0 && this.host.isConnected ? this.prepared() : null;
    if (!painter) return;
    const moving = this.approach(now);
    const pointed = controller.hovered.value ?? controller.selected.value;
    const { index } = controller;
    painter.paint({
      index,
      layout: this.layout.peek(),
      view: this.shown,
      width: this.width,
      selected: controller.selected.value,
      hovered: controller.hovered.value,
      faint: controller.allArrows.value ? index.arrowsIn(this.shown) : [],
      arrows: pointed ? [...index.leaving(pointed), ...index.reaching(pointed)] : [],
    });
    this.drawnAt = now;
    if (moving) this.request();
  }

  /** Moves what is shown towards the view. Returns whether there is more to go. */
  private approach(now: number): boolean {
    const target = this.controller.view.value;
    const pixel = (target.to - target.from) / this.width;
    const far = Math.abs(target.from - this.shown.from) + Math.abs(target.to - this.shown.to);
    if (!this.controller.glides || this.still.matches || far < pixel || far > 1e4 * pixel) {
      this.shown = target;
      return false;
    }
    // After a rest the last frame says nothing about how long this one takes.
    const elapsed = Math.min(34, Math.max(4, now - this.drawnAt));
    const share = 1 - Math.exp(-elapsed / GLIDE);
    this.shown = {
      from: this.shown.from + (target.from - this.shown.from) * share,
      to: this.shown.to + (target.to - this.shown.to) * share,
    };
    return true;
  }
}

export function TimelineCanvas({ controller, help }: CanvasProps) {
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const layout = useMemo(() => signal<Layout | null>(null), []);

  useEffect(() => {
    const element = host.current!;
    const drawn = new Canvas(controller, element, canvas.current!);
    const gestures = new Gestures(controller, {
      view: () => drawn.view(),
      width: () => drawn.pixels(),
      hit: (x, y) => drawn.hit(x, y),
    });
    const stop = drawn.watch();
    const stopNames = effect(() => {
      layout.value = drawn.layout.value;
    });
    const unlisten = listen(element, gestures, controller);
    return () => {
      unlisten();
      stopNames();
      stop();
    };
  }, [controller, layout]);

  return (
    <div class={`timeline-chart${layout.value?.compact ? " compact" : ""}`}>
      <div class="timeline-names" aria-hidden="true">
        {layout.value?.rows.map(({ track, y, height, lanesY }) => (
          <span
            key={track.name}
            class={`timeline-name ${track.stage ?? ""}${track.gpu ? " gpu" : ""}`}
            style={{ top: `${y}px`, height: `${layout.value?.compact ? lanesY - y - 3 : height}px` }}
          >
            {track.gpu ? "its GPU" : track.name}
          </span>
        ))}
        {layout.value?.levels.map(({ name, y, height, curveY }) => (
          <span
            key={name}
            class="timeline-name level"
            style={{ top: `${y}px`, height: `${layout.value?.compact ? curveY - y - 3 : height}px` }}
          >
            {name}
          </span>
        ))}
      </div>
      <div
        ref={host}
        class="timeline-host"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes the keys that walk through it
        tabIndex={0}
        aria-label="Timeline of the run's workers"
        aria-describedby={help}
      >
        <canvas ref={canvas} />
      </div>
    </div>
  );
}

function listen(element: HTMLElement, gestures: Gestures, controller: TimelineController): () => void {
  const listening = new AbortController();
  const { signal: until } = listening;
  const place = (event: MouseEvent): [number, number] => {
    const { left, top } = element.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  const cursor = () => {
    element.dataset.cursor = gestures.dragging ? "drag" : controller.hovered.value ? "slice" : "";
  };
  element.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button !== 0) return;
      gestures.down(event.pointerId, place(event)[0]);
      element.setPointerCapture(event.pointerId);
    },
    { signal: until },
  );
  element.addEventListener(
    "pointermove",
    (event) => {
      gestures.move(event.pointerId, ...place(event), event.pointerType === "touch");
      cursor();
    },
    { signal: until },
  );
  element.addEventListener(
    "pointerup",
    (event) => {
      gestures.up(event.pointerId, ...place(event));
      cursor();
    },
    { signal: until },
  );
  element.addEventListener("pointercancel", (event) => gestures.cancel(event.pointerId), { signal: until });
  element.addEventListener("pointerleave", () => gestures.leave(), { signal: until });
  element.addEventListener(
    "wheel",
    (event) => {
      if (gestures.wheel(event, place(event)[0])) event.preventDefault();
    },
    { signal: until, passive: false },
  );
  element.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (press(controller, event.key, event.shiftKey)) event.preventDefault();
    },
    { signal: until },
  );
  return () => listening.abort();
}
