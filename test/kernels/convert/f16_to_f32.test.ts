import { describe, expect, it } from "vitest";
import { f16ToF32 } from "../../../src/kernels/convert/f16_to_f32.ts";
import { float16Value } from "../../../src/model/float16.ts";
import { runKernel } from "../../gpu_harness.ts";

// Broken on purpose once: halves swapped, subnormals flushed, the odd last value left out. Each fails below.
describe("f16ToF32()", () => {
  for (const size of [32, 256]) {
    it(`widens all 65536 bit patterns, and an odd number of them, with ${size} lanes`, async () => {
      const packed = Uint32Array.from({ length: 32768 }, (_, i) => (2 * i) | ((2 * i + 1) << 16));
      for (const count of [65536, 1237]) {
        const inputs = { packed, y: new Float32Array(65536) };
        const got = (await runKernel(f16ToF32.with({ WORKGROUP_SIZE: size }), inputs, { count })).y;
        const wrong: string[] = [];
        for (let i = 0; i < 65536; i++) {
          const want = i < count ? float16Value(i) : 0;
          if (!Object.is(got[i], want)) wrong.push(`${i.toString(16)}: got ${got[i]}, want ${want}`);
        }
        expect(wrong.slice(0, 5), `${wrong.length} differ`).toEqual([]);
      }
    });
  }
});
