/**
 * Next-token probabilities at any temperature, from logits at temperature 1: what the slider moves and what a step
 * draws from, without asking the GPU again. Draws as the generator's sampler does.
 */
import { samplingUniform } from "../../../kernels/sampling/philox.ts";

export const MIN_TEMPERATURE = 0.05;
export const MAX_TEMPERATURE = 3;

/** Brings what was typed or dragged into the slider's range; anything but a number gives 1. */
export function clampTemperature(value: number): number {
  if (!Number.isFinite(value)) return 1;
  return Math.min(MAX_TEMPERATURE, Math.max(MIN_TEMPERATURE, Math.round(value * 100) / 100));
}

/** What every probability at one temperature shares: the largest logit and log Σ exp((logit − largest) / T). */
interface Scale {
  largest: number;
  logSum: number;
}

function scaleOf(logits: Float32Array, temperature: number): Scale {
  let largest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > largest) largest = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp((logit - largest) / temperature);
  return { largest, logSum: Math.log(sum) };
}

/** Natural log of the probability of token `id`. */
export function logProbability(logits: Float32Array, id: number, temperature: number): number {
  const { largest, logSum } = scaleOf(logits, temperature);
  return (logits[id] - largest) / temperature - logSum;
}

export interface Bar<T> {
  token: T;
  probability: number;
}

export interface Bars<T> {
  /** In the order of `top`. */
  bars: Bar<T>[];
  /** Probability of all other tokens together, and how many they are. */
  rest: number;
  others: number;
}

/** The `top` tokens' probabilities and what is left for all others. */
export function barsOf<T extends { id: number }>(
  logits: Float32Array,
  top: readonly T[],
  temperature: number,
): Bars<T> {
  const { largest, logSum } = scaleOf(logits, temperature);
  const bars = top.map((token) => ({
    token,
    probability: Math.exp((logits[token.id] - largest) / temperature - logSum),
  }));
  const rest = Math.max(0, 1 - bars.reduce((sum, { probability }) => sum + probability, 0));
  return { bars, rest, others: logits.length - top.length };
}

/** Ids of the `count` largest logits, best first; the lower id on ties. */
export function topIds(logits: Float32Array, count: number): number[] {
  const best: number[] = [];
  logits.forEach((logit, id) => {
    if (best.length === count && logit <= logits[best[count - 1]]) return;
    let at = best.length;
    while (at > 0 && logits[best[at - 1]] < logit) at--;
    best.splice(at, 0, id);
    if (best.length > count) best.pop();
  });
  return best;
}

/** The best `count` tokens; the chosen one takes the last place where it is not among them. */
export function shownTokens<T extends { id: number }>(
  top: readonly T[],
  chosen: T | null,
  count: number,
): T[] {
  const shown = top.slice(0, count);
  if (chosen === null || shown.some(({ id }) => id === chosen.id)) return shown;
  return [...shown.slice(0, count - 1), chosen];
}

/**
 * Draws completion token number `index` as the generator would with this seed: the inverse of the cumulative sum, in
 * token order, at the sampler's own random number.
 */
export function drawToken(logits: Float32Array, temperature: number, seed: number, index: number): number {
  const { largest, logSum } = scaleOf(logits, temperature);
  const goal = samplingUniform(seed, 0, index) * Math.exp(logSum);
  let sum = 0;
  let last = 0;
  for (let id = 0; id < logits.length; id++) {
    const weight = Math.exp((logits[id] - largest) / temperature);
    if (weight === 0) continue;
    sum += weight;
    last = id;
    if (sum > goal) return id;
  }
  return last;
}
