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
  let sum = 0;
  let kept = 1;
  return values.map((value) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    kept *= weight;
    return sum / (1 - kept);
  });
}
