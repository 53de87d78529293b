/**
 * Float64 twins of shaders/loss: every policy loss with its analytic gradient, in plain loops. Arrays are flat over M
 * completion tokens; sequence b owns offsets[b] to offsets[b + 1]. `frozen` are the log-probabilities that
 * stop-gradient factors are computed from: it differs from `logprob` in finite differences alone.
 */
import type { ImportanceMode, LossName, LossSettings } from "../../src/trainer/losses/policy_loss.ts";

export interface LossCase {
  offsets: ArrayLike<number>;
  logprob: ArrayLike<number>;
  old: ArrayLike<number>;
  sampler?: ArrayLike<number>;
  ref?: ArrayLike<number>;
  advantage: ArrayLike<number>;
  weight: ArrayLike<number>;
  frozen?: ArrayLike<number>;
}

export interface LossResult {
  loss: number;
  /** (M) dLoss/dlogprob. */
  grad: Float64Array;
  /** (M) weight · term, without KL. */
  terms: Float64Array;
  /** (M) the ratio that is clipped. */
  ratio: Float64Array;
  /** (M) −1 clipped low, +1 clipped high. */
  clipped: Float64Array;
}

const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

/** Where the gradient of −min(min(ρ, cap)·a, clamp(ρ)·a) by ρ is −a; elsewhere it is 0. */
function surrogate(ratio: number, a: number, low: number, high: number, cap: number) {
  const plain = Math.min(ratio, cap) * a;
  const bounded = clamp(ratio, low, high) * a;
  const moves = plain <= bounded ? ratio <= cap : ratio >= low && ratio <= high;
  return { term: -Math.min(plain, bounded), slope: moves ? -a : 0 };
}

function clipSign(ratio: number, a: number, low: number, high: number): number {
  if (ratio < low && a < 0) return -1;
  return ratio > high && a > 0 ? 1 : 0;
}

function emptyResult(tokens: number): LossResult {
  const make = () => new Float64Array(tokens);
  return { loss: 0, grad: make(), terms: make(), ratio: make().fill(1), clipped: make() };
}

export function clippedSurrogateReference(c: LossCase, low: number, high: number, cap: number): LossResult {
  const result = emptyResult(c.logprob.length);
  for (let m = 0; m < c.logprob.length; m++) {
    if (c.weight[m] === 0) continue;
    const ratio = Math.exp(c.logprob[m] - c.old[m]);
    const { term, slope } = surrogate(ratio, c.advantage[m], low, high, cap);
    result.terms[m] = c.weight[m] * term;
    result.grad[m] = c.weight[m] * slope * ratio;
    result.ratio[m] = ratio;
    result.clipped[m] = clipSign(ratio, c.advantage[m], low, high);
    result.loss += result.terms[m];
  }
  return result;
}

export function truncatedReinforceReference(c: LossCase, low: number, high: number): LossResult {
  const result = emptyResult(c.logprob.length);
  for (let m = 0; m < c.logprob.length; m++) {
    if (c.weight[m] === 0) continue;
    const ratio = Math.exp((c.frozen ?? c.logprob)[m] - c.old[m]);
    result.grad[m] = -c.weight[m] * clamp(ratio, low, high) * c.advantage[m];
    result.terms[m] = result.grad[m] * c.logprob[m];
    result.ratio[m] = ratio;
    result.clipped[m] = clipSign(ratio, c.advantage[m], low, high);
    result.loss += result.terms[m];
  }
  return result;
}

/** `counted` says which tokens are in the mean: those whose weight before importance is not 0. */
export function sequenceSurrogateReference(
  c: LossCase,
  low: number,
  high: number,
  counted: ArrayLike<number> = c.weight,
): LossResult {
  const result = emptyResult(c.logprob.length);
  for (let b = 0; b + 1 < c.offsets.length; b++) {
    let [sum, tokens, slopes] = [0, 0, 0];
    for (let m = c.offsets[b]; m < c.offsets[b + 1]; m++) {
      if (counted[m] === 0) continue;
      sum += c.logprob[m] - c.old[m];
      tokens++;
    }
    const ratio = Math.exp(sum / Math.max(1, tokens));
    for (let m = c.offsets[b]; m < c.offsets[b + 1]; m++) {
      if (counted[m] === 0) continue;
      const { term, slope } = surrogate(ratio, c.advantage[m], low, high, Number.POSITIVE_INFINITY);
      slopes += c.weight[m] * slope;
      result.terms[m] = c.weight[m] * term;
      result.ratio[m] = ratio;
      result.clipped[m] = clipSign(ratio, c.advantage[m], low, high);
      result.loss += result.terms[m];
    }
    for (let m = c.offsets[b]; m < c.offsets[b + 1]; m++) {
      if (counted[m] !== 0) result.grad[m] = (slopes * ratio) / tokens;
    }
  }
  return result;
}

/** k3 by token (times the ratio when corrected) and its derivative by logprob; both unweighted. */
export function referenceKlReference(c: LossCase, corrected: boolean) {
  const kl = new Float64Array(c.logprob.length);
  const slope = new Float64Array(c.logprob.length);
  for (let m = 0; m < c.logprob.length; m++) {
    if (c.weight[m] === 0) continue;
    const d = (c.ref as ArrayLike<number>)[m] - c.logprob[m];
    // expm1 keeps the digits that exp(d) − 1 loses near 0.
    kl[m] = Math.expm1(d) - d;
    slope[m] = -Math.expm1(d);
    if (corrected) {
      const ratio = Math.exp(c.logprob[m] - c.old[m]);
      slope[m] = ratio * (kl[m] + slope[m]);
      kl[m] *= ratio;
    }
  }
  return { kl, slope };
}

