/** The API a verifier worker serves: one scorer, configured once or again. */
import { SpanLog, traceClock } from "../metrics/trace.ts";
import { emptyCounters, type VerifierApi } from "./api.ts";
import { createScorer, type Scorer } from "./score.ts";

/** Makes the API; `score` before `configure` is a TypeError. */
export function createVerifierApi(): VerifierApi {
  let scorer: Scorer | null = null;
  const spans = new SpanLog();
  return {
    async configure(options) {
      const next = await createScorer(options);
      scorer?.dispose();
      scorer = next;
    },
    async score(groups, trainerState) {
      if (scorer === null) throw new TypeError("score() was called before configure()");
      const rewarded = [];
      for (const group of groups) {
        const from = traceClock();
        rewarded.push(await scorer.scoreGroup(group, trainerState));
        const { groupId } = group.rollouts[0] ?? {};
        spans.add("verify", from, { group: groupId, completions: group.completions.length });
      }
      return rewarded;
    },
    takeReport: () => ({ counters: scorer?.takeCounters() ?? emptyCounters(), spans: spans.take() }),
  };
}
