/** The values of stored tensors as f32 or as f16 bits, into arrays that the caller keeps. */
import { float16Bits, fromBfloat16, fromFloat16, toFloat16 } from "../model/float16.ts";
import type { FloatDtype } from "../model/safetensors.ts";

type ViewClass<T> = { readonly BYTES_PER_ELEMENT: number; new (from: ArrayBufferLike, at: number): T } & {
  new (from: ArrayBufferLike, at: number, length: number): T;
};

/** The bytes as values; copied only where they do not lie on a multiple of a value's size. */
function valuesOf<T>(bytes: Uint8Array, View: ViewClass<T>): T {
  const width = View.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return new View(aligned.buffer, aligned.byteOffset, bytes.byteLength / width);
}

const allBits = () => Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);

/** f32 by the bits of an f16; f16 by the bits of a bf16. Made when first needed. */
let ofFloat16: Float32Array | null = null;
let ofBfloat16: Uint16Array | null = null;

/** Widens values to f32 (F64 is rounded), as `toFloat32` does. */
export function widenValues(dtype: FloatDtype, bytes: Uint8Array, target: Float32Array): void {
  switch (dtype) {
    case "F32":
      target.set(valuesOf(bytes, Float32Array));
      return;
    case "F64":
      target.set(valuesOf(bytes, Float64Array));
      return;
    case "BF16":
      fromBfloat16(valuesOf(bytes, Uint16Array), target);
      return;
    case "F16": {
      ofFloat16 ??= fromFloat16(allBits());
      const table = ofFloat16;
      const bits = valuesOf(bytes, Uint16Array);
      for (let index = 0; index < bits.length; index += 1) target[index] = table[bits[index]];
    }
  }
}

const doubleOf = new Float32Array(1);
const wordOf = new Uint32Array(doubleOf.buffer);

/**
 * An f32 next to `value`, odd where it is not exact: rounded from there to f16, the result is that of one rounding. The
 * nearest f32 may be a tie between two f16 that `value` is not.
 */
function roundedToOdd(value: number): number {
  doubleOf[0] = value;
  if (doubleOf[0] === value || Number.isNaN(value)) return value;
  // Toward zero first, then odd.
  if (Math.abs(doubleOf[0]) > Math.abs(value)) wordOf[0] -= 1;
  wordOf[0] |= 1;
  return doubleOf[0];
}

const isInfinite16 = (bits: number) => (bits & 0x7fff) === 0x7c00;

/** Rounds f32 values to f16 bits; returns the place of the first finite value that is beyond f16, or -1. */
export function narrowValues(values: Float32Array | Float64Array, target: Uint16Array): number {
  const isDouble = values instanceof Float64Array;
  for (let index = 0; index < values.length; index += 1) {
    const bits = float16Bits(isDouble ? roundedToOdd(values[index]) : values[index]);
    if (isInfinite16(bits) && Number.isFinite(values[index])) return index;
    target[index] = bits;
  }
  return -1;
}

/** Values as f16 bits: F16 unchanged, others rounded once to nearest even. Returns as `narrowValues`. */
export function float16Values(dtype: FloatDtype, bytes: Uint8Array, target: Uint16Array): number {
  switch (dtype) {
    case "F32":
      return narrowValues(valuesOf(bytes, Float32Array), target);
    case "F64":
      return narrowValues(valuesOf(bytes, Float64Array), target);
    case "F16":
      target.set(valuesOf(bytes, Uint16Array));
      return -1;
    case "BF16": {
      ofBfloat16 ??= toFloat16(fromBfloat16(allBits()));
      const table = ofBfloat16;
      const from = valuesOf(bytes, Uint16Array);
      for (let index = 0; index < from.length; index += 1) {
        const bits = table[from[index]];
        if (isInfinite16(bits) && (from[index] & 0x7fff) !== 0x7f80) return index;
        target[index] = bits;
      }
      return -1;
    }
  }
}

/** The value at a place, for a message. */
export function valueAt(dtype: FloatDtype, bytes: Uint8Array, index: number): number {
  const width = bytes.byteLength === 0 ? 1 : dtype === "F64" ? 8 : dtype === "F32" ? 4 : 2;
  const one = bytes.slice(index * width, (index + 1) * width);
  if (dtype === "F64") return valuesOf(one, Float64Array)[0];
  const value = new Float32Array(1);
  widenValues(dtype, one, value);
  return value[0];
}
