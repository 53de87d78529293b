/**
 * What a version's bytes mean: named tensors one after another in f32, bf16 or f16. Trainer and generator lay it out from
 * the same list of names and shapes, so only bytes travel.
 */
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "../model/float16.ts";

export type PayloadFormat = "f32" | "bf16" | "f16";

export interface PayloadEntry {
  name: string;
  /** Bytes from the payload's start; a multiple of 4, as GPU copies need. */
  offset: number;
  /** Values. */
  length: number;
}

export interface PayloadLayout {
  format: PayloadFormat;
  byteLength: number;
  entries: PayloadEntry[];
}

/** Bytes a number of values takes, rounded up to whole GPU words. */
export function payloadBytes(length: number, format: PayloadFormat): number {
  return format === "f32" ? 4 * length : 4 * Math.ceil(length / 2);
}

/** Lays tensors out in the order given; the LoRA tensors alone are as good a list as all of them. */
export function payloadLayout(
  tensors: readonly { name: string; shape: readonly number[] }[],
  format: PayloadFormat,
): PayloadLayout {
  let byteLength = 0;
  const entries = tensors.map(({ name, shape }) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const entry = { name, offset: byteLength, length };
    byteLength += payloadBytes(length, format);
    return entry;
  });
  return { format, byteLength, entries };
}

/** Rounds values into `bytes` at `offset`, a multiple of 4. */
export function packValues(values: Float32Array, format: PayloadFormat, bytes: Uint8Array, offset = 0): void {
  const at = bytes.byteOffset + offset;
  if (format === "f32") new Float32Array(bytes.buffer, at, values.length).set(values);
  else if (format === "bf16") toBfloat16(values, new Uint16Array(bytes.buffer, at, values.length));
  else toFloat16(values, new Uint16Array(bytes.buffer, at, values.length));
}

/** Widens `length` values at `offset` of `bytes`. */
export function unpackValues(
  bytes: Uint8Array,
  format: PayloadFormat,
  length: number,
  offset = 0,
): Float32Array<ArrayBuffer> {
  const at = bytes.byteOffset + offset;
  const values = new Float32Array(length);
  if (format === "f32") values.set(new Float32Array(bytes.buffer, at, length));
  else if (format === "bf16") fromBfloat16(new Uint16Array(bytes.buffer, at, length), values);
  else fromFloat16(new Uint16Array(bytes.buffer, at, length), values);
  return values;
}

/**
 * Rounds every tensor of the layout into a payload.
 * @throws RangeError if a tensor is missing or of another length
 */
export function packPayload(
  layout: PayloadLayout,
  tensors: ReadonlyMap<string, Float32Array>,
  bytes: Uint8Array,
): void {
  for (const { name, offset, length } of layout.entries) {
    const values = tensors.get(name);
    if (values?.length !== length) {
      throw new RangeError(
        `Cannot pack ${name}: ${length} values are needed, got ${values?.length ?? "none"}`,
      );
    }
    packValues(values, layout.format, bytes, offset);
  }
}

/** Widens every tensor of a payload. */
export function unpackPayload(
  layout: PayloadLayout,
  bytes: Uint8Array,
): Map<string, Float32Array<ArrayBuffer>> {
  if (bytes.byteLength !== layout.byteLength) {
    throw new RangeError(`A payload of ${layout.byteLength} bytes is needed, got ${bytes.byteLength}`);
  }
  return new Map(
    layout.entries.map(({ name, offset, length }) => [
      name,
      unpackValues(bytes, layout.format, length, offset),
    ]),
  );
}
