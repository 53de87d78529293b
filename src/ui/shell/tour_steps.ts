/** The tour: what is pointed at, and what is said of it. */
import type { Hideable } from "../state/app.ts";

export interface TourStep {
  /** CSS selector of what is pointed at. */
  target: string;
  title: string;
  text: string;
  /** Said as well where a recording is played. */
  replaying?: string;
  /** Left out where a teacher has hidden this. */
  needs?: Hideable;
  /** Left out while a run trains. */
  idle?: true;
}

export const TOUR: readonly TourStep[] = [
  {
    target: ".now-learning",
    title: "One number to watch",
    text: "Every answer is marked, and the reward is the mean mark of one step. It rises because the model learns.",
    replaying: "Drag along the line to go back.",
  },
  {
    target: ".now-example",
    title: "What it writes",
    text: "One problem, and one of the tries at it. All tries at a problem are compared: those better than the others become likelier, the rest less likely.",
    needs: "learning",
  },
  {
    target: ".strip",
    title: "The loop",
    text: "Five stages work at the same time. A grey one waits, an amber one is what the others wait for. Click a stage to look inside.",
    needs: "strip",
  },
  {
    target: ".tabs",
    title: "Five views",
    text: "The curves, every single answer, who waited for whom, all settings, and a talk with the model itself.",
  },
  {
    target: ".controls",
    title: "Stop time",
    text: "Pause and go on with the space bar, take a single step with S. It works for the recording and for your own run.",
    needs: "controls",
  },
  {
    target: ".now-invite",
    title: "Your turn",
    text: "The same loop on your own GPU. First you are told what it needs and how long it takes; nothing starts before you say so.",
    needs: "controls",
    idle: true,
  },
];

/** What the tour finds on the page. */
export interface Scene {
  hidden: ReadonlySet<Hideable>;
  replays: boolean;
  trains: boolean;
}

export function tourFor({ hidden, replays, trains }: Scene): TourStep[] {
  return TOUR.filter(
    ({ needs, idle }) => (needs === undefined || !hidden.has(needs)) && !(idle && trains),
  ).map((step) => (replays && step.replaying ? { ...step, text: `${step.text} ${step.replaying}` } : step));
}

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

const GAP = 14;
const EDGE = 12;

/** Where the card stands: below what it speaks of if there is room, else above, else at the window's lower edge. */
export function placeCard(
  target: Box,
  card: { width: number; height: number },
  window: { width: number; height: number },
): { left: number; top: number } {
  const left = Math.max(EDGE, Math.min(target.left, window.width - card.width - EDGE));
  const isInside = (top: number) => top >= EDGE && top + card.height + EDGE <= window.height;
  const below = target.top + target.height + GAP;
  const above = target.top - GAP - card.height;
  const top = [below, above].find(isInside) ?? Math.max(EDGE, window.height - card.height - EDGE);
  return { left, top };
}
