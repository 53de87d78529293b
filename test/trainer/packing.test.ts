import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { packMetrics, packSequences } from "../../src/trainer/packing.ts";

describe("packSequences()", () => {
  const lengths = [3, 7, 2, 5, 4, 6, 1, 8, 2, 2];
  const bins = (plan: ReturnType<typeof packSequences>) =>
    plan.microBatches.map((indices) => indices.map((i) => lengths[i]));

  it("packs the recipe's vector into four, arrival order into five", () => {
    expect(bins(packSequences(lengths, 10))).toEqual([
      [8, 2],
      [7, 3],
      [6, 4],
      [5, 2, 2, 1],
    ]);
    expect(packSequences(lengths, 10, "arrival").microBatches).toHaveLength(5);
  });

  it("keeps the order of equal lengths", () => {
    expect(packSequences([2, 2, 2, 2], 4).microBatches).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it("puts different kinds into different micro-batches", () => {
    const kinds = [1, 2, 1, 2, 1];
    const { microBatches, stats } = packSequences([4, 3, 3, 2, 1], 10, "length", kinds);
    expect(microBatches).toEqual([
      [0, 2, 4],
      [1, 3],
    ]);
    expect(stats).toMatchObject({ microBatches: 2, tokens: 13, fullest: 8 });
  });

  it("states padding and fill", () => {
    const { stats } = packSequences([6, 6, 4], 10);
    expect(stats).toEqual({
      microBatches: 2,
      sequences: 3,
      tokens: 16,
      fullest: 10,
      fill: 0.8,
      padding: expect.closeTo(0.2),
    });
    expect(packMetrics(stats)).toMatchObject({ "batch/row_fill_frac": 0.8, "batch/row_tokens_mean": 8 });
    expect(packSequences([], 10)).toEqual({
      microBatches: [],
      capacity: 10,
      stats: { microBatches: 0, sequences: 0, tokens: 0, fullest: 0, fill: 0, padding: 0 },
    });
  });

  it("places every sequence once within the capacity, never worse than one each", () => {
    const inputs = fc.record({
      lengths: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }),
      capacity: fc.integer({ min: 40, max: 100 }),
    });
    fc.assert(
      fc.property(inputs, ({ lengths, capacity }) => {
        const { microBatches, stats } = packSequences(lengths, capacity);
        const placed = microBatches.flat().sort((a, b) => a - b);
        expect(placed).toEqual(lengths.map((_, i) => i));
        for (const indices of microBatches) {
          expect(indices.reduce((sum, i) => sum + lengths[i], 0)).toBeLessThanOrEqual(capacity);
        }
        // First-fit leaves at most one micro-batch half empty.
        const halfEmpty = microBatches.filter(
          (m) => m.reduce((sum, i) => sum + lengths[i], 0) * 2 <= capacity,
        );
        expect(halfEmpty.length).toBeLessThanOrEqual(1);
        expect(stats.tokens).toBe(lengths.reduce((sum, length) => sum + length, 0));
      }),
    );
  });

  it("refuses a sequence that fits nowhere, saying what would help", () => {
    expect.assertions(2);
    try {
      packSequences([3, 12], 8);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).hint).toContain("microBatchTokens to at least 12");
    }
  });

  it("refuses lengths and capacities that are no counts", () => {
    expect(() => packSequences([0], 8)).toThrow(RangeError);
    expect(() => packSequences([1], 2.5)).toThrow(RangeError);
  });
});
