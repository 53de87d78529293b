/**
 * Symbolic equality by computer algebra. Runs only inside the sandbox worker: the engine's own time limit does not hold
 * on power towers or divergent series, so the host kills the worker instead.
 */
import type { ComputeEngine } from "@cortex-js/compute-engine";

let engine: Promise<ComputeEngine> | null = null;

function load(): Promise<ComputeEngine> {
  engine ??= import("@cortex-js/compute-engine").then((module) => new module.ComputeEngine());
  return engine;
}

/** One question for each part of the engine that is slow at its first use. */
const REHEARSAL = [
  ["\\frac12", "\\int_0^1 x dx"],
  ["2x", "\\frac{d}{dx} x^2"],
  ["(x+1)^2", "x^2+2x+1"],
  ["x", "\\lim_{h \\to 0} x+h"],
];

/** Loads the engine (about 1 MB of code) and lets it work, so that the first question is not charged for it. */
export async function warmSymbolic(): Promise<void> {
  for (const [expected, found] of REHEARSAL) await equalSymbolically(expected, found);
}

/** True only where the engine proves both expressions equal: directly, or because their difference becomes zero. */
export async function equalSymbolically(expected: string, found: string): Promise<boolean> {
  const ce = await load();
  const [a, b] = [ce.parse(expected), ce.parse(found)];
  if (!a.isValid || !b.isValid) return false;
  if (a.isSame(b) || a.isEqual(b) === true) return true;
  const difference = ce.function("Subtract", [a, b]);
  return difference.simplify().is(0) || difference.evaluate().simplify().is(0);
}
