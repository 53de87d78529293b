/** Exponential smoothing that is not drawn towards zero at its start. */
import type { Column } from "../../parts/chart_columns.ts";

/**
 * sᵢ = w·sᵢ₋₁ + (1 − w)·xᵢ from s₀ = 0, divided by 1 − wⁿ after n values (the bias correction of Adam, arXiv:1412.6980): the
 * first value stays as it is and a constant stays constant. What was not measured stays so and changes nothing.
 *
 * @param weight from 0, which changes nothing, to below 1
 */
export function smooth(values: Column, weight: number): Column {
  if (weight <= 0) return values;
  const smoothed = new Float64Array(values.length);
  let sum = 0;
  let kept = 1;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (Number.isNaN(value)) {
      smoothed[index] = value;
      continue;
    }
    sum = weight * sum + (1 - weight) * value;
    kept *= weight;
    smoothed[index] = sum / (1 - kept);
  }
  return smoothed;
}
