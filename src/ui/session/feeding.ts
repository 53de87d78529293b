/** Puts a session's events into the run that views watch. */
import { atRest } from "../state/records.ts";
import type { RunFeed } from "../state/run_feed.ts";
import type { SessionEvent } from "./api.ts";
import { toFailure } from "./failure.ts";

export function applyEvent(feed: RunFeed, event: SessionEvent): void {
  switch (event.kind) {
    case "phase":
      // Whoever watches the phase reads the sentence that belongs to it.
      feed.notice.value = event.notice;
      feed.phase.value = event.phase;
      break;
    case "ready":
      feed.adapter = event.adapter;
      feed.touch();
      break;
    case "step":
      feed.addStep(event.row, event.rollouts);
      feed.remainingSeconds.value = event.remainingSeconds;
      break;
    case "rollouts":
      feed.addRollouts(event.rollouts);
      break;
    case "evaluation":
      feed.addEvaluation(event.row);
      break;
    case "turned":
      feed.addTurned(event.row);
      break;
    case "trace":
      feed.addTrace(event.events);
      break;
    case "pulse":
      feed.pulse.value = event.pulse;
      break;
    case "saved":
      break;
    case "restarted":
      feed.rewindTo(event.step);
      feed.notice.value = `The ${event.worker.replace(/ \d+$/, "")} was started again after step ${event.step}: ${event.reason}`;
      break;
    case "ended":
      feed.summary = event.summary;
      settle(feed);
      break;
    case "failed":
      feed.failure.value = toFailure(event.error, event.saved);
      settle(feed);
      break;
  }
}

/** Nothing moves any more; what was counted stays, also what its rows do not tell: problems begun and not trained on. */
function settle(feed: RunFeed): void {
  if (feed.pulse.value) feed.pulse.value = atRest(feed.pulse.value);
  feed.remainingSeconds.value = null;
  feed.touch();
}
