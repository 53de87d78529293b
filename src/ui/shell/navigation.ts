/** Going from view to view. */
import { hidden, VIEWS, type ViewName, view } from "../state/app.ts";

/** Views that a teacher has not hidden. */
export function shownViews(): ViewName[] {
  return VIEWS.filter((name) => !hidden.value.has(name));
}

/** Less of the window than this left for a view: the page scrolls the loop to its top. */
const LEAST_SHARE = 0.5;

/** Shows a view, where it can be seen. */
export function openView(name: ViewName): void {
  if (hidden.value.has(name)) return;
  view.value = name;
  requestAnimationFrame(() => {
    const panel = document.getElementById("view-panel");
    const anchor = document.getElementById("loop");
    if (!panel || !anchor) return;
    const { top } = panel.getBoundingClientRect();
    if (top > innerHeight * (1 - LEAST_SHARE) || top < 0) anchor.scrollIntoView({ block: "start" });
  });
}
