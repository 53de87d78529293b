/** Self-tests of the kernels around the layers: head, loss, optimiser, sampling, conversions. */
import { bf16ToF32 } from "../kernels/convert/bf16_to_f32.ts";
import { f16ToF32 } from "../kernels/convert/f16_to_f32.ts";
import { f32ToBf16 } from "../kernels/convert/f32_to_bf16.ts";
import { f32ToF16 } from "../kernels/convert/f32_to_f16.ts";
import { headFinish } from "../kernels/head/head_finish.ts";
import { headTile } from "../kernels/head/head_tile.ts";
import { headTileBackward } from "../kernels/head/head_tile_backward.ts";
import { clippedSurrogate } from "../kernels/loss/clipped_surrogate.ts";
import { sequenceStats } from "../kernels/loss/sequence_stats.ts";
import { adamw } from "../kernels/optimizer/adamw.ts";
import { clipCoefficient } from "../kernels/optimizer/clip_coefficient.ts";
import { gradNorm } from "../kernels/optimizer/grad_norm.ts";
import { decodeAdvance, endTokens } from "../kernels/sampling/decode_advance.ts";
import { philox, samplingUniform } from "../kernels/sampling/philox.ts";
import { sample } from "../kernels/sampling/sample.ts";
import { smallFloats } from "./kernel_case.ts";
import type { FamilyTest } from "./self_test.ts";

const zeros = (length: number) => new Float32Array(length);
const words = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);

export const testHead: FamilyTest = async (run) => {
  const [rows, vocab] = [5, 23];
  const logits = smallFloats(rows * vocab).map((value) => 12 * value);
  const targets = Uint32Array.of(22, 0, 7, 11, 3);
  const grad = Float32Array.of(1, -0.5, 0, 2, 0.25);
  const dims = { rows, tile_width: vocab, tile_start: 0, first: 1, inverse_temperature: 0.8 };
  const want = { logprob: zeros(rows), entropy: zeros(rows), lse: zeros(rows) };
  const gradient = zeros(rows * vocab);
  for (let n = 0; n < rows; n++) {
    const z = Array.from(logits.subarray(n * vocab, (n + 1) * vocab), (value) => 0.8 * value);
    const lse = Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0));
    want.lse[n] = lse;
    want.logprob[n] = z[targets[n]] - lse;
    want.entropy[n] = z.reduce((sum, value) => sum - Math.exp(value - lse) * (value - lse), 0);
    z.forEach((value, v) => {
      gradient[n * vocab + v] = grad[n] * 0.8 * ((v === targets[n] ? 1 : 0) - Math.exp(value - lse));
    });
  }
  const state = await run(headTile, { logits, targets, state: zeros(4 * rows) }, dims, "state");
  const finish = { state, logprob: zeros(rows), entropy: zeros(rows), lse: zeros(rows) };
  return [
    {
      name: "head_finish logprob",
      got: await run(headFinish, finish, { rows }, "logprob"),
      want: want.logprob,
      tolerance: 1e-5,
    },
    {
      name: "head_finish entropy",
      got: await run(headFinish, finish, { rows }, "entropy"),
      want: want.entropy,
      tolerance: 1e-5,
    },
    {
      name: "head_tile_backward",
      got: await run(headTileBackward, { lse: want.lse, targets, grad, logits }, dims, "logits"),
      want: gradient,
      tolerance: 1e-5,
    },
  ];
};

