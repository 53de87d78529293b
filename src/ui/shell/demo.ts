/** The recorded run that plays when the page opens, and the players of stored runs. */
import { signal } from "@preact/signals";
import { feed } from "../state/app.ts";
import type { RecordedRun } from "../state/records.ts";
import type { RunFeed } from "../state/run_feed.ts";
import { Player } from "./player.ts";

export const demo = signal<Player | null>(null);
/** Why there is none, in words. */
export const demoTrouble = signal<string | null>(null);

export function prefersStillness(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Fetches the recording and plays it; where motion is not wanted, shows its end. */
export async function loadDemo(): Promise<void> {
  try {
    const address = new URL("demo/run.json", document.baseURI);
    const response = await fetch(address);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    const run = (await response.json()) as RecordedRun;
    const player = new Player(run);
    // Its weights are fetched when somebody talks to it.
    if (run.policy) player.feed.policy = { ...run.policy, folder: new URL(run.policy.folder, address).href };
    demo.value = player;
    // Another run may have been opened meanwhile, by the address or by hand.
    if (feed.value.name === "" && feed.value.steps.length === 0) showDemo();
    if (prefersStillness()) player.seek(player.length);
    else if (feed.value === player.feed) player.play();
  } catch (error) {
    demoTrouble.value = `The recorded run could not be loaded: ${error instanceof Error ? error.message : error}.`;
  }
}

export function showDemo(): void {
  if (demo.value) feed.value = demo.value.feed;
}

/** Players of stored runs that have been opened; each goes with its run. */
const players = new WeakMap<RunFeed, Player>();

/** The player of the run in view, if that is one that is over. Reads signals. */
export function shownPlayer(): Player | null {
  const run = feed.value;
  if (run === demo.value?.feed) return demo.value;
  if (run.whole === null || run.whole.steps.length === 0) return null;
  let player = players.get(run);
  if (!player) {
    player = new Player(run.whole, run);
    players.set(run, player);
  }
  return player;
}

const TICK_MS = 100;

/** Moves the player on until the returned function is called. A run that is not in view rests. */
export function keepPlaying(): () => void {
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    shownPlayer()?.advance(now - last);
    last = now;
  }, TICK_MS);
  return () => clearInterval(timer);
}
