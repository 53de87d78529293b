import { describe, expect, it } from "vitest";
import { copyQuads } from "../../../src/kernels/probe/copy_quads.ts";
import { asWords, runKernel } from "../../gpu_harness.ts";
import { oneWorkgroup } from "../one_workgroup.ts";

// Broken on purpose once: i + 1 read, no stride, one quad fewer. Each fails below.
describe("copyQuads()", () => {
  for (const quads of [1, 63, 1000]) {
    it(`copies the bits of ${quads} quads and no more`, async () => {
      const x = Uint32Array.from({ length: 4 * quads + 4 }, (_, i) => (i * 2654435761) >>> 0);
      const inputs = { x, y: new Uint32Array(4 * quads + 4) };
      const want = [...x.subarray(0, 4 * quads), 0, 0, 0, 0];
      for (const kernel of [copyQuads, oneWorkgroup(copyQuads)]) {
        const { y } = await runKernel(kernel, inputs, { quads });
        expect([...asWords(y)]).toEqual(want);
      }
    });
  }
});
