/**
 * A window of metric values reduced to one record by TRL's rules: totals add up, extremes stay extremes, rates are sums
 * over sums, the rest are means over what is a number; nothing valid gives null.
 */
import { metricEntry, type Reduction } from "./names.ts";

/** Kept apart until the window ends, because a mean of quotients is not the quotient of the sums. */
export interface Rate {
  numerator: number;
  denominator: number;
}

export type MetricValue = number | null | undefined | Rate;

interface Gathered {
  reduction: Reduction;
  /** Of the valid values. */
  count: number;
  sum: number;
  weight: number;
  extreme: number;
  last: number;
}

export class MetricWindow {
  readonly #values = new Map<string, Gathered>();

  /**
   * Adds a record; NaN, infinite and missing values count as not measured.
   * @throws TypeError for a name that is not in the table
   */
  add(record: Record<string, MetricValue>): void {
    for (const [name, value] of Object.entries(record)) {
      const entry = metricEntry(name);
      if (entry === null) {
        throw new TypeError(`There is no metric called ${name}: add it to src/metrics/names.ts`);
      }
      this.#gather(name, entry.reduction, value);
    }
  }

  /**
   * Adds a value under a name of the user's own, as reward functions do; averaged.
   * @throws TypeError for a name of the table
   */
  addOwn(name: string, value: MetricValue): void {
    if (metricEntry(name) !== null)
      throw new TypeError(`The metric ${name} is the project's own: choose another name`);
    this.#gather(name, "mean", value);
  }

  #gather(name: string, reduction: Reduction, value: MetricValue): void {
    let gathered = this.#values.get(name);
    if (gathered === undefined) {
      gathered = { reduction, count: 0, sum: 0, weight: 0, extreme: Number.NaN, last: Number.NaN };
      this.#values.set(name, gathered);
    }
    const isRate = typeof value === "object" && value !== null;
    const numerator = isRate ? value.numerator : (value ?? Number.NaN);
    const denominator = isRate ? value.denominator : 1;
    if (!Number.isFinite(numerator) || !Number.isFinite(denominator)) return;
    if (isRate && reduction !== "rate") {
      if (denominator === 0) return;
      this.#gather(name, reduction, numerator / denominator);
      return;
    }
    const isFirst = gathered.count === 0;
    gathered.count += 1;
    gathered.sum += numerator;
    gathered.weight += denominator;
    gathered.last = numerator;
    const further = reduction === "min" ? Math.min : Math.max;
    gathered.extreme = isFirst ? numerator : further(gathered.extreme, numerator);
  }

  /** The window's values, in the order they were first added; the window is empty afterwards. */
  flush(): Record<string, number | null> {
    const record: Record<string, number | null> = {};
    for (const [name, gathered] of this.#values) record[name] = reduce(gathered);
    this.#values.clear();
    return record;
  }
}

function reduce({ reduction, count, sum, weight, extreme, last }: Gathered): number | null {
  if (count === 0) return null;
  switch (reduction) {
    case "sum":
      return sum;
    case "max":
    case "min":
      return extreme;
    case "last":
      return last;
    case "rate":
      return weight === 0 ? null : sum / weight;
    case "mean":
      return sum / count;
  }
}
