/** Which kernels a decode pass uses, by its sizes and by the format of its cache. */
import type { Gpu } from "../gpu/device.ts";
import { decodeAttention, decodeAttentionStored } from "../kernels/attention/decode_attention.ts";
import { kvStore, kvStoreStored } from "../kernels/attention/kv_store.ts";
import { sample } from "../kernels/sampling/sample.ts";
import type { EngineOptions } from "./api.ts";

export type DecodePassOptions = Omit<EngineOptions, "recomputeCache">;

/** Few lanes for small vocabularies, where barriers cost more than arithmetic; many for large ones. */
function samplerFor(vocab: number): typeof sample {
  const lanes = vocab <= 128 ? 16 : vocab <= 4096 ? 64 : 256;
  return sample.with({ WORKGROUP_SIZE: lanes });
}

export interface DecodeKernels {
  sampler: typeof sample;
  store: typeof kvStore;
  attend: typeof decodeAttention;
}

/** The kernels that depend on sizes and on the cache's format. */
export function decodeKernels(
  gpu: Gpu,
  { config, maxSequence, cachePrecision = "f32" }: DecodePassOptions,
): DecodeKernels {
  // Few lanes for short caches, 64 for long ones.
  const lanes = maxSequence <= 64 ? 8 : maxSequence <= 256 ? 32 : 64;
  const half = cachePrecision === "f16";
  const attend = half ? decodeAttentionStored(gpu.halfForm) : decodeAttention;
  return {
    sampler: samplerFor(config.vocabSize),
    store: half ? kvStoreStored(gpu.halfForm) : kvStore,
    attend: attend.with({ WORKGROUP_SIZE: Math.max(lanes, 2 ** Math.ceil(Math.log2(config.headDim / 4))) }),
  };
}
