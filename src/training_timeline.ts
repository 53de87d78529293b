/**
 * A run's timeline while it is being made: gathers what the workers did when, adds what only the loop knows (what the
 * trainer waited for, which group a step used, when a version was out), hands out what is new and writes the file.
 */
import { DataError } from "./errors.ts";
import {
  gpuTrackOf,
  slicesOn,
  Trace,
  type TraceEvent,
  type TraceMoment,
  type TraceSpan,
  traceClock,
} from "./metrics/trace.ts";
import { readTrace } from "./metrics/trace_read.ts";
import type { RewardedGroup } from "./rollout.ts";
import type { RunDirectory } from "./runs/run_directory.ts";
import type { TrainerStep } from "./trainer/api.ts";

/** Events kept for the file, the newest: about 8 MB. */
const KEPT_EVENTS = 50_000;
/** Finished groups that may still be trained on; more than any recipe has in flight. */
const KEPT_GROUPS = 8192;

export const TRAINER_TRACK = "trainer";

export class RunTimeline {
  private readonly trace = new Trace({ capacity: KEPT_EVENTS });
  private fresh: TraceEvent[] = [];
  /** By group: when its last token was drawn. */
  private readonly finished = new Map<number, TraceMoment>();

  /** @param earlier of the same run, before it was resumed */
  constructor(earlier: readonly TraceEvent[] = []) {
    this.trace.add(...earlier);
  }

  /** Bound, so that it can be handed on. */
  readonly add = (events: readonly TraceEvent[]): void => {
    this.trace.add(...events);
    for (const event of events) this.fresh.push(event);
  };

  /** A version is out. */
  published(version: number, at = traceClock()): void {
    this.add([{ kind: "mark", name: `version ${version}`, at }]);
  }

  groupFinished(groupId: number, moment: TraceMoment): void {
    this.finished.set(groupId, moment);
    if (this.finished.size > KEPT_GROUPS) this.finished.delete(this.finished.keys().next().value as number);
  }

  groupDropped(groupId: number): void {
    this.finished.delete(groupId);
  }

  /** A step was taken on these groups, after the trainer had waited for them. */
  trained(step: number, groups: readonly RewardedGroup[], trained: TrainerStep, waitMs: number): void {
    const { spans } = trained;
    const [first] = spans;
    const wait = { name: "wait for rollouts", start: first.start - waitMs, end: first.start };
    const inStep = [wait, ...spans].map((span: TraceSpan) => ({
      ...span,
      details: { ...span.details, step },
    }));
    this.add(slicesOn(TRAINER_TRACK, inStep));
    this.add(slicesOn(gpuTrackOf(TRAINER_TRACK), trained.gpuSpans));
    // Into the work itself: `pack` is short, and `publish` comes when all is done.
    const used = spans.find(({ name }) => name.startsWith("forward")) ?? first;
    const to = { track: TRAINER_TRACK, at: (9 * used.start + used.end) / 10 };
    this.published(trained.version, spans[spans.length - 1].end);
    const arrows = groups.flatMap(({ groupId }): TraceEvent[] => {
      const from = this.finished.get(groupId);
      this.finished.delete(groupId);
      return from ? [{ kind: "arrow", name: `group ${groupId}`, from, to }] : [];
    });
    this.add(arrows);
  }

  /** The trainer did nothing since then, because of this. */
  rested(name: string, since: number): void {
    this.add(slicesOn(TRAINER_TRACK, [{ name, start: since, end: traceClock() }]));
  }

  /** What is new since the last call, in no particular order. */
  take(): TraceEvent[] {
    const { fresh } = this;
    this.fresh = [];
    return fresh;
  }

  toJson(): string {
    return this.trace.toJson();
  }
}

/** Goes on with the timeline that a run has, if it has one. */
export async function openTimeline(run: RunDirectory): Promise<RunTimeline> {
  return new RunTimeline(await readTimeline(run));
}

/** A run's timeline; empty where there is none, or none that can be read. */
export async function readTimeline({ storage }: RunDirectory): Promise<TraceEvent[]> {
  const bytes = await storage.read("trace.json");
  if (bytes === null) return [];
  try {
    return readTrace(new TextDecoder().decode(bytes));
  } catch (error) {
    if (error instanceof DataError) return [];
    throw error;
  }
}
