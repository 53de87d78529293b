/** What the page's buttons and keys do. */
import { signal } from "@preact/signals";
import { feed } from "../state/app.ts";
import { shownPlayer } from "./demo.ts";
import { openView } from "./navigation.ts";
import type { Command } from "./shortcuts.ts";

/** Which of the things that lie over the page is open. */
export type Overlay = "preflight" | "runs" | "help" | "tour";
export const overlay = signal<Overlay | null>(null);

export function askToTrain(): void {
  overlay.value = "preflight";
}

export function toggleRun(): void {
  shownPlayer()?.toggle();
}

export function stepRun(): void {
  shownPlayer()?.stepOnce();
}

export function carryOut(command: Command): void {
  if (command.kind === "toggle") toggleRun();
  else if (command.kind === "step") stepRun();
  else if (command.kind === "help") overlay.value = "help";
  else openView(command.view);
}

export function isLive(): boolean {
  return feed.value.kind === "live";
}
