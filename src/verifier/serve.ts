/** The API a verifier worker serves: one scorer, configured once or again. */
import { emptyCounters, type VerifierApi } from "./api.ts";
import { createScorer, type Scorer } from "./score.ts";

/** Makes the API; `score` before `configure` is a TypeError. */
export function createVerifierApi(): VerifierApi {
  let scorer: Scorer | null = null;
  return {
    async configure(options) {
      const next = await createScorer(options);
      scorer?.dispose();
      scorer = next;
    },
    async score(groups, trainerState) {
      if (scorer === null) throw new TypeError("score() was called before configure()");
      const rewarded = [];
      for (const group of groups) rewarded.push(await scorer.scoreGroup(group, trainerState));
      return rewarded;
    },
    takeCounters: () => scorer?.takeCounters() ?? emptyCounters(),
  };
}
