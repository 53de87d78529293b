/** Chooses how a device's phases are timed: by its own clock, else by asking its queue. */
import type { Gpu } from "./device.ts";
import { PhaseClock } from "./phase_clock.ts";
import { PhaseQuestions } from "./phase_questions.ts";
import type { PhaseTimer } from "./phases.ts";

/** @param phases of a step, at most. Null where only a wait for the GPU could tell. */
export function openPhases(gpu: Gpu, phases: number): PhaseTimer | null {
  if (PhaseClock.supported(gpu)) return new PhaseClock(gpu, phases);
  // Deno (2.9) stands still in a question until the device is done.
  return "Deno" in globalThis ? null : new PhaseQuestions(gpu.device.queue);
}
