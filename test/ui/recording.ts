/** A recording in which nothing happened but what a test says. */
import type { RecordedRun } from "../../src/ui/state/records.ts";

export function recordingOf(parts: Partial<RecordedRun> = {}): RecordedRun {
  const rows = { steps: [], evaluations: [], turned: [], rollouts: [], trace: [] };
  return { name: "recorded", recipe: {}, adapter: "", ...rows, summary: null, ...parts };
}