export const testLoss: FamilyTest = async (run) => {
  // Ratios below, within and above the bounds, advantages of both signs, one token taken out.
  const ratios = [0.5, 0.5, 0.9, 1.1, 1.5, 1.5, 1];
  const advantage = Float32Array.of(1, -1, 1, -1, 1, -1, 3);
  const weight = Float32Array.of(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0);
  const tokens = ratios.length;
  const [low, high] = [0.8, 1.28];
  const bindings = {
    logprob: Float32Array.from(ratios, (ratio) => Math.log(ratio) - 2),
    old_logprob: zeros(tokens).fill(-2),
    advantage,
    weight,
    grad: zeros(tokens),
    stats: zeros(4 * tokens),
  };
  const dims = { tokens, clip_low: low, clip_high: high, ratio_cap: 3e38 };
  const stats = await run(clippedSurrogate, bindings, dims, "stats");
  const terms = ratios.map((ratio, m) => {
    const clipped = Math.min(high, Math.max(low, ratio)) * advantage[m];
    return { ratio: ratio * advantage[m], clipped, a: weight[m] };
  });
  const losses = terms.map(({ ratio, clipped, a }) => -a * Math.min(ratio, clipped));
  const unused = zeros(tokens);
  const summary = await run(
    sequenceStats,
    {
      offsets: Uint32Array.of(0, 3, tokens),
      weight,
      stats,
      kl: unused,
      importance: unused,
      entropy: zeros(tokens).fill(0.5),
      summary: zeros(32),
    },
    { sequences: 2, tokens, first: 0, has_kl: 0, has_importance: 0 },
    "summary",
  );
  const clippedSide = (ratio: number, a: number) =>
    ratio > high && a > 0 ? 1 : ratio < low && a < 0 ? -1 : 0;
  // Columns 0 to 11 of a row of the summary, over the tokens that carry weight.
  const row = (from: number, to: number) => {
    const kept = ratios
      .map((ratio, m) => ({ ratio, m }))
      .filter(({ m }) => m >= from && m < to && weight[m] > 0);
    const add = (at: (one: { ratio: number; m: number }) => number) =>
      kept.reduce((sum, one) => sum + at(one), 0);
    const gaps = kept.map(({ ratio }) => Math.abs(Math.log(ratio)));
    return [
      add(({ m }) => losses[m]),
      kept.length,
      add(({ ratio, m }) => (clippedSide(ratio, advantage[m]) < 0 ? 1 : 0)),
      add(({ ratio, m }) => (clippedSide(ratio, advantage[m]) > 0 ? 1 : 0)),
      add(({ ratio }) => ratio),
      Math.min(...kept.map(({ ratio }) => ratio)),
      Math.max(...kept.map(({ ratio }) => ratio)),
      add(({ ratio }) => ratio - Math.log(ratio) - 1),
      0,
      gaps.reduce((sum, gap) => sum + gap, 0),
      Math.max(...gaps),
      0.5 * kept.length,
    ];
  };
  return [
    {
      name: "clipped_surrogate",
      got: await run(clippedSurrogate, bindings, dims, "grad"),
      // Where the clipped side is the smaller one, it is constant.
      want: terms.map(({ ratio, clipped, a }) => (ratio <= clipped ? -a * ratio : 0)),
      tolerance: 1e-5,
    },
    {
      name: "clipped_surrogate stats",
      got: stats,
      want: ratios.flatMap((ratio, m) => [
        losses[m],
        ratio,
        clippedSide(ratio, advantage[m]),
        Math.log(ratio),
      ]),
      tolerance: 1e-5,
    },
    {
      name: "sequence_stats",
      got: [...summary.slice(0, 12), ...summary.slice(16, 28)],
      want: [...row(0, 3), ...row(3, tokens)],
      tolerance: 1e-5,
    },
  ];
};

export const testOptimizer: FamilyTest = async (run) => {
  const count = 70;
  const gradient = smallFloats(count);
  const parameter = smallFloats(count + 9).subarray(9);
  const length = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
  const coefficient = 0.5 / (length + 1e-6);
  const partials = await run(gradNorm, { gradient, partials: zeros(1) }, { count, start: 0 }, "partials");
  const norm = await run(clipCoefficient, { partials, norm: zeros(2) }, { count: 1, max_norm: 0.5 }, "norm");
  const settings = { learning_rate: 0.01, beta1: 0.9, beta2: 0.99, eps: 1e-8, weight_decay: 0.1 };
  const moments = { first_moment: zeros(count), second_moment: zeros(count).fill(0.01) };
  const updated = await run(
    adamw,
    { gradient, norm: Float32Array.of(length, coefficient), parameter, ...moments },
    { count, ...settings, correction1: 0.1, correction2: 0.0199 },
    "parameter",
  );
  return [
    { name: "clip_coefficient", got: norm, want: [length, coefficient], tolerance: 1e-5 },
    {
      name: "adamw",
      got: updated,
      want: Array.from(parameter, (p, i) => {
        const g = gradient[i] * coefficient;
        const second = (0.99 * 0.01 + 0.01 * g * g) / 0.0199;
        return p - 0.01 * (0.1 * p + g / (Math.sqrt(second) + 1e-8));
      }),
      tolerance: 1e-5,
    },
  ];
};

