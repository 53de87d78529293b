/**
 * What a version's bytes mean: the shards of a parameter layout one after another in f32, bf16 or f16. Trainer and
 * generator lay it out from the same layout, so only bytes travel. The adapters' shards are as good as the whole model's.
 */
import { fromBfloat16, toBfloat16, toFloat16 } from "../model/float16.ts";
import type { ParameterLayout } from "../model/layout.ts";

export type PayloadFormat = "f32" | "bf16" | "f16";

export interface PayloadLayout {
  format: PayloadFormat;
  byteLength: number;
  shards: {
    /** Bytes from the payload's start; a multiple of 4, as GPU copies need. */
    offset: number;
    /** Values. */
    length: number;
  }[];
}

/** Bytes a number of values takes, rounded up to whole GPU words. */
function payloadBytes(length: number, format: PayloadFormat): number {
  return format === "f32" ? 4 * length : 4 * Math.ceil(length / 2);
}

export function shardPayload(layout: Pick<ParameterLayout, "shards">, format: PayloadFormat): PayloadLayout {
  let byteLength = 0;
  const shards = layout.shards.map(({ length }) => {
    const offset = byteLength;
    byteLength += payloadBytes(length, format);
    return { offset, length };
  });
  return { format, byteLength, shards };
}

/** Rounds one shard into a payload's bytes. @throws RangeError when it has another length than the layout says */
export function packShard(
  { format, shards }: PayloadLayout,
  shard: number,
  values: Float32Array,
  bytes: Uint8Array,
): void {
  const { offset, length } = shards[shard];
  if (values.length !== length)
    throw new RangeError(`Cannot pack shard ${shard}: ${length} values are needed, got ${values.length}`);
  const at = bytes.byteOffset + offset;
  if (format === "f32") new Float32Array(bytes.buffer, at, length).set(values);
  else if (format === "bf16") toBfloat16(values, new Uint16Array(bytes.buffer, at, length));
  else toFloat16(values, new Uint16Array(bytes.buffer, at, length));
}

/**
 * Copies the shards out one after another: f32 values, widened from bf16, or the bits of f16.
 * @throws RangeError when `bytes` is not of the payload's length
 */
export function* unpackShards(
  { format, shards, byteLength }: PayloadLayout,
  bytes: Uint8Array,
): Generator<Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>> {
  if (bytes.byteLength !== byteLength)
    throw new RangeError(`A payload of ${byteLength} bytes is needed, got ${bytes.byteLength}`);
  for (const { offset, length } of shards) {
    const at = bytes.byteOffset + offset;
    if (format === "f32") {
      yield new Float32Array(bytes.buffer, at, length).slice();
      continue;
    }
    const bits = new Uint16Array(bytes.buffer, at, length);
    if (format === "f16") {
      yield bits.slice();
      continue;
    }
    const values = new Float32Array(length);
    fromBfloat16(bits, values);
    yield values;
  }
}
