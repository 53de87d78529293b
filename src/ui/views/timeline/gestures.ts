/** Drags, pinches, wheels and keys on the canvas, as changes of the view. */
import type { TimelineController } from "./controller.ts";
import type { Slice, Span } from "./trace_index.ts";

/** A pointer that moved less than this many pixels pressed, and did not drag. */
const STILL = 4;

interface Finger {
  startX: number;
  x: number;
  moved: boolean;
}

export interface Surface {
  /** The view as it is drawn now, and the pixels it takes. */
  view(): Span;
  width(): number;
  hit(x: number, y: number): Slice | null;
}

export class Gestures {
  private readonly controller: TimelineController;
  private readonly surface: Surface;
  private readonly fingers = new Map<number, Finger>();
  /** The view when the fingers last came or went: movements count from there. */
  private began: Span = { from: 0, to: 1 };

  constructor(controller: TimelineController, surface: Surface) {
    this.controller = controller;
    this.surface = surface;
  }

  get dragging(): boolean {
    return [...this.fingers.values()].some(({ moved }) => moved);
  }

  down(id: number, x: number): void {
    this.fingers.set(id, { startX: x, x, moved: false });
    this.begin();
  }

  move(id: number, x: number, y: number, touch: boolean): void {
    const finger = this.fingers.get(id);
    if (!finger) {
      if (!touch) this.controller.hovered.value = this.surface.hit(x, y);
      return;
    }
    finger.x = x;
    if (Math.abs(x - finger.startX) >= STILL) finger.moved = true;
    if (!finger.moved && this.fingers.size === 1) return;
    this.controller.hovered.value = null;
    this.controller.place(moved(this.began, [...this.fingers.values()], this.surface.width()));
  }

  up(id: number, x: number, y: number): void {
    const finger = this.fingers.get(id);
    if (!finger) return;
    const pressed = !finger.moved && this.fingers.size === 1;
    this.fingers.delete(id);
    if (pressed) this.controller.select(this.surface.hit(x, y));
    this.begin();
  }

  cancel(id: number): void {
    this.fingers.delete(id);
    this.begin();
  }

  leave(): void {
    this.controller.hovered.value = null;
  }

  /** Returns whether the wheel was meant for the timeline and not for the page. */
  wheel(
    event: Pick<WheelEvent, "deltaX" | "deltaY" | "ctrlKey" | "metaKey" | "shiftKey">,
    x: number,
  ): boolean {
    const { deltaX, deltaY } = event;
    if (event.ctrlKey || event.metaKey) {
      // A pinch on a touchpad comes in small steps, a wheel's notch as about a hundred.
      const factor = Math.exp(deltaY * (Math.abs(deltaY) < 40 ? 0.01 : 0.0025));
      this.controller.zoom(factor, x / this.surface.width(), false);
      return true;
    }
    const along = event.shiftKey && deltaX === 0 ? deltaY : deltaX;
    if (Math.abs(along) <= Math.abs(deltaY) && !event.shiftKey) return false;
    this.controller.pan(along / this.surface.width(), false);
    return true;
  }

  private begin(): void {
    this.began = this.surface.view();
    for (const finger of this.fingers.values()) {
      finger.startX = finger.x;
    }
  }
}

/** The view in which what lay under each finger when it came down lies under it now. */
export function moved(began: Span, fingers: readonly { startX: number; x: number }[], width: number): Span {
  const perPixel = (began.to - began.from) / width;
  const [a, b] = fingers;
  if (!b) {
    const by = (a.startX - a.x) * perPixel;
    return { from: began.from + by, to: began.to + by };
  }
  const before = b.startX - a.startX;
  const now = b.x - a.x;
  // Fingers that meet or cross would turn the view inside out.
  const factor = before * now > 0 ? Math.min(20, Math.max(0.05, before / now)) : 1;
  const middle = began.from + ((a.startX + b.startX) / 2) * perPixel;
  const from = middle - ((a.x + b.x) / 2) * perPixel * factor;
  return { from, to: from + (began.to - began.from) * factor };
}

/** Does what a key asks. Returns whether it was a key of the timeline's. */
export function press(controller: TimelineController, key: string, shift: boolean): boolean {
  switch (key) {
    case "ArrowLeft":
    case "ArrowRight":
      if (shift) controller.pan(key === "ArrowLeft" ? -0.25 : 0.25);
      else controller.walk(key === "ArrowLeft" ? "left" : "right");
      return true;
    case "ArrowUp":
    case "ArrowDown":
      controller.walk(key === "ArrowUp" ? "up" : "down");
      return true;
    case "Home":
    case "End":
      controller.walk(key === "Home" ? "first" : "last");
      return true;
    case "+":
    case "=":
      controller.zoom(1 / 1.5, controller.focusPoint());
      return true;
    case "-":
    case "_":
      controller.zoom(1.5, controller.focusPoint());
      return true;
    case "0":
      controller.fit();
      return true;
    case "f":
      controller.setFollow(!controller.follow.value);
      return true;
    case "Enter":
      return controller.followArrow();
    case "Escape":
      if (!controller.selected.value) return false;
      controller.select(null);
      return true;
    default:
      return false;
  }
}