export const testSampling: FamilyTest = async (run) => {
  // The published answers for counter and key of zeros and of ones (Salmon et al. 2011, Random123).
  const zeroWords = await run(
    philox,
    { counters: new Uint32Array(4), words: new Uint32Array(4) },
    { rows: 1, key_low: 0, key_high: 0 },
    "words",
  );
  const rows = 6;
  const vocab = 4;
  const shares = [0.1, 0.2, 0.3, 0.4];
  const logits = Float32Array.from(shares, Math.log);
  const draws = Uint32Array.from({ length: 4 * rows }, (_, i) => [0, 5, 0, Math.floor(i / 4)][i % 4]);
  const sampled = await run(
    sample,
    { logits, draws, sampled: new Uint32Array(4 * rows) },
    {
      rows,
      logit_rows: 1,
      vocab,
      seed_low: 9,
      seed_high: 0,
      top_k: 0,
      top_p: 1,
      min_p: 0,
      inverse_temperature: 1,
    },
    "sampled",
  );
  const drawn = Array.from({ length: rows }, (_, index) => {
    const target = samplingUniform(9, 5, index);
    return target < 0.1 ? 0 : target < 0.3 ? 1 : target < 0.6 ? 2 : 3;
  });
  const advanced = await run(
    decodeAdvance,
    {
      sampled: Uint32Array.of(3, 0, 0, 1, 2, 0, 0, 1),
      token: new Uint32Array(2),
      position: Uint32Array.of(4, 5),
      entries: Uint32Array.of(0, 0, 4, 1, 1, 5),
      draws: Uint32Array.of(0, 5, 0, 0, 1, 6, 0, 0),
      progress: Uint32Array.of(9, 0, 9, 0),
      ring: new Uint32Array(8),
    },
    { rows: 2, step: 0, capacity: 32, ...endTokens([2]) },
    "ring",
  );
  return [
    {
      name: "philox",
      got: words(zeroWords),
      want: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
      tolerance: 0,
    },
    {
      name: "sample token",
      got: drawn.map((_, row) => words(sampled)[4 * row]),
      want: drawn,
      tolerance: 0,
    },
    {
      name: "sample logprob",
      got: drawn.map((_, row) => sampled[4 * row + 1]),
      want: drawn.map((token) => Math.log(shares[token])),
      tolerance: 1e-5,
    },
    // Running, and ended by its token.
    { name: "decode_advance", got: words(advanced), want: [3, 0, 0, 0, 2, 0, 0, 1], tolerance: 0 },
  ];
};

export const testConvert: FamilyTest = async (run) => {
  // A tie that goes down, one that goes up, a negative, the largest f16, its smallest subnormal, zero.
  const x = Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, -2.5, 65504, 2 ** -24, 0);
  const count = x.length;
  const bf16 = [0x3f80, 0x3f82, 0xc020, 0x4780, 0x3380, 0];
  const f16 = [0x3c04, 0x3c0c, 0xc100, 0x7bff, 0x0001, 0];
  const pack = (halves: number[]) =>
    Uint32Array.from({ length: count / 2 }, (_, i) => (halves[2 * i] | (halves[2 * i + 1] << 16)) >>> 0);
  const packed = new Uint32Array(count / 2);
  return [
    {
      name: "f32_to_bf16",
      got: words(await run(f32ToBf16, { x, packed }, { count }, "packed")),
      want: pack(bf16),
      tolerance: 0,
    },
    {
      name: "f32_to_f16",
      got: words(await run(f32ToF16, { x, packed }, { count }, "packed")),
      want: pack(f16),
      tolerance: 0,
    },
    {
      name: "bf16_to_f32",
      got: await run(bf16ToF32, { packed: pack(bf16), y: zeros(count) }, { count }, "y"),
      want: [1, 1 + 2 ** -6, -2.5, 65536, 2 ** -24, 0],
      tolerance: 0,
    },
    {
      name: "f16_to_f32",
      got: await run(f16ToF32, { packed: pack(f16), y: zeros(count) }, { count }, "y"),
      want: x,
      tolerance: 0,
    },
  ];
};