/** (M) importance weights; 0 for tokens of weight 0. */
export function importanceReference(c: LossCase, mode: ImportanceMode, low: number, high: number) {
  const importance = new Float64Array(c.logprob.length);
  const sampler = c.sampler as ArrayLike<number>;
  const within = (x: number) => x >= low && x <= high;
  for (let b = 0; b + 1 < c.offsets.length; b++) {
    let [sum, tokens] = [0, 0];
    for (let m = c.offsets[b]; m < c.offsets[b + 1]; m++) {
      if (c.weight[m] === 0) continue;
      sum += c.old[m] - sampler[m];
      tokens++;
    }
    const whole = Math.exp(sum);
    for (let m = c.offsets[b]; m < c.offsets[b + 1]; m++) {
      if (c.weight[m] === 0) continue;
      const token = Math.exp(c.old[m] - sampler[m]);
      importance[m] = {
        token_truncate: clamp(token, low, high),
        token_mask: within(token) ? token : 0,
        sequence_truncate: clamp(whole, low, high),
        sequence_mask: within(whole) ? whole : 0,
        geometric_mask: within(Math.exp(sum / Math.max(1, tokens))) ? token : 0,
      }[mode];
    }
  }
  return importance;
}

/** A whole loss: importance weights, surrogate, KL. */
export function lossReference(
  name: LossName,
  settings: LossSettings,
  c: LossCase,
): LossResult & { kl: Float64Array; importance: Float64Array | null } {
  const { epsilonLow, epsilonHigh, dualClip, ratioFloor, ratioCap, klBeta, klBiasCorrection } = settings;
  const importance = settings.importance
    ? importanceReference(c, settings.importance.mode, settings.importance.low, settings.importance.high)
    : null;
  const scaled: LossCase = importance ? { ...c, weight: importance.map((r, m) => r * c.weight[m]) } : c;
  const low = 1 - epsilonLow;
  const high = 1 + epsilonHigh;
  let result: LossResult;
  if (name === "gspo") result = sequenceSurrogateReference(scaled, low, high, c.weight);
  else if (name === "cispo" || name === "tis_reinforce")
    result = truncatedReinforceReference(scaled, ratioFloor, ratioCap);
  else result = clippedSurrogateReference(scaled, low, high, dualClip);
  let kl: Float64Array = new Float64Array(c.logprob.length);
  if (klBeta > 0) {
    const divergence = referenceKlReference(c, klBiasCorrection);
    kl = divergence.kl;
    for (let m = 0; m < kl.length; m++) {
      if (c.weight[m] === 0) continue;
      result.loss += c.weight[m] * klBeta * kl[m];
      result.grad[m] += c.weight[m] * klBeta * divergence.slope[m];
    }
  }
  return { ...result, kl, importance };
}

/** dLoss/dlogprob by central differences, stop-gradient factors held at the starting point. */
export function lossDifferences(
  name: LossName,
  settings: LossSettings,
  c: LossCase,
  step = 1e-5,
): Float64Array {
  const at = (m: number, delta: number): number => {
    const logprob = Float64Array.from(c.logprob);
    logprob[m] += delta;
    return lossReference(name, settings, { ...c, logprob, frozen: c.logprob }).loss;
  };
  return Float64Array.from(c.logprob, (_, m) => (at(m, step) - at(m, -step)) / (2 * step));
}

/** The 16 columns of shaders/loss/sequence_stats.wgsl for every sequence, row by row. */
export function sequenceStatsReference(
  c: LossCase,
  result: LossResult & { kl: Float64Array; importance: Float64Array | null },
  beta: number,
  entropy: ArrayLike<number>,
): Float64Array {
  const rows = new Float64Array(16 * (c.offsets.length - 1));
  for (let b = 0; b + 1 < c.offsets.length; b++) {
    const row = rows.subarray(16 * b, 16 * (b + 1));
    row[5] = 3e38;
    row[13] = 3e38;
    for (let m = c.offsets[b]; m < c.offsets[b + 1]; m++) {
      if (c.weight[m] === 0) continue;
      const d = c.logprob[m] - c.old[m];
      const r = result.importance?.[m] ?? 0;
      row[0] += result.terms[m] + c.weight[m] * beta * result.kl[m];
      row[1] += 1;
      row[2] += result.clipped[m] < 0 ? 1 : 0;
      row[3] += result.clipped[m] > 0 ? 1 : 0;
      row[4] += result.ratio[m];
      row[5] = Math.min(row[5], result.ratio[m]);
      row[6] = Math.max(row[6], result.ratio[m]);
      row[7] += Math.expm1(d) - d;
      row[8] += result.kl[m];
      row[9] += Math.abs(d);
      row[10] = Math.max(row[10], Math.abs(d));
      row[11] += entropy[m];
      row[12] += r;
      row[13] = Math.min(row[13], r);
      row[14] = Math.max(row[14], r);
    }
  }
  return rows;
}
