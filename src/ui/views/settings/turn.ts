/** The settings that may be turned while a run trains: what they are now, and the way to the run. */
import { signal } from "@preact/signals";
import { findField } from "../../../config/describe.ts";
import type { Knobs } from "../../../control.ts";
import { ask } from "../../shell/session.ts";
import type { RunPhase, TurnedRow } from "../../state/records.ts";
import type { SliderScale } from "./slider.ts";
import { type Layer, valueAt } from "./values.ts";

/** Takes turned settings to the run that trains in this tab; what goes wrong is told on the page. */
export const onTurn = signal<(knobs: Knobs) => unknown>((knobs) => ask((client) => client.turn(knobs)));

export interface Knob {
  key: keyof Knobs;
  path: string;
  label: string;
  stage: "generator" | "trainer";
  /** What is worth turning to; the keys take all that the setting takes. */
  scale: SliderScale;
}

export const KNOBS: readonly Knob[] = [
  {
    key: "temperature",
    path: "generator.temperature",
    label: "Temperature",
    stage: "generator",
    scale: { min: 0.1, max: 3, whole: false },
  },
  {
    key: "epsilonHigh",
    path: "trainer.epsilonHigh",
    label: "Upper clip ε",
    stage: "trainer",
    scale: { min: 0.01, max: 10, whole: false },
  },
  {
    key: "learningRate",
    path: "trainer.learningRate",
    label: "Learning rate",
    stage: "trainer",
    scale: { min: 1e-6, max: 1e-2, whole: false },
  },
];

const TURNABLE: readonly RunPhase[] = ["training", "pausing", "paused"];

export const canTurn = (phase: RunPhase): boolean => TURNABLE.includes(phase);

/** What a knob stands at: as it was turned last, else as the run's recipe has it; null where neither says. */
export function knobValue(key: keyof Knobs, recipe: Layer, turned: readonly TurnedRow[]): number | null {
  for (const row of [...turned].reverse()) {
    const value = row.knobs[key];
    if (value !== undefined) return value;
  }
  const knob = KNOBS.find((each) => each.key === key) as Knob;
  const value = valueAt(recipe, knob.path) ?? findField(knob.path)?.default;
  return typeof value === "number" ? value : null;
}

/** Whether the run would take a value. */
export function inBounds(path: string, value: number): boolean {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = findField(path) ?? {};
  return Number.isFinite(value) && value >= min && value <= max;
}
