/** The run in time: what every worker did and waited for, which rollouts a step used, and what holds the loop up. */
import { effect } from "@preact/signals";
import { useEffect, useId, useMemo, useState } from "preact/hooks";
import { feed } from "../../state/app.ts";
import type { RunFeed } from "../../state/run_feed.ts";
import { PHASES } from "./activities.ts";
import { TimelineController } from "./controller.ts";
import { spoken } from "./describe.ts";
import { downloadTrace, mirrored, setMirrored } from "./export.ts";
import { Overview } from "./Overview.tsx";
import { ShareTable } from "./ShareTable.tsx";
import { SliceCard } from "./SliceCard.tsx";
import { fillOf } from "./slice_style.ts";
import { type Summary, summarize } from "./summary.ts";
import { TimelineCanvas } from "./TimelineCanvas.tsx";
import "./timeline.css";

/** Numbers in sentences and tables change at most this often, milliseconds: faster could not be read. */
const CALM = 500;

const ended = (run: RunFeed) => ["done", "failed"].includes(run.phase.value);

export function Timeline() {
  const run = feed.value;
  const controller = useMemo(() => new TimelineController(), [run]);
  const [filled, setFilled] = useState(false);
  useEffect(
    () =>
      effect(() => {
        run.changed.value;
        controller.take(run.trace, !ended(run));
        setFilled(!controller.index.empty);
      }),
    [run, controller],
  );
  return (
    <section class="card timeline" aria-labelledby="timeline-heading">
      <h2 id="timeline-heading">Timeline</h2>
      {filled ? <Chart run={run} controller={controller} /> : <Nothing run={run} />}
    </section>
  );
}

function Nothing({ run }: { run: RunFeed }) {
  return (
    <p class="timeline-nothing soft">
      {ended(run)
        ? "No timeline was kept of this run. Train here or play a newer recording to see one."
        : "The timeline begins when the run's first work is done."}
    </p>
  );
}

function Chart({ run, controller }: { run: RunFeed; controller: TimelineController }) {
  const help = useId();
  return (
    <>
      <Sentence run={run} controller={controller} />
      <Tools run={run} controller={controller} />
      <Overview controller={controller} />
      <TimelineCanvas controller={controller} help={help} />
      <Legend controller={controller} />
      <SliceCard controller={controller} help={help} />
      <Told controller={controller} />
      <Table run={run} controller={controller} />
    </>
  );
}

function Legend({ controller }: { controller: TimelineController }) {
  controller.grown.value;
  const { names } = controller.index;
  return (
    <p class="timeline-legend small soft">
      {/* A slice is often too short for its name. Older recordings do not tell phases apart. */}
      {PHASES.filter((name) => names.has(name)).map((name) => (
        <span key={name} class="timeline-key" style={{ "--key": fillOf("trainer", name) }}>
          {name}
        </span>
      ))}
      <span class="timeline-key wait">waits</span>
      <span class="timeline-key gpu">GPU at work</span>
      <span class="timeline-key idle">idle</span>
      <span class="timeline-key version">new weights, by version</span>
    </p>
  );
}

/** Read to whoever cannot see the canvas: only what was chosen, not what the pointer passes. */
function Told({ controller }: { controller: TimelineController }) {
  const slice = controller.selected.value;
  return (
    <p class="visually-hidden" aria-live="polite">
      {slice ? spoken(slice, controller.index) : ""}
    </p>
  );
}

function useSummary(run: RunFeed, controller: TimelineController): Summary {
  const [summary, setSummary] = useState(() => summarize(controller, !ended(run)));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const stop = effect(() => {
      controller.view.value;
      controller.grown.value;
      controller.follow.value;
      run.phase.value;
      timer ??= setTimeout(() => {
        timer = null;
        setSummary(summarize(controller, !ended(run)));
      }, CALM);
    });
    return () => {
      stop();
      if (timer) clearTimeout(timer);
    };
  }, [run, controller]);
  return summary;
}

function Sentence({ run, controller }: { run: RunFeed; controller: TimelineController }) {
  const { bottleneck } = useSummary(run, controller);
  return <p class={`timeline-sentence ${bottleneck.stage ?? ""}`}>{bottleneck.sentence}</p>;
}

function Table({ run, controller }: { run: RunFeed; controller: TimelineController }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="timeline-details" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Table of the time in view</summary>
      {open && <OpenTable run={run} controller={controller} />}
    </details>
  );
}

function OpenTable({ run, controller }: { run: RunFeed; controller: TimelineController }) {
  const { shares, span, words } = useSummary(run, controller);
  return <ShareTable shares={shares} span={span} words={words} />;
}

function Tools({ run, controller }: { run: RunFeed; controller: TimelineController }) {
  const { follow, allArrows } = controller;
  return (
    <div class="timeline-tools">
      <fieldset class="timeline-buttons">
        <legend class="visually-hidden">What is in view</legend>
        <button type="button" class="button" aria-label="Zoom out" onClick={() => controller.zoom(1.6)}>
          −
        </button>
        <button type="button" class="button" aria-label="Zoom in" onClick={() => controller.zoom(1 / 1.6)}>
          +
        </button>
        <button type="button" class="button" onClick={() => controller.fit()}>
          Fit
        </button>
        <button type="button" class="button" onClick={() => controller.lastMinute()}>
          Last minute
        </button>
        <button
          type="button"
          class="button"
          aria-pressed={follow.value}
          onClick={() => controller.setFollow(!follow.value)}
        >
          Follow
        </button>
      </fieldset>
      <div class="timeline-options">
        <label class="timeline-check small" title="From rollouts to the step that used them">
          <input
            type="checkbox"
            checked={allArrows.value}
            onChange={(event) => {
              allArrows.value = event.currentTarget.checked;
            }}
          />
          All arrows
        </label>
        <label class="timeline-check timeline-devtools small" title="As tracks of Chrome's Performance panel">
          <input
            type="checkbox"
            checked={mirrored.value}
            onChange={(event) => setMirrored(event.currentTarget.checked)}
          />
          Show in DevTools
        </label>
        <button
          type="button"
          class="button"
          title="Opens in Perfetto and chrome://tracing"
          onClick={() => downloadTrace(run.trace)}
        >
          Save trace.json
        </button>
      </div>
    </div>
  );
}
