/**
 * Half-width floats by bits: IEEE binary16 (f16) and bfloat16 (bf16), rounded to nearest, ties to even, as the GPU's
 * conversion kernels must do. Serves the safetensors reader and the weight payloads; knows neither.
 */

const wordOf = new Uint32Array(1);
const floatOf = new Float32Array(wordOf.buffer);

/** Rounds one f32 to the bits of the nearest f16; beyond 65504 + half a unit it becomes infinity. */
export function float16Bits(value: number): number {
  floatOf[0] = value;
  const bits = wordOf[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 0x477ff000 is 65520, half-way between the largest f16 and what would follow it.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rebiased = magnitude - 0x38000000;
    return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13);
  }
  // At or under 2^-25 the nearest (even) f16 is zero.
  if (magnitude <= 0x33000000) return sign;
  const shift = 126 - (magnitude >>> 23);
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const quotient = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (quotient + (rest > half || (rest === half && (quotient & 1) === 1) ? 1 : 0));
}

/** Widens the bits of one f16; exact. */
export function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/** Rounds one f32 to the bits of the nearest bf16. */
export function bfloat16Bits(value: number): number {
  floatOf[0] = value;
  return roundBfloat16(wordOf[0]);
}

/** Widens the bits of one bf16; exact. */
export function bfloat16Value(bits: number): number {
  wordOf[0] = bits << 16;
  return floatOf[0];
}

function roundBfloat16(word: number): number {
  // A NaN whose payload lies in the dropped half must stay a NaN.
  if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40;
  return ((word + 0x7fff + ((word >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Rounds f32 values to f16 bits, into `target` if given. */
export function toFloat16(
  values: Float32Array,
  target: Uint16Array = new Uint16Array(values.length),
): Uint16Array {
  for (let index = 0; index < values.length; index += 1) target[index] = float16Bits(values[index]);
  return target;
}

/** Widens f16 bits to f32, into `target` if given. */
export function fromFloat16(
  bits: Uint16Array,
  target: Float32Array = new Float32Array(bits.length),
): Float32Array {
  for (let index = 0; index < bits.length; index += 1) target[index] = float16Value(bits[index]);
  return target;
}

/** Rounds f32 values to bf16 bits, into `target` if given. */
export function toBfloat16(
  values: Float32Array,
  target: Uint16Array = new Uint16Array(values.length),
): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let index = 0; index < words.length; index += 1) target[index] = roundBfloat16(words[index]);
  return target;
}

/** Widens bf16 bits to f32, into `target` if given. */
export function fromBfloat16(
  bits: Uint16Array,
  target: Float32Array = new Float32Array(bits.length),
): Float32Array {
  const words = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let index = 0; index < bits.length; index += 1) words[index] = bits[index] << 16;
  return target;
}
