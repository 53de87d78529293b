/** A bar to either side of zero, with its number and sign beside it. */
import { signed } from "./format.ts";
import type { Pull } from "./why.ts";

/** Bars are full here; advantages are seldom larger, distances from the mean never in most tasks. */
const FULL = { advantage: 2, "from-mean": 1 } as const;

export function PullBar({ pull }: { pull: Pull | null }) {
  const share = pull ? Math.max(-1, Math.min(1, pull.value / FULL[pull.kind])) : 0;
  const width = `${Math.abs(share) * 50}%`;
  return (
    <span class="rollouts-pull">
      <span class="num rollouts-pull-text">{signed(pull?.value)}</span>
      <span class="rollouts-pull-track" aria-hidden="true">
        <span
          class={share < 0 ? "below" : "above"}
          style={share < 0 ? { right: "50%", width } : { left: "50%", width }}
        />
      </span>
    </span>
  );
}
