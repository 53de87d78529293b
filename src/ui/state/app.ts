/** What the page as a whole is showing: the run in view, runs beside it, the view, what a teacher has hidden. */
import { signal } from "@preact/signals";
import { RunFeed } from "./run_feed.ts";

export const VIEWS = ["learning", "rollouts", "timeline", "settings", "chat"] as const;
export type ViewName = (typeof VIEWS)[number];

/** Parts that `?hide=` may name, beside the views. */
export const HIDEABLE = [...VIEWS, "controls", "strip", "runs", "tour"] as const;
export type Hideable = (typeof HIDEABLE)[number];

export const view = signal<ViewName>("learning");
/** The run in view. */
export const feed = signal<RunFeed>(new RunFeed("", "recorded", {}));
/** Runs drawn beside it on the charts. */
export const compared = signal<readonly RunFeed[]>([]);
/** The run that trains in this tab, also while another is in view. */
export const live = signal<RunFeed | null>(null);
export const hidden = signal<ReadonlySet<Hideable>>(new Set());
/** The rollout that other views point at, by id. */
export const selectedRollout = signal<number | null>(null);
/** The recipe of the next run, as plain JSON that extends the schema's defaults. */
export const draftRecipe = signal<Record<string, unknown>>({});
