/**
 * One run as the views see it, whichever way it came: rows are appended as they arrive, and `changed` is bumped at most
 * ten times a second, so that views redraw by time and not by event.
 */
import { type Signal, signal } from "@preact/signals";
import type { RecordedPolicy } from "../../runs/recorded_policy.ts";
import type {
  EvaluationRow,
  LoopPulse,
  RecordedRun,
  RolloutRow,
  RunPhase,
  RunSummaryRow,
  StepRow,
  TraceEvent,
  TurnedRow,
} from "./records.ts";

/** Completions and trace events that are kept to be looked at; older ones are in the run's files. */
const KEPT_ROLLOUTS = 20_000;
const KEPT_EVENTS = 60_000;
const REDRAW_MS = 100;

/** A failure as the page tells it. */
export interface Failure {
  code: string;
  message: string;
  hint?: string;
}

export type FeedKind = "recorded" | "live" | "stored";

export class RunFeed {
  readonly name: string;
  readonly kind: FeedKind;
  readonly recipe: Record<string, unknown>;
  adapter = "";
  /** In order of their steps. Do not change in place; read after `changed`. */
  readonly steps: StepRow[] = [];
  readonly evaluations: EvaluationRow[] = [];
  readonly turned: TurnedRow[] = [];
  rollouts: RolloutRow[] = [];
  trace: TraceEvent[] = [];
  summary: RunSummaryRow | null = null;
  /** What a run out of storage consists of, so that it can be played again. */
  whole: RecordedRun | null = null;
  /** What a recorded run learned, `folder` as an address; null where that is not on this page. */
  policy: RecordedPolicy | null = null;
  /** Bumped when any of the rows above changed. */
  readonly changed = signal(0);
  readonly phase: Signal<RunPhase> = signal<RunPhase>("idle");
  /** One sentence about what is going on, such as "Loading the model". */
  readonly notice = signal("");
  readonly pulse: Signal<LoopPulse | null> = signal<LoopPulse | null>(null);
  readonly failure: Signal<Failure | null> = signal<Failure | null>(null);
  readonly remainingSeconds: Signal<number | null> = signal<number | null>(null);
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(name: string, kind: FeedKind, recipe: Record<string, unknown>) {
    this.name = name;
    this.kind = kind;
    this.recipe = recipe;
  }

  /** A whole run at once, for one out of storage. */
  static of(run: RecordedRun, kind: FeedKind): RunFeed {
    const feed = new RunFeed(run.name, kind, run.recipe);
    feed.adapter = run.adapter;
    feed.steps.push(...run.steps);
    feed.evaluations.push(...run.evaluations);
    feed.turned.push(...run.turned);
    feed.rollouts = run.rollouts;
    feed.trace = run.trace;
    feed.summary = run.summary;
    feed.phase.value = "done";
    if (kind === "stored") feed.whole = run;
    return feed;
  }

  addStep(step: StepRow, rollouts: readonly RolloutRow[]): void {
    this.steps.push(step);
    this.addRollouts(rollouts);
  }

  addRollouts(rollouts: readonly RolloutRow[]): void {
    for (const row of rollouts) this.rollouts.push(row);
    if (this.rollouts.length > KEPT_ROLLOUTS * 1.1) this.rollouts = this.rollouts.slice(-KEPT_ROLLOUTS);
    this.touch();
  }

  addEvaluation(evaluation: EvaluationRow): void {
    this.evaluations.push(evaluation);
    this.touch();
  }

  addTurned(turned: TurnedRow): void {
    this.turned.push(turned);
    this.touch();
  }

  addTrace(events: readonly TraceEvent[]): void {
    this.trace.push(...events);
    if (this.trace.length > KEPT_EVENTS * 1.1) this.trace = this.trace.slice(-KEPT_EVENTS);
    this.touch();
  }

  /** Forgets what came after a step: a run that begins again there will tell it anew. */
  rewindTo(step: number): void {
    for (const rows of [this.steps, this.evaluations, this.turned] as { step?: number | null }[][]) {
      const keep = rows.findIndex((row) => (row.step ?? 0) > step);
      if (keep >= 0) rows.length = keep;
    }
    this.rollouts = this.rollouts.filter((row) => row.step <= step);
    this.summary = null;
    this.touch();
  }

  /** Tells the views, at most ten times a second. */
  touch(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.changed.value++;
    }, REDRAW_MS);
  }
}
