/** What is measured, without measuring: every kernel is there, and work is counted by formula. */
import { describe, expect, it } from "vitest";
import { against, builtinConfig } from "../../src/bench/bench.ts";
import { kernelCases } from "../../src/bench/cases.ts";
import { smallFloats, smallWords } from "../../src/bench/kernel_case.ts";
import { causalPairs, SMALL_SHAPE, sequenceStarts, WIDE_SHAPE } from "../../src/bench/shapes.ts";
import { matrixFlops, stepBatch, stepSize } from "../../src/bench/steps.ts";
import { median } from "../../src/bench/stopwatch.ts";
import { kernelRow, short, sizes } from "../../src/bench/tables.ts";
import { defaultRecipe } from "../../src/config/parse.ts";
import { filesBelow, stemOf } from "../style/tree.ts";

const cases = kernelCases([SMALL_SHAPE, WIDE_SHAPE]);
const named = (name: string, set = "small") => cases.find((one) => one.name === name && one.set === set)!;

describe("kernelCases()", () => {
  it("measures every shader of the tree", () => {
    const measured = new Set(cases.map((one) => one.kernel.label));
    expect(
      filesBelow("shaders", /\.wgsl$/)
        .map(stemOf)
        .sort(),
    ).toEqual([...measured].sort());
  });

  it("gives every case a name of its own within its set, and finite work", () => {
    const names = cases.map((one) => `${one.set}/${one.name}`);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, flops, bytes } of cases) {
      expect(Number.isFinite(flops) && flops >= 0, name).toBe(true);
      expect(Number.isFinite(bytes) && bytes > 0, name).toBe(true);
    }
  });

  it("has the built-in policy's shapes", () => {
    const { width, mlpWidth, heads, kvHeads, headDim, vocabSize } = builtinConfig();
    expect([width, mlpWidth, heads, kvHeads, headDim, vocabSize]).toEqual([128, 344, 4, 4, 32, 28]);
    expect(named("linear_vec4 gate_up").dims).toMatchObject({ rows: 2048, outputs: 688, inputs: 128 });
    expect(named("linear_vec4 decode gate_up").dims).toMatchObject({ rows: 128 });
    expect(named("linear_vec4 down", "wide").dims).toMatchObject({ outputs: 576, inputs: 1536 });
  });

  it("counts a multiply-add as two operations, and attention by the pairs that are seen", () => {
    expect(named("linear_vec4 gate_up").flops).toBe(2 * 2048 * 688 * 128);
    expect(named("linear_backward_weight_vec4 qkv").flops).toBe(2 * 2048 * 384 * 128);
    expect(named("attention").flops).toBe(2 * 2 * 4 * 32 * causalPairs(2048, 30));
    expect(named("attention_backward_key_value").flops).toBe(2 * named("attention").flops);
    expect(named("decode_attention").flops).toBe(4 * 4 * 32 * 128 * 33);
  });

  it("fills buffers with small normal numbers and ids below their limit", () => {
    const floats = smallFloats(10000);
    expect(floats.every((value) => Math.abs(value) <= 0.5 && Math.abs(value) > 1e-9)).toBe(true);
    expect(floats[4096]).toBe(floats[0]);
    expect(new Set(floats).size).toBeGreaterThan(4000);
    expect(Math.max(...smallWords(1000, 28))).toBeLessThan(28);
  });
});

describe("shapes", () => {
  it("cut rows into sequences, the last one shorter", () => {
    expect([...sequenceStarts(70, 30)]).toEqual([0, 30, 60, 70]);
    expect(causalPairs(70, 30)).toBe(465 + 465 + 55);
  });
});

describe("stepBatch()", () => {
  it("is of the default recipe's size, with lengths and rewards that differ", () => {
    const size = stepSize(builtinConfig());
    expect(size).toMatchObject({ sequences: 256, concurrency: 128, maxTokens: 24 });
    const batch = stepBatch(defaultRecipe(), 28, size);
    expect(batch.groups.length).toBe(256);
    const lengths = [...batch.promptLengths.keys()].map(
      (i) => batch.completionOffsets[i + 1] - batch.completionOffsets[i],
    );
    expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([8, 24]);
    expect(Math.max(...batch.tokens)).toBeLessThan(28);
    expect(batch.advantages.every((advantage) => advantage !== 0)).toBe(true);
  });
});

describe("figures", () => {
  const peaks = { flopsPerSecond: 100e9, bytesPerSecond: 10e9 };

  it("take the slower peak as the roof", () => {
    const arithmetic = against(peaks, { seconds: 2, flops: 100e9, bytes: 1e9 });
    expect(arithmetic).toEqual({ gflopsPerSecond: 50, gbPerSecond: 0.5, roofline: 0.5, bound: "arithmetic" });
    const memory = against(peaks, { seconds: 4, flops: 1e9, bytes: 10e9 });
    expect(memory).toMatchObject({ gbPerSecond: 2.5, roofline: 0.25, bound: "memory" });
  });

  it("count the layers for every row and the head for every prediction", () => {
    // Two layers of qkv, o, gate_up, down and two norms, and the final norm.
    const layer = 384 * 128 + 128 * 128 + 688 * 128 + 128 * 344 + 2 * 128;
    expect(matrixFlops(builtinConfig(), 10, 3)).toBe(2 * ((2 * layer + 128) * 10 + 28 * 128 * 3));
  });

  it("are medians", () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([7])]).toEqual([2, 2.5, 7]);
    expect(median([])).toBeNaN();
  });

  it("print with three figures", () => {
    expect([0, 0.012345, 0.5, 3.2549, 27.18, 123.4, 1234.5].map(short)).toEqual([
      "0",
      "0.0123",
      "0.500",
      "3.25",
      "27.2",
      "123",
      "1235",
    ]);
    expect(sizes({ rows: 8, width: 4, eps: 1e-5, accumulate: 1 })).toBe("N 8 C 4");
    const { name, set, dims, flops, bytes } = named("kv_store");
    const rates = against(peaks, { seconds: 1e-3, flops, bytes });
    const row = kernelRow({ name, set, dims, flops, bytes, seconds: 1e-3, ...rates });
    expect(row).toEqual([
      "kv_store",
      "N 128 H 4 K 4 D 32 S 64 E 128",
      "1.00",
      "-",
      short(bytes / 1e6),
      "3 %",
      "memory",
    ]);
  });
});
