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

/** Loads the engine (about 1 MB of code) and lets it work once, so that the first question is not charged for it. */
export async function warmSymbolic(): Promise<void> {
  await equalSymbolically("x+1", "1+x");
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
