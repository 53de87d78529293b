/** What the page's buttons and keys do. */
import { signal } from "@preact/signals";
import { draftRecipe, feed, hidden, live } from "../state/app.ts";
import { type ControlStates, controlStates, isUnderWay } from "./controls.ts";
import { shownPlayer } from "./demo.ts";
import { openView } from "./navigation.ts";
import { ask, sessionModule } from "./session.ts";
import type { Command } from "./shortcuts.ts";
import { stepsAskedFor } from "./strip_stages.ts";

/** Which of the things that lie over the page is open. */
export type Overlay = "preflight" | "runs" | "help" | "tour";
export const overlay = signal<Overlay | null>(null);

/** The run that trains in this tab, or null. */
export function trainingRun() {
  return live.value && isUnderWay(live.value.phase.value) ? live.value : null;
}

/** Opens the card that says what a run needs. */
export function askToTrain(): void {
  shownPlayer()?.pause();
  overlay.value = "preflight";
}

/** Starts the next run. */
export async function train(): Promise<void> {
  const recipe = draftRecipe.value;
  overlay.value = null;
  await ask((client) => client.trainHere(recipe));
}

/** What can be done with the run in view. Reads signals. */
export function states(): ControlStates {
  const { kind, phase, steps, recipe } = feed.value;
  const reached = steps.at(-1)?.step ?? 0;
  // One that was stopped or cut before its first step is kept as well, and begins anew.
  const stored = reached > 0 || kind === "stored" || sessionModule.value?.savedStep.value != null;
  const playable = shownPlayer() !== null;
  return controlStates(kind, phase.value, reached < stepsAskedFor(recipe), { playable, stored });
}

export function toggleRun(): void {
  const { main } = states();
  const player = shownPlayer();
  if (player) player.toggle();
  else if (main === "pause") ask((client) => client.pause());
  else if (main === "resume") ask((client) => client.resume());
  else if (main === "continue") goOn();
}

/** Trains on from where the run in view is stored. */
export function goOn(): void {
  if (!trainingRun()) ask((client) => client.resumeRun(feed.value.name));
}

export function stepRun(): void {
  const player = shownPlayer();
  if (!states().step) return;
  if (player) player.stepOnce();
  else ask((client) => client.step());
}

export function stopRun(): void {
  if (states().stop) ask((client) => client.stop());
}

export function carryOut(command: Command): void {
  const hasControls = !hidden.value.has("controls");
  if (command.kind === "toggle" && hasControls) toggleRun();
  else if (command.kind === "step" && hasControls) stepRun();
  else if (command.kind === "help") overlay.value = "help";
  else if (command.kind === "view") openView(command.view);
}
