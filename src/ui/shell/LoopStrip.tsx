/** The loop as a map: five stations on a line and the way back, each a door to its view. */
import { useEffect, useRef, useState } from "preact/hooks";
import { feed, hidden } from "../state/app.ts";
import type { LoopPulse } from "../state/records.ts";
import type { RunFeed } from "../state/run_feed.ts";
import { isUnderWay } from "./controls.ts";
import { type LoopStatus, LoopWatch } from "./loop_watch.ts";
import { openView } from "./navigation.ts";
import { currentRow } from "./now.ts";
import { recordedPulse, runTotals } from "./recorded_pulse.ts";
import { viewTitle } from "./shortcuts.ts";
import { batchShare, type StageWords, stageWords, stepsAskedFor } from "./strip_stages.ts";
import "./loop_strip.css";

const STATUS_WORDS = { works: "", waits: "waits", bottleneck: "bottleneck", rests: "" };

/** Follows the feed's pulse; begins anew with another run. */
function useLoopStatus(pulse: LoopPulse | null, run: unknown): LoopStatus | null {
  const watch = useRef({ run, loop: new LoopWatch(), at: 0 });
  const [status, setStatus] = useState<LoopStatus | null>(null);
  useEffect(() => {
    if (watch.current.run !== run) watch.current = { run, loop: new LoopWatch(), at: 0 };
    if (!pulse) {
      watch.current = { run, loop: new LoopWatch(), at: 0 };
      return setStatus(null);
    }
    const now = performance.now();
    setStatus(watch.current.loop.observe(pulse, watch.current.at ? now - watch.current.at : 0));
    watch.current.at = now;
  }, [pulse, run]);
  return status;
}

/** What the feed tells of its loop; of a run that is over, where its rows left off. */
function pulseOf(run: RunFeed): LoopPulse | null {
  run.changed.value;
  if (run.pulse.value) return run.pulse.value;
  return run.steps.length === 0
    ? null
    : recordedPulse(run.steps, runTotals(run.steps), run.steps.length, false);
}

export function LoopStrip() {
  const run = feed.value;
  const pulse = pulseOf(run);
  const moving = isUnderWay(run.phase.value);
  const status = useLoopStatus(moving ? pulse : null, run);
  const done = currentRow(run.steps)?.step ?? 0;
  const words = stageWords(pulse, { done, of: stepsAskedFor(run.recipe) || run.steps.length });
  // Below 0 no generator has told yet.
  const inUse = pulse && pulse.generatorVersion >= 0 ? `v${pulse.generatorVersion}` : "–";
  return (
    <nav class="strip" aria-label="The loop">
      <button
        type="button"
        class="strip-back"
        title="Open Timeline"
        disabled={hidden.value.has("timeline")}
        onClick={() => openView("timeline")}
      >
        {pulse && moving && pulse.trainerVersion > 0 && (
          <span key={pulse.trainerVersion} class="strip-parcel" />
        )}
        <span class="strip-back-label">
          generator writes with <b class="num">{inUse}</b>
          <span class="visually-hidden">, opens Timeline</span>
        </span>
      </button>
      <ol class="strip-stages">
        {words.map((word) => (
          <Stage
            key={word.stage}
            word={word}
            status={status?.stages[word.stage] ?? "rests"}
            busy={pulse?.activity[word.stage] === "busy"}
            fill={word.stage === "verifier" ? batchShare(pulse) : null}
          />
        ))}
      </ol>
      <p class="strip-sentence soft small">{status?.sentence || "\u00a0"}</p>
      {!crossOriginIsolated && (
        <p
          class="chip strip-chip"
          title="Weights are copied between workers instead of shared. All works, a little slower."
        >
          running without shared memory
        </p>
      )}
    </nav>
  );
}

interface StageProps {
  word: StageWords;
  status: keyof typeof STATUS_WORDS;
  busy: boolean;
  /** How full the line to the next stage is; null: it is not filled. */
  fill: number | null;
}

function Stage({ word, status, busy, fill }: StageProps) {
  const { stage, number, counts, queue, opens } = word;
  return (
    <li class={`strip-stage is-${status}`} style={{ "--stage": `var(--${stage})` }}>
      <button
        type="button"
        title={`Open ${viewTitle(opens)}`}
        disabled={hidden.value.has(opens)}
        onClick={() => openView(opens)}
      >
        <span class="strip-dot" aria-hidden="true" />
        <span class="strip-name">{stage}</span>
        <span class="strip-number num">{number}</span>
        <span class="strip-counts">{counts}</span>
        <span class="strip-status">{STATUS_WORDS[status] || " "}</span>
        {queue && (
          <span class="visually-hidden">
            , {queue.number} {queue.counts}
          </span>
        )}
      </button>
      {stage !== "weights" && (
        <span class={`strip-line ${busy && fill === null ? "is-moving" : ""}`} aria-hidden="true">
          <span class="strip-flow" />
          {fill !== null && <span class="strip-fill" style={{ transform: `scaleX(${fill})` }} />}
          {queue && (
            <span class="strip-queue">
              <b class="num">{queue.number}</b> {queue.counts}
            </span>
          )}
        </span>
      )}
    </li>
  );
}
