/** The page's one invitation; while a run trains, what it is doing. */
import { duration } from "../parts/format.ts";
import { feed } from "../state/app.ts";
import type { RunFeed } from "../state/run_feed.ts";
import { askToTrain, trainingRun } from "./actions.ts";
import { shownPlayer } from "./demo.ts";

export function TrainHere() {
  const run = feed.value;
  const training = trainingRun();
  if (training) return <Training training={training} inView={training === run} />;
  return (
    <div class="now-invite">
      <button type="button" class="button primary now-train" onClick={askToTrain}>
        Train this here
      </button>
      <p class="soft small">{origin(run)}</p>
    </div>
  );
}

function Training({ training, inView }: { training: RunFeed; inView: boolean }) {
  const seconds = training.remainingSeconds.value;
  training.changed.value;
  return (
    <div class="now-invite">
      <p class="now-label">{inView ? "Training here" : "Another run trains here"}</p>
      <p class="small now-doing" aria-live="polite">
        {training.notice.value || "\u00a0"}
      </p>
      <p class="soft small num">
        {seconds === null || seconds <= 0 ? "\u00a0" : `about ${duration(seconds)} left`}
      </p>
      {!inView && (
        <button
          type="button"
          class="button primary"
          onClick={() => {
            feed.value = training;
          }}
        >
          Show it
        </button>
      )}
      {inView && training.adapter && <p class="soft small now-adapter">{training.adapter}</p>}
    </div>
  );
}

/** Where the run in view comes from. */
function origin({ kind }: RunFeed): string {
  if (kind !== "recorded") return "Another run, on your own GPU, in this tab.";
  const summary = shownPlayer()?.run.summary;
  const took = summary ? ` of a run that took ${duration(summary.wall_s)}` : "";
  return `You are looking at a recording${took}. The button runs the same loop on your own GPU.`;
}
