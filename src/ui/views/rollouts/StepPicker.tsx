/** The steps of the run with their mean rewards; one is chosen, or the newest is followed. */
import { useMemo } from "preact/hooks";
import { pressable } from "../../parts/pressable.ts";
import { count, fixed } from "./format.ts";
import type { RolloutIndex } from "./group_index.ts";
import { goToStep, stepChoice } from "./state.ts";
import { stepBars } from "./step_bars.ts";

interface StepPickerProps {
  index: RolloutIndex;
  /** The step in view. */
  step: number;
  size: number;
}

export function StepPicker({ index, step, size }: StepPickerProps) {
  const { steps } = index;
  const place = Math.max(0, steps.indexOf(step));
  const following = stepChoice.value === "newest";
  // The index changes in place; its size tells.
  const bars = useMemo(() => stepBars(index), [index, size]);
  const entry = index.stepEntry(step);
  const mean = entry?.rewarded ? entry.rewardSum / entry.rewarded : null;
  const last = steps.length - 1;
  return (
    <div class="rollouts-steps">
      <label for="rollouts-step" class="rollouts-steps-now">
        <span>
          Step <strong class="num">{step}</strong> <span class="soft num">of {steps[last]}</span>
        </span>
        <span class="soft small num">
          mean {fixed(mean)} of {count(entry?.rewarded ?? 0)} kept
        </span>
      </label>
      <div class="rollouts-steps-range">
        <svg class="rollouts-steps-bars" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
          <path d={bars.path} />
          <path class="now" d={bars.barAt(last > 0 ? place / last : 0.5, mean)} />
        </svg>
        <input
          id="rollouts-step"
          type="range"
          min={0}
          max={Math.max(0, last)}
          value={place}
          disabled={steps.length < 2}
          aria-valuetext={`Step ${step}, mean reward ${fixed(mean)}`}
          onInput={(event) => goToStep(steps[Number(event.currentTarget.value)])}
        />
      </div>
      <div class="rollouts-steps-buttons">
        <button
          type="button"
          class="button rollouts-arrow"
          aria-label="Step before"
          {...pressable(place > 0, () => goToStep(steps[place - 1]))}
        >
          ‹
        </button>
        <button
          type="button"
          class="button rollouts-arrow"
          aria-label="Step after"
          {...pressable(place < last, () => goToStep(steps[place + 1]))}
        >
          ›
        </button>
        <button
          type="button"
          class="button rollouts-follow"
          aria-pressed={following}
          onClick={() => goToStep(following ? step : "newest")}
        >
          <span class="rollouts-dot" aria-hidden="true" />
          Follow newest
        </button>
      </div>
    </div>
  );
}
