/** What the list of stored runs says of each. */
import { byteText, count } from "../parts/format.ts";
import type { StoredRun } from "../session/api.ts";

export interface RunMarks {
  /** It trains in this tab. */
  training: boolean;
  inView: boolean;
  compared: boolean;
}

/** Whether it can go on from a checkpoint. */
export function canGoOn({ checkpoint, steps, of, problem, training }: StoredRun): boolean {
  if (problem !== undefined || training || checkpoint === null) return false;
  return Math.min(checkpoint, steps || checkpoint) < of;
}

/** How it ended, in words. */
export function endOf(run: StoredRun, { training }: Pick<RunMarks, "training">): string {
  if (training) return "training";
  if (run.training) return "training in another tab";
  if (run.problem !== undefined) return "damaged";
  if (run.steps >= run.of && run.ended) return "finished";
  return run.ended ? "stopped and saved" : "cut off";
}

export function runLine(run: StoredRun): string {
  return `${count(run.steps)} of ${count(run.of)} steps · ${byteText(run.bytes)}`;
}

/** Newest first. */
export function byTime(runs: readonly StoredRun[]): StoredRun[] {
  return [...runs].sort((a, b) => b.savedAt - a.savedAt);
}

/** The newest run that a reload or a crash cut off and that can go on. */
export function interruptedRun(runs: readonly StoredRun[], training: string | null): StoredRun | null {
  return byTime(runs).find((run) => !run.ended && run.name !== training && canGoOn(run)) ?? null;
}

/** "today, 14:05", "12 May, 09:30". */
export function whenSaved(savedAt: number, now: number, locale?: string): string {
  const then = new Date(savedAt);
  const time = then.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
  if (then.toDateString() === new Date(now).toDateString()) return `today, ${time}`;
  return `${then.toLocaleDateString(locale, { day: "numeric", month: "short" })}, ${time}`;
}
