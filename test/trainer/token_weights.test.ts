import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packSequences } from "../../src/trainer/packing.ts";
import { TOKEN_WEIGHT_RULES, tokenWeights } from "../../src/trainer/token_weights.ts";

describe("tokenWeights()", () => {
  it("aggregates the recipe's vector four ways", () => {
    // g1 = {[1, 1], [−.5]·4}, g2 = {[2], [−1.5]}
    const lengths = [2, 4, 1, 1];
    const sums = [2, -2, 2, -1.5];
    const total = (rule: (typeof TOKEN_WEIGHT_RULES)[number]) =>
      tokenWeights(lengths, [7, 7, 3, 3], rule, 4).reduce((sum, w, i) => sum + w * sums[i], 0);
    expect(total("group_mean")).toBeCloseTo(0.125, 15);
    expect(total("token_mean")).toBeCloseTo(0.0625, 15);
    expect(total("sequence_mean")).toBeCloseTo(0.25, 15);
    expect(total("max_length")).toBeCloseTo(0.03125, 15);
    expect(total("sequence_sum")).toBeCloseTo(0.125, 15);
  });

  const batches = fc
    .array(fc.record({ length: fc.integer({ min: 1, max: 30 }), group: fc.integer({ min: 0, max: 4 }) }), {
      minLength: 1,
      maxLength: 24,
    })
    .chain((sequences) =>
      fc.record({
        sequences: fc.constant(sequences),
        order: fc.shuffledSubarray(
          sequences.map((_, i) => i),
          { minLength: sequences.length },
        ),
        capacity: fc.integer({ min: 30, max: 90 }),
      }),
    );

  it("gives a token the same weight under any order", () => {
    fc.assert(
      fc.property(batches, ({ sequences, order }) => {
        for (const rule of TOKEN_WEIGHT_RULES) {
          const weigh = (list: typeof sequences) =>
            tokenWeights(
              list.map((s) => s.length),
              list.map((s) => s.group),
              rule,
              30,
            );
          const straight = weigh(sequences);
          const shuffled = weigh(order.map((i) => sequences[i]));
          order.forEach((i, k) => {
            expect(shuffled[k]).toBe(straight[i]);
          });
        }
      }),
    );
  });

  it("sums to the same loss under any packing, and the means weigh 1 in all", () => {
    const term = (i: number, t: number) => Math.sin(31 * i + t);
    fc.assert(
      fc.property(batches, ({ sequences, capacity }) => {
        const lengths = sequences.map((s) => s.length);
        const { microBatches } = packSequences(lengths, capacity);
        for (const rule of TOKEN_WEIGHT_RULES) {
          const weights = tokenWeights(
            lengths,
            sequences.map((s) => s.group),
            rule,
            30,
          );
          const loss = (indices: number[]) =>
            indices.reduce((sum, i) => {
              for (let t = 0; t < lengths[i]; t++) sum += weights[i] * term(i, t);
              return sum;
            }, 0);
          const whole = loss(lengths.map((_, i) => i));
          const split = microBatches.reduce((sum, indices) => sum + loss(indices), 0);
          expect(split).toBeCloseTo(whole, 12);
          if (rule === "group_mean" || rule === "token_mean" || rule === "sequence_mean") {
            expect(lengths.reduce((sum, length, i) => sum + length * weights[i], 0)).toBeCloseTo(1, 12);
          }
        }
      }),
    );
  });

  it("weights fixed per micro-batch would change the loss: the control", () => {
    const lengths = [5, 1, 3];
    const whole = tokenWeights(lengths, [0, 0, 1], "group_mean");
    const part = tokenWeights(lengths.slice(0, 1), [0], "group_mean");
    expect(part[0]).not.toBeCloseTo(whole[0], 3);
  });

  it("refuses an empty completion and a missing maximum", () => {
    expect(() => tokenWeights([3, 0], [0, 0], "token_mean")).toThrow(/sequence 1/);
    expect(() => tokenWeights([3], [0], "max_length")).toThrow(/maximum length of 0/);
    expect(() => tokenWeights([3], [0, 1], "token_mean")).toThrow(/group labels/);
  });
});
