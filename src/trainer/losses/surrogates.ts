/** The three surrogates the losses are made of: how each is dispatched. */
import type { Recorder } from "../../gpu/recorder.ts";
import { clippedSurrogate } from "../../kernels/loss/clipped_surrogate.ts";
import { sequenceRatio } from "../../kernels/loss/sequence_ratio.ts";
import { sequenceSurrogate } from "../../kernels/loss/sequence_surrogate.ts";
import { truncatedReinforce } from "../../kernels/loss/truncated_reinforce.ts";
import { finite, type LossDims, type LossSettings, type SurrogateTensors } from "./policy_loss.ts";

/** −min(ρA, clip(ρ)A) per token. */
export function encodeClippedSurrogate(
  recorder: Recorder,
  tensors: SurrogateTensors,
  { tokens }: LossDims,
  settings: LossSettings,
): void {
  clippedSurrogate.encode(recorder, tokenBindings(tensors), {
    tokens,
    clip_low: 1 - settings.epsilonLow,
    clip_high: 1 + settings.epsilonHigh,
    ratio_cap: finite(settings.dualClip),
  });
}

/** −sg(clamp(ρ))·A·logprob per token. */
export function encodeTruncatedReinforce(
  recorder: Recorder,
  tensors: SurrogateTensors,
  { tokens }: LossDims,
  settings: LossSettings,
): void {
  truncatedReinforce.encode(recorder, tokenBindings(tensors), {
    tokens,
    clip_low: settings.ratioFloor,
    clip_high: finite(settings.ratioCap),
  });
}

/** −min(sA, clip(s)A) with one ratio s per sequence. */
export function encodeSequenceSurrogate(
  recorder: Recorder,
  tensors: SurrogateTensors,
  { sequences, tokens }: LossDims,
  settings: LossSettings,
): void {
  const { offsets, logprob, oldLogprob, advantage, weight, scaledWeight, logRatio, ratio, grad, stats } =
    tensors;
  sequenceRatio.encode(
    recorder,
    { offsets, logprob, old_logprob: oldLogprob, weight, log_ratio: logRatio, ratio },
    { sequences, tokens },
  );
  sequenceSurrogate.encode(
    recorder,
    { offsets, log_ratio: logRatio, ratio, advantage, weight, scaled_weight: scaledWeight, grad, stats },
    { sequences, tokens, clip_low: 1 - settings.epsilonLow, clip_high: 1 + settings.epsilonHigh },
  );
}

function tokenBindings({ logprob, oldLogprob, advantage, scaledWeight, grad, stats }: SurrogateTensors) {
  return { logprob, old_logprob: oldLogprob, advantage, weight: scaledWeight, grad, stats };
}
