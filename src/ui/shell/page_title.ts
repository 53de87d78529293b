/** The tab's title tells how far the training is, for who has gone to another tab. */
import { effect } from "@preact/signals";
import { trainingRun } from "./actions.ts";
import { stepsAskedFor } from "./strip_stages.ts";

/** Keeps the title up until the returned function is called. */
export function keepTitle(): () => void {
  const plain = document.title;
  const stop = effect(() => {
    const run = trainingRun();
    if (!run) {
      document.title = plain;
      return;
    }
    run.changed.value;
    const step = run.steps.at(-1)?.step ?? 0;
    document.title = `${step}/${stepsAskedFor(run.recipe)} ${run.phase.value} · webgrpo`;
  });
  return () => {
    stop();
    document.title = plain;
  };
}
