/** The page's one invitation. */

import { duration } from "../parts/format.ts";
import { feed, live } from "../state/app.ts";
import { askToTrain } from "./actions.ts";
import { isUnderWay } from "./controls.ts";

export function TrainHere() {
  const run = feed.value;
  const training = live.value && isUnderWay(live.value.phase.value) ? live.value : null;
  return (
    <div class="now-invite">
      {training ? (
        <>
          <p class="soft small">{training.notice.value || "Training on this computer."}</p>
          {training !== run && (
            <button type="button" class="button primary" onClick={() => (feed.value = training)}>
              Show the run that trains
            </button>
          )}
        </>
      ) : (
        <>
          <button type="button" class="button primary now-train" onClick={() => askToTrain()}>
            Train this here
          </button>
          <p class="soft small">{origin(run.kind, run.summary?.wall_s ?? null)}</p>
        </>
      )}
    </div>
  );
}

function origin(kind: string, seconds: number | null): string {
  if (kind !== "recorded") return "Another run, on your own GPU, in this tab.";
  const took = seconds === null ? "" : ` It took ${duration(seconds)}.`;
  return `You are looking at a recording.${took} The button runs the same loop on your own GPU.`;
}
