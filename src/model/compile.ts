/** Compiles what a model needs, all at once and before the first step. */
import { DataError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import type { AnyKernel } from "../gpu/kernel.ts";
import { attention } from "../kernels/attention/attention.ts";
import { attentionBackwardKeyValue } from "../kernels/attention/attention_backward_key_value.ts";
import { attentionBackwardQuery } from "../kernels/attention/attention_backward_query.ts";
import { attentionDelta } from "../kernels/attention/attention_delta.ts";
import { embedding } from "../kernels/embedding/embedding.ts";
import { embeddingBackward } from "../kernels/embedding/embedding_backward.ts";
import { embeddingHalf } from "../kernels/embedding/embedding_half.ts";
import { gatherRows } from "../kernels/embedding/gather_rows.ts";
import { rope } from "../kernels/embedding/rope.ts";
import { ropeBackward } from "../kernels/embedding/rope_backward.ts";
import { scatterRows } from "../kernels/embedding/scatter_rows.ts";
import { headFinish } from "../kernels/head/head_finish.ts";
import { headTile } from "../kernels/head/head_tile.ts";
import { headTileBackward } from "../kernels/head/head_tile_backward.ts";
import { biasBackward } from "../kernels/linear/bias_backward.ts";
import { swiglu } from "../kernels/mlp/swiglu.ts";
import { swigluBackward } from "../kernels/mlp/swiglu_backward.ts";
import { headNorm } from "../kernels/norm/head_norm.ts";
import { headNormBackward } from "../kernels/norm/head_norm_backward.ts";
import { headNormWeightBackward } from "../kernels/norm/head_norm_weight_backward.ts";
import { rmsNorm } from "../kernels/norm/rms_norm.ts";
import { rmsNormBackward } from "../kernels/norm/rms_norm_backward.ts";
import { rmsNormWeightBackward } from "../kernels/norm/rms_norm_weight_backward.ts";
import { adamw } from "../kernels/optimizer/adamw.ts";
import { clipCoefficient } from "../kernels/optimizer/clip_coefficient.ts";
import { gradNorm } from "../kernels/optimizer/grad_norm.ts";
import type { ModelConfig } from "./config.ts";
import { linearKernels } from "./linear.ts";
import { ADAPTER_KERNELS } from "./lora.ts";
import { allowsFloat16, type MatrixPrecision } from "./parameters.ts";

/** What a model's kernels depend on beside its config. */
export interface ModelForm {
  /** Of the matrices. */
  precision: MatrixPrecision;
  /** Whether there are adapters beside them. */
  adapted: boolean;
}

/** Kernels of the forward pass. */
export function forwardKernels(gpu: Gpu, config: ModelConfig, form: ModelForm): AnyKernel[] {
  if (form.precision === "f16" && !allowsFloat16(config)) {
    throw new DataError(
      "model/odd-for-f16",
      `Cannot keep this model's matrices in f16: its widths (${config.width}, ${config.mlpWidth}) and its vocabulary of ${config.vocabSize} must all be multiples of 4`,
      { hint: "Set `generator.dtype` and `trainer.frozenDtype` to f32." },
    );
  }
  const kernels: AnyKernel[] = [
    embedding,
    rmsNorm,
    rope,
    swiglu,
    gatherRows,
    ...linearKernels(gpu, form.precision),
    attention(config.headDim),
    headTile,
    headFinish,
  ];
  if (config.qkNorm) kernels.push(headNorm);
  if (form.precision === "f16") kernels.push(embeddingHalf(gpu.halfForm));
  if (form.adapted) kernels.push(...ADAPTER_KERNELS);
  return kernels;
}

/** Kernels of the backward pass and the optimiser. */
export function trainingKernels(config: ModelConfig): AnyKernel[] {
  const D = config.headDim;
  const kernels: AnyKernel[] = [
    attentionDelta,
    attentionBackwardQuery(D),
    attentionBackwardKeyValue(D),
    embeddingBackward,
    ropeBackward,
    scatterRows,
    headTileBackward,
    swigluBackward,
    rmsNormBackward,
    rmsNormWeightBackward,
    gradNorm,
    clipCoefficient,
    adamw,
  ];
  if (config.attentionBias) kernels.push(biasBackward);
  if (config.qkNorm) kernels.push(headNormBackward, headNormWeightBackward);
  return kernels;
}

/** @throws ShaderError */
export function compileModel(gpu: Gpu, config: ModelConfig, form: ModelForm): Promise<void> {
  return gpu.compile([...forwardKernels(gpu, config, form), ...trainingKernels(config)]);
}
