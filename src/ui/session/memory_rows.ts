/** A memory plan as a table. Apart from the planner, which the page's thread need not load. */
import type { MemoryPart, MemoryPlan } from "../../planner/plan.ts";

/** What the planner calls all that has no kind of its own; it stands last. */
const REST = "the rest";

/** The plan's parts as rows: what for, on the trainer, on one generator; null where a side has none. */
export function memoryRows({ trainer, generator }: MemoryPlan): [string, number | null, number | null][] {
  const all = new Set([...trainer, ...generator].map(({ what }) => what));
  const kinds = [...all].sort((a, b) => Number(a === REST) - Number(b === REST));
  const bytesOf = (parts: readonly MemoryPart[], kind: string) =>
    parts.find(({ what }) => what === kind)?.bytes ?? null;
  return kinds.map((kind): [string, number | null, number | null] => [
    kind,
    bytesOf(trainer, kind),
    bytesOf(generator, kind),
  ]);
}
