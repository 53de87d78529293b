import { describe, expect, it } from "vitest";
import { f32ToF16 } from "../../../src/kernels/convert/f32_to_f16.ts";
import { float16Bits } from "../../../src/model/float16.ts";
import { asWords, runKernel, uniform } from "../../gpu_harness.ts";

/** Every exponent with mantissas about each tie, both signs, zeros, infinities, NaNs, then bits at random. */
function floatBits(seed: number): Uint32Array {
  const words: number[] = [];
  for (let exponent = 0; exponent < 256; exponent++) {
    for (const mantissa of [
      0, 1, 0xfff, 0x1000, 0x1001, 0x3000, 0x7fff, 0x8000, 0x8001, 0x18000, 0x7fefff, 0x7ff000, 0x7fffff,
    ])
      words.push((exponent << 23) | mantissa, 0x80000000 | (exponent << 23) | mantissa);
  }
  const next = uniform(seed);
  for (let i = 0; i < 5001; i++) words.push(next() * 2 ** 32);
  return Uint32Array.from(words);
}

// Broken on purpose once: truncation, ties up, NaN payload dropped, the odd last value left out. Each fails below.
describe("f32ToF16()", () => {
  for (const size of [32, 256]) {
    it(`rounds every kind of float as the host does, with ${size} lanes`, async () => {
      const bits = floatBits(7);
      const count = bits.length;
      expect(count % 2).toBe(1);
      const inputs = { x: bits, packed: new Uint32Array((count + 1) / 2) };
      const got = asWords(
        (await runKernel(f32ToF16.with({ WORKGROUP_SIZE: size }), inputs, { count })).packed,
      );
      const floats = new Float32Array(bits.buffer);
      const wrong: string[] = [];
      for (let i = 0; i < count; i++) {
        const half = (got[i >> 1] >>> (16 * (i & 1))) & 0xffff;
        const want = float16Bits(floats[i]);
        const nan = (half & 0x7fff) > 0x7c00;
        if (Number.isNaN(floats[i]) ? !nan : half !== want)
          wrong.push(`${bits[i].toString(16)}: got ${half.toString(16)}, want ${want.toString(16)}`);
      }
      expect(wrong.slice(0, 5), `${wrong.length} of ${count} differ`).toEqual([]);
      expect(got[got.length - 1] >>> 16).toBe(0);
    });
  }
});
