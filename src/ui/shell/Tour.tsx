/** Six steps through the page, which can be left at any of them. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { pressable } from "../parts/pressable.ts";
import { hidden, view } from "../state/app.ts";
import { overlay, trainingRun } from "./actions.ts";
import { shownPlayer } from "./demo.ts";
import { type Box, placeCard, tourFor } from "./tour_steps.ts";
import "./tour.css";

const PADDING = 10;

const leave = () => {
  overlay.value = null;
};

function boxOf(target: Element): Box {
  const { left, top, width, height } = target.getBoundingClientRect();
  return {
    left: left - PADDING,
    top: top - PADDING,
    width: width + 2 * PADDING,
    height: height + 2 * PADDING,
  };
}

export function Tour() {
  // As the page was when the tour began: no step comes or goes under the reader's eyes.
  const [steps] = useState(() =>
    tourFor({ hidden: hidden.value, replays: shownPlayer() !== null, trains: trainingRun() !== null }),
  );
  const [at, setAt] = useState(0);
  const dialog = useRef<HTMLDialogElement>(null);
  const card = useRef<HTMLDivElement>(null);
  const ring = useRef<HTMLDivElement>(null);
  const { target, title, text } = steps[at];

  useLayoutEffect(() => {
    const opener = document.activeElement;
    // The problem that is spoken of stands beside the curves alone. Each step scrolls to where it points.
    if (!hidden.value.has("learning")) view.value = "learning";
    dialog.current?.showModal();
    return () => {
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);

  useLayoutEffect(() => {
    const place = () => {
      const shown = document.querySelector(target);
      if (!shown || !card.current || !ring.current) return;
      const box = boxOf(shown);
      const { offsetWidth: width, offsetHeight: height } = card.current;
      const { left, top } = placeCard(box, { width, height }, { width: innerWidth, height: innerHeight });
      card.current.style.translate = `${left}px ${top}px`;
      Object.assign(ring.current.style, {
        translate: `${box.left}px ${box.top}px`,
        width: `${box.width}px`,
        height: `${box.height}px`,
      });
    };
    const shown = document.querySelector(target);
    shown?.scrollIntoView({ block: "nearest" });
    place();
    // What is pointed at grows as its numbers come, and with the view that it stands in.
    const resized = new ResizeObserver(place);
    if (shown) resized.observe(shown);
    addEventListener("resize", place);
    addEventListener("scroll", place);
    return () => {
      resized.disconnect();
      removeEventListener("resize", place);
      removeEventListener("scroll", place);
    };
  }, [target]);

  const last = at === steps.length - 1;
  const onKey = ({ key }: KeyboardEvent) => {
    if (key === "ArrowRight" && !last) setAt(at + 1);
    if (key === "ArrowLeft" && at > 0) setAt(at - 1);
  };
  return (
    <dialog
      ref={dialog}
      class="tour"
      aria-labelledby="tour-title"
      onCancel={leave}
      onClose={leave}
      onKeyDown={onKey}
    >
      <div ref={ring} class="tour-ring" />
      <div ref={card} class="tour-card">
        <p class="small soft num">
          {at + 1} of {steps.length}
        </p>
        <h2 id="tour-title">{title}</h2>
        <p aria-live="polite">{text}</p>
        <div class="tour-actions">
          <button type="button" class="button quiet" onClick={leave}>
            {last ? "Close" : "Skip"}
          </button>
          <span class="tour-space" />
          <button type="button" class="button" {...pressable(at > 0, () => setAt(at - 1))}>
            Back
          </button>
          <button type="button" class="button primary" onClick={() => (last ? leave() : setAt(at + 1))}>
            {last ? "Done" : "Next"}
          </button>
        </div>
      </div>
    </dialog>
  );
}
