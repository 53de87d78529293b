/** Pearson's test of counts against a distribution, and the tail of the chi-square distribution. */

/** Below this expected count a bin is too small for the test's approximation: such bins are taken together. */
const SMALLEST_BIN = 5;

/** ln Γ(x) for x > 0 by Stirling's series, the argument raised until three of its terms give 1e-12. */
export function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 12; z++) shift -= Math.log(z);
  const inverse = 1 / (z * z);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / z;
  return shift + (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series;
}

/** The upper regularised incomplete gamma function Q(a, x): its series below a + 1, its continued fraction above. */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; term > sum * 1e-16; n++) {
      term *= x / (a + n);
      sum += term;
    }
    return 1 - front * sum;
  }
  // Lentz's evaluation; denominators stay away from 0 for x > a + 1.
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < 10_000; n++) {
    b += 2;
    const factor = -n * (n - a);
    d = 1 / (factor * d + b);
    c = b + factor / c;
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return front * fraction;
}

/**
 * The probability of counts at least as far from `probabilities` as these if they were drawn from them; 0 where something
 * impossible was counted, 1 where there is but one bin.
 */
export function chiSquareP(counts: ArrayLike<number>, probabilities: ArrayLike<number>): number {
  let draws = 0;
  for (let i = 0; i < counts.length; i++) draws += counts[i];
  const bins: { expected: number; count: number }[] = [];
  const rest = { expected: 0, count: 0 };
  for (let i = 0; i < probabilities.length; i++) {
    const [expected, count] = [probabilities[i] * draws, counts[i]];
    if (expected === 0 && count > 0) return 0;
    if (expected >= SMALLEST_BIN) bins.push({ expected, count });
    else {
      rest.expected += expected;
      rest.count += count;
    }
  }
  bins.sort((a, b) => b.expected - a.expected);
  // Rare outcomes that are too few even together join the rarest of the others.
  const last = bins[bins.length - 1];
  if (rest.expected >= SMALLEST_BIN || !last) bins.push(rest);
  else {
    last.expected += rest.expected;
    last.count += rest.count;
  }
  const statistic = bins.reduce((sum, { expected, count }) => sum + (count - expected) ** 2 / expected, 0);
  return bins.length < 2 ? 1 : upperGamma((bins.length - 1) / 2, statistic / 2);
}
