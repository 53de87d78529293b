/** Plays a run that is over into a feed, as if it trained now: by position in steps, forwards and back. */
import { type Signal, signal } from "@preact/signals";
import type { RecordedRun, RolloutRow } from "../state/records.ts";
import { RunFeed } from "../state/run_feed.ts";
import { recordedPulse, runTotals } from "./recorded_pulse.ts";
import { type RecordedTimeline, timelineOf } from "./recorded_timeline.ts";

/** A step at speed 1: long enough to see it happen, short enough for a run in the first half minute. */
export const STEP_MS = 700;
export const SPEEDS = [0.5, 1, 2, 4] as const;
/** A tab that slept does not make up for it. */
const LONGEST_TICK_MS = 250;

export class Player {
  readonly run: RecordedRun;
  readonly feed: RunFeed;
  /** Steps of the recording. */
  readonly length: number;
  readonly playing: Signal<boolean> = signal(false);
  readonly speed: Signal<number> = signal(1);
  /** In steps, with the part of the step that is being played. */
  readonly position: Signal<number> = signal(0);
  private readonly rollouts = new Map<number, RolloutRow[]>();
  private laid: RecordedTimeline | null = null;
  private readonly totals: ReturnType<typeof runTotals>;
  /** Steps and events that the feed has been told. */
  private told = 0;
  private happened = 0;

  /** @param feed one that holds the whole run already, and is played again from there; by default a new one */
  constructor(run: RecordedRun, feed?: RunFeed) {
    this.run = run;
    this.length = run.steps.length;
    this.feed = feed ?? new RunFeed(run.name, "recorded", run.recipe);
    this.feed.adapter = run.adapter;
    for (const row of run.rollouts) {
      const rows = this.rollouts.get(row.step);
      if (rows) rows.push(row);
      else this.rollouts.set(row.step, [row]);
    }
    this.totals = runTotals(run.steps);
    if (feed) {
      this.position.value = this.length;
      this.told = this.length;
      this.happened = run.trace.length;
      return;
    }
    this.tellEvaluations();
    this.show();
  }

  /** Laid out when it is first needed: a long run that is only looked at is spared it. */
  private get timeline(): RecordedTimeline {
    this.laid ??= timelineOf(this.run.trace, this.length);
    return this.laid;
  }

  get atEnd(): boolean {
    return this.position.value >= this.length;
  }

  play(): void {
    if (this.atEnd) this.seek(0);
    this.playing.value = true;
    this.show();
  }

  pause(): void {
    this.playing.value = false;
    this.show();
  }

  toggle(): void {
    if (this.playing.value) this.pause();
    else this.play();
  }

  /** To the end of the step that is being played; pauses. */
  stepOnce(): void {
    this.playing.value = false;
    this.seek(Math.min(this.length, Math.floor(this.position.value) + 1));
  }

  /** Lets time pass. */
  advance(ms: number): void {
    if (!this.playing.value) return;
    const moved = (Math.min(ms, LONGEST_TICK_MS) / STEP_MS) * this.speed.value;
    this.moveTo(this.position.value + moved);
    if (this.atEnd) this.playing.value = false;
    this.show();
  }

  /** Goes to a position, back as well. */
  seek(position: number): void {
    this.moveTo(position);
    if (this.atEnd) this.playing.value = false;
    this.show();
  }

  private moveTo(position: number): void {
    const to = Math.min(this.length, Math.max(0, position));
    if (to < this.position.value) this.rewind(to);
    this.position.value = to;
    for (; this.told < Math.floor(to); this.told++) {
      const row = this.run.steps[this.told];
      this.feed.addStep(row, this.rollouts.get(row.step ?? this.told + 1) ?? []);
    }
    this.tellEvaluations();
    const happened = this.timeline.countUntil(to);
    if (happened > this.happened) this.feed.addTrace(this.timeline.events.slice(this.happened, happened));
    this.happened = happened;
  }

  private rewind(to: number): void {
    this.told = Math.min(this.told, Math.floor(to));
    this.feed.rewindTo(this.told === 0 ? -1 : (this.run.steps[this.told - 1].step ?? this.told));
    this.feed.evaluations.length = 0;
    this.feed.turned.length = 0;
    this.happened = this.timeline.countUntil(to);
    this.feed.trace = this.timeline.events.slice(0, this.happened);
  }

  /** Evaluations and turned settings up to here, in the run's own order. */
  private tellEvaluations(): void {
    const { evaluations, turned } = this.run;
    const seen = evaluations.filter(({ step }) => Math.min(step, this.length) <= this.told);
    for (const row of seen.slice(this.feed.evaluations.length)) this.feed.addEvaluation(row);
    const turnedSoFar = turned.filter(({ step }) => step <= this.told);
    for (const row of turnedSoFar.slice(this.feed.turned.length)) this.feed.addTurned(row);
  }

  private show(): void {
    const { feed } = this;
    feed.summary = this.atEnd ? this.run.summary : null;
    feed.phase.value = this.atEnd ? "done" : this.playing.value ? "training" : "paused";
    const position = this.position.value;
    const pulse = recordedPulse(this.run.steps, this.totals, position, this.playing.value);
    // A trace knows better than the metrics when a stage worked.
    if (this.playing.value && !this.atEnd) Object.assign(pulse.activity, this.timeline.activityAt(position));
    feed.pulse.value = pulse;
  }
}
