/** The bytes of a weight version: every shard of the parameter layout, one after another. */

import type { ParameterLayout } from "../model/layout.ts";
import {
  type PayloadFormat,
  type PayloadLayout,
  packPayload,
  payloadLayout,
  unpackPayload,
} from "./payload.ts";

export function shardPayload(layout: ParameterLayout, format: PayloadFormat): PayloadLayout {
  return payloadLayout(
    layout.shards.map(({ length }, i) => ({ name: `${i}`, shape: [length] })),
    format,
  );
}

/** @throws RangeError when a shard has another length than the layout says. */
export function packShards(payload: PayloadLayout, shards: readonly Float32Array[], bytes: Uint8Array): void {
  packPayload(payload, new Map(shards.map((shard, i) => [`${i}`, shard])), bytes);
}

/** @throws RangeError when `bytes` is not of the payload's length. */
export function unpackShards(payload: PayloadLayout, bytes: Uint8Array): Float32Array<ArrayBuffer>[] {
  return [...unpackPayload(payload, bytes).values()];
}
