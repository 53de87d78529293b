/** The run that a reload or a crash cut off, offered when the page is opened again. */
import { effect, signal } from "@preact/signals";
import type { StoredRun } from "../session/api.ts";
import { live } from "../state/app.ts";
import { trainingRun } from "./actions.ts";
import { interruptedRun } from "./run_list.ts";
import { ask, session } from "./session.ts";

export const cutRun = signal<StoredRun | null>(null);

/** Whether this browser keeps runs of this page, without starting anything to find out. */
async function keepsRuns(): Promise<boolean> {
  try {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle("runs");
    for await (const _ of folder.keys()) return true;
    return false;
  } catch {
    return false; // No private files here, or nothing was ever stored.
  }
}

/** Looks for a run to offer. A browser that stores nothing is spared the session's code. */
export async function lookForCutRun(): Promise<void> {
  if (!(await keepsRuns())) return;
  // Once something trains, the offer is over.
  effect(() => {
    if (live.value) cutRun.value = null;
  });
  try {
    const runs = await (await session()).listRuns();
    cutRun.value = interruptedRun(runs, trainingRun()?.name ?? null);
  } catch {
    cutRun.value = null; // The runs' list says what is wrong when it is opened.
  }
}

export async function resumeCut(): Promise<void> {
  const run = cutRun.value;
  cutRun.value = null;
  if (run) await ask((client) => client.resumeRun(run.name));
}
