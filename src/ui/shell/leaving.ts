/** What happens when a page that trains is hidden or left. */
import { signal } from "@preact/signals";
import type { RunFeed } from "../state/run_feed.ts";
import { trainingRun } from "./actions.ts";
import { hiddenNotice } from "./hidden_tab.ts";
import { sessionModule } from "./session.ts";

/** An honest word about a hidden tab, until it is closed. */
export const slowedNotice = signal<string | null>(null);

/** True while steps would be lost with the page. */
export function hasUnsavedSteps(run: RunFeed | null, savedStep: number | null): boolean {
  if (!run || ["loading", "starting"].includes(run.phase.value)) return false;
  const reached = run.steps.at(-1)?.step ?? 0;
  return run.phase.value === "paused" ? reached > (savedStep ?? 0) : true;
}

/** Warns before unsaved training is left, and watches for hidden tabs, until the returned function is called. */
export function watchLeaving(): () => void {
  let away: { run: RunFeed; steps: number; evaluations: number; at: number } | null = null;
  const onLeave = (event: BeforeUnloadEvent) => {
    const saved = sessionModule.value?.savedStep.value ?? null;
    if (hasUnsavedSteps(trainingRun(), saved)) event.preventDefault();
  };
  const onVisibility = () => {
    const run = trainingRun();
    if (document.visibilityState === "hidden") {
      away =
        run?.phase.value === "training"
          ? {
              run,
              steps: run.steps.length,
              evaluations: run.evaluations.length,
              at: performance.now(),
            }
          : null;
    } else if (away) {
      const { steps, evaluations, at } = away;
      if (away.run === run) {
        const stepsAlone = run.phase.value === "training" && run.evaluations.length === evaluations;
        slowedNotice.value = hiddenNotice(run.steps, steps, (performance.now() - at) / 1000, stepsAlone);
      }
      away = null;
    }
  };
  addEventListener("beforeunload", onLeave);
  document.addEventListener("visibilitychange", onVisibility);
  return () => {
    removeEventListener("beforeunload", onLeave);
    document.removeEventListener("visibilitychange", onVisibility);
  };
}
