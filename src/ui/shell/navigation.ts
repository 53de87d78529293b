/** Going from view to view. */
import { hidden, VIEWS, type ViewName, view } from "../state/app.ts";

/** Views that a teacher has not hidden. */
export function shownViews(): ViewName[] {
  return VIEWS.filter((name) => !hidden.value.has(name));
}

/** The view that is shown: the first of them where the one asked for is hidden, undefined where all are. */
export function shownView(): ViewName | undefined {
  return hidden.value.has(view.value) ? shownViews()[0] : view.value;
}

/** Less of the window than this left for a view: the page scrolls the loop to its top. */
const LEAST_SHARE = 0.5;

/** Shows a view, where it can be seen. */
export function openView(name: ViewName): void {
  if (hidden.value.has(name)) return;
  const leaves = document.getElementById("view-panel")?.contains(document.activeElement);
  view.value = name;
  requestAnimationFrame(() => {
    const panel = document.getElementById("view-panel");
    const anchor = document.getElementById("loop");
    if (!panel || !anchor) return;
    // What had the focus went with the view before: the keyboard goes on from the new one's tab.
    if (leaves && !panel.contains(document.activeElement))
      document.getElementById(`tab-${name}`)?.focus({ preventScroll: true });
    const { top } = panel.getBoundingClientRect();
    if (top > innerHeight * (1 - LEAST_SHARE) || top < 0) anchor.scrollIntoView({ block: "start" });
  });
}
