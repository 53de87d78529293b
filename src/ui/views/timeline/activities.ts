/** What the names in a trace mean: whose track it is, which slices are waits, and for what. */
import { gpuOwnerOf } from "../../../metrics/trace.ts";
import { STAGES, type StageName } from "../../state/records.ts";

/** A track's stage by its first word, as in `generator 0`, or that of its GPU's owner; null for a track of no stage. */
export function stageOf(track: string): StageName | null {
  const [word] = (gpuOwnerOf(track) ?? track).split(" ");
  return STAGES.find((stage) => stage === word) ?? null;
}

// What one stage does for another is coloured as the stage it belongs to.
const BELONGS: Readonly<Record<string, StageName>> = {
  publish: "weights",
  "take weights": "weights",
  save: "weights",
};

/** The stage that gives a slice its colour. */
export function colourStage(track: string, name: string): StageName | null {
  return BELONGS[name] ?? stageOf(track);
}

const waits = new Map<string, boolean>();

/** Remembers its answers: it is asked of every slice in view, in every frame. */
export function isWait(name: string): boolean {
  let known = waits.get(name);
  if (known === undefined) {
    known = /^wait/i.test(name);
    waits.set(name, known);
  }
  return known;
}

/** What a wait was for, "rollouts" of `wait for rollouts`; "" where nobody knows. */
export function awaited(track: string, name: string): string {
  const said = name.replace(/^wait\w*\s*(for\s+|on\s+)?/i, "").trim();
  // A generator rests when it has nothing to decode, whatever the reason; a verifier when nothing is done.
  if (said === "" && stageOf(track) === "generator") return "prompts";
  if (said === "" && stageOf(track) === "verifier") return "completions";
  return said;
}

/** What is written on a slice. */
export function labelOf({ track, name }: { track: string; name: string }): string {
  if (!isWait(name)) return name;
  const what = awaited(track, name);
  return what ? `waits for ${what}` : "waits";
}

/** What the trainer's GPU does for a step, in order. */
export const PHASES = ["forward", "backward", "optimiser"] as const;

// To the ink alone, neighbours would be too much alike in the dark.
const SHADES: Readonly<Record<string, number>> = {
  prefill: 0.3,
  pack: 0.5,
  save: 0.4,
  backward: -0.5,
  optimiser: 0.75,
  "read back": -0.7,
};

/** How far a slice's colour leans from its stage's, so that neighbours can be told apart: to the ink, negative to the card. */
export function shadeOf(name: string): number {
  return SHADES[name] ?? 0;
}

const ORDER: readonly (StageName | null)[] = ["tasks", "generator", "verifier", "trainer", "weights", null];

/** Tracks in the order of the loop, then by number, each worker's GPU below it. */
export function compareTracks(a: string, b: string): number {
  const [ownerA, ownerB] = [gpuOwnerOf(a), gpuOwnerOf(b)];
  return (
    ORDER.indexOf(stageOf(a)) - ORDER.indexOf(stageOf(b)) ||
    (ownerA ?? a).localeCompare(ownerB ?? b, "en", { numeric: true }) ||
    Number(ownerA !== null) - Number(ownerB !== null)
  );
}
