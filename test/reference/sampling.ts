/** Float64 twins of shaders/sampling. */

export interface Filters {
  temperature: number;
  topK?: number;
  topP?: number;
  minP?: number;
}

/** The probabilities (V) that a token is drawn from; ties at a threshold are all kept. */
export function filteredDistribution(logits: ArrayLike<number>, filters: Filters): Float64Array {
  const { temperature, topK = 0, topP = 1, minP = 0 } = filters;
  const scaled = Float64Array.from(logits, (x) => x / temperature);
  const max = scaled.reduce((a, b) => Math.max(a, b));
  const weights = scaled.map((x) => Math.exp(x - max));
  const total = weights.reduce((a, b) => a + b);
  const p = weights.map((w) => w / total);
  const ranked = p.slice().sort((a, b) => b - a);
  const kth = topK > 0 && topK < p.length ? ranked[topK - 1] : 0;
  // The smallest probability that has a mass under topP strictly above it.
  let reach = 0;
  let above = 0;
  for (let i = 0; i < ranked.length; ) {
    if (topP < 1 && i > 0 && !(above < topP)) break;
    reach = ranked[i];
    for (const value = ranked[i]; i < ranked.length && ranked[i] === value; i++) above += value;
  }
  const kept = p.map((value) => (value >= kth && value >= reach && value >= minP * ranked[0] ? value : 0));
  const left = kept.reduce((a, b) => a + b);
  return kept.map((value) => value / left);
}

/** Where `uniform` in [0, 1) falls in the cumulative distribution, and how far it is from the nearest edge. */
export function invert(distribution: Float64Array, uniform: number): { token: number; margin: number } {
  let reached = 0;
  for (let token = 0; token < distribution.length; token++) {
    const before = reached;
    reached += distribution[token];
    if (uniform < reached) return { token, margin: Math.min(uniform - before, reached - uniform) };
  }
  return { token: distribution.length - 1, margin: 0 };
}

/** Natural logarithm of Γ(x), x > 0 (Stirling's series after shifting x up). */
function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 12; z++) shift += Math.log(z);
  const s = 1 / (z * z);
  return (
    (z - 0.5) * Math.log(z) -
    z +
    0.5 * Math.log(2 * Math.PI) +
    (1 / 12 - s * (1 / 360 - s / 1260)) / z -
    shift
  );
}

/** The chance that a chi-square variable of `freedom` degrees exceeds `statistic`. */
export function chiSquareTail(statistic: number, freedom: number): number {
  if (statistic <= 0) return 1;
  const a = freedom / 2;
  const x = statistic / 2;
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; n < 10_000 && term > sum * 1e-15; n++) sum += term *= x / (a + n);
    return 1 - sum * scale;
  }
  // The continued fraction of the upper incomplete gamma function, evaluated from far out inwards.
  let fraction = 0;
  for (let n = 500; n > 0; n--) fraction = (n * (n - a)) / (x + 2 * n + 1 - a - fraction);
  return scale / (x + 1 - a - fraction);
}

/**
 * The p-value of counts against a distribution; tokens expected fewer than five times are pooled. Zero when a token of
 * probability zero was drawn.
 */
export function chiSquare(counts: ArrayLike<number>, distribution: Float64Array): number {
  let draws = 0;
  for (let i = 0; i < counts.length; i++) draws += counts[i];
  let statistic = 0;
  let cells = 0;
  let pooledCount = 0;
  let pooledMean = 0;
  distribution.forEach((p, i) => {
    const mean = p * draws;
    if (p === 0 && counts[i] > 0) statistic = Number.POSITIVE_INFINITY;
    if (mean < 5) {
      pooledCount += counts[i];
      pooledMean += mean;
    } else {
      statistic += (counts[i] - mean) ** 2 / mean;
      cells++;
    }
  });
  if (pooledMean > 0.5) {
    statistic += (pooledCount - pooledMean) ** 2 / pooledMean;
    cells++;
  }
  if (statistic === Number.POSITIVE_INFINITY) return 0;
  return cells < 2 ? 1 : chiSquareTail(statistic, cells - 1);
}
