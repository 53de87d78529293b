/** The kernels whose work depends on no model's shape: losses, conversions, random bits, probes. */
import { bf16ToF32 } from "../kernels/convert/bf16_to_f32.ts";
import { f16ToF32 } from "../kernels/convert/f16_to_f32.ts";
import { f32ToBf16 } from "../kernels/convert/f32_to_bf16.ts";
import { f32ToF16 } from "../kernels/convert/f32_to_f16.ts";
import { clippedSurrogate } from "../kernels/loss/clipped_surrogate.ts";
import { importanceWeight } from "../kernels/loss/importance_weight.ts";
import { referenceKl } from "../kernels/loss/reference_kl.ts";
import { sequenceRatio } from "../kernels/loss/sequence_ratio.ts";
import { sequenceStats } from "../kernels/loss/sequence_stats.ts";
import { sequenceSurrogate } from "../kernels/loss/sequence_surrogate.ts";
import { truncatedReinforce } from "../kernels/loss/truncated_reinforce.ts";
import { copyQuads } from "../kernels/probe/copy_quads.ts";
import { multiplyAdd } from "../kernels/probe/multiply_add.ts";
import { philox } from "../kernels/sampling/philox.ts";
import { type KernelCase, kernelCase, smallWords } from "./kernel_case.ts";
import { sequenceStarts } from "./shapes.ts";

const set = "any";

/** Losses over completion tokens in sequences of 16. */
export function lossCases(tokens = 4096): KernelCase[] {
  const offsets = sequenceStarts(tokens, 16);
  const sequences = offsets.length - 1;
  const bySequence = { sequences, tokens };
  const options = { set, contents: { offsets } };
  const clip = { tokens, clip_low: 0.8, clip_high: 1.28 };
  return [
    kernelCase(clippedSurrogate, { ...clip, ratio_cap: 3e38 }, { set }),
    kernelCase(truncatedReinforce, clip, { set }),
    kernelCase(referenceKl, { tokens, beta: 0.04, corrected: 0 }, { set }),
    kernelCase(importanceWeight, { ...bySequence, mode: 0, low: 0, high: 2 }, options),
    kernelCase(sequenceRatio, bySequence, options),
    kernelCase(sequenceSurrogate, { ...bySequence, clip_low: 0.8, clip_high: 1.28 }, options),
    kernelCase(sequenceStats, { ...bySequence, first: 0, has_kl: 0, has_importance: 0 }, options),
  ];
}

export function convertCases(count = 2 ** 19): KernelCase[] {
  // Below 0x7f80 everywhere, so that no word is infinite or NaN in either format.
  const packed = smallWords(count / 2, 0x3c00);
  return [
    kernelCase(f32ToBf16, { count }, { set }),
    kernelCase(bf16ToF32, { count }, { set, contents: { packed } }),
    kernelCase(f32ToF16, { count }, { set }),
    kernelCase(f16ToF32, { count }, { set, contents: { packed } }),
  ];
}

export function probeCases(): KernelCase[] {
  const rows = 4096;
  return [
    kernelCase(
      philox,
      { rows, key_low: 1, key_high: 2 },
      { set, contents: { counters: smallWords(4 * rows, 2 ** 31) } },
    ),
    kernelCase(multiplyAdd, { rows, rounds: 64, factor: 0.99, addend: 0.01 }, { set }),
    kernelCase(copyQuads, { quads: 2 ** 18 }, { set }),
  ];
}
