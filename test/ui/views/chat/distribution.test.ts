import { describe, expect, it } from "vitest";
import {
  barsOf,
  clampTemperature,
  drawToken,
  logProbability,
  shownTokens,
  topIds,
} from "../../../../src/ui/views/chat/distribution.ts";

const logits = Float32Array.from([0, Math.log(3), Math.log(5), Number.NEGATIVE_INFINITY, Math.log(1)]);
const tokens = Array.from(logits, (_, id) => ({ id }));

describe("barsOf()", () => {
  it("gives softmax probabilities over all tokens, also of those that are not shown", () => {
    const { bars, rest, others } = barsOf(logits, [tokens[2], tokens[1]], 1);
    expect(bars.map(({ probability }) => probability)).toEqual([expect.closeTo(0.5), expect.closeTo(0.3)]);
    expect(rest).toBeCloseTo(0.2);
    expect(others).toBe(3);
  });

  it("sharpens at a low temperature and flattens at a high one, without overflow", () => {
    const [cold] = barsOf(logits, [tokens[2]], 0.05).bars;
    expect(cold.probability).toBeGreaterThan(0.9999);
    const [hot, middle] = barsOf(logits, [tokens[2], tokens[1]], 3).bars;
    // p ∝ exp(logit)^(1/3)
    const sum = 5 ** (1 / 3) + 3 ** (1 / 3) + 2;
    expect(hot.probability).toBeCloseTo(5 ** (1 / 3) / sum);
    expect(middle.probability).toBeCloseTo(3 ** (1 / 3) / sum);
    const large = Float32Array.from([3e4, 2.9e4]);
    expect(barsOf(large, [{ id: 0 }, { id: 1 }], 0.05).bars.map((bar) => bar.probability)).toEqual([1, 0]);
  });
});

describe("logProbability()", () => {
  it("is the logarithm of the bar, and minus infinity for what cannot come", () => {
    expect(logProbability(logits, 1, 1)).toBeCloseTo(Math.log(0.3));
    expect(logProbability(logits, 3, 1)).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe("topIds()", () => {
  it("orders by logit, the lower id first on ties", () => {
    expect(topIds(logits, 4)).toEqual([2, 1, 0, 4]);
    expect(topIds(logits, 9)).toEqual([2, 1, 0, 4, 3]);
    expect(topIds(Float32Array.from([1, 5, 5, 2]), 2)).toEqual([1, 2]);
  });
});

describe("shownTokens()", () => {
  it("gives the chosen token the last place where it is not among the best", () => {
    expect(shownTokens(tokens, tokens[4], 3).map(({ id }) => id)).toEqual([0, 1, 4]);
    expect(shownTokens(tokens, tokens[1], 3).map(({ id }) => id)).toEqual([0, 1, 2]);
    expect(shownTokens(tokens, null, 3).map(({ id }) => id)).toEqual([0, 1, 2]);
    expect(shownTokens(tokens.slice(0, 2), null, 3)).toHaveLength(2);
  });
});

describe("drawToken()", () => {
  it("draws in proportion to the probabilities, and never what cannot come", () => {
    const counts = [0, 0, 0, 0, 0];
    const draws = 4000;
    for (let index = 0; index < draws; index++) counts[drawToken(logits, 1, 7, index)]++;
    [0.1, 0.3, 0.5, 0, 0.1].forEach((share, id) => {
      // Five standard deviations.
      expect(Math.abs(counts[id] / draws - share)).toBeLessThanOrEqual(
        5 * Math.sqrt((share * (1 - share)) / draws),
      );
    });
  });

  it("repeats for the same seed and place, and takes the likeliest at the lowest temperature", () => {
    const draw = (seed: number) =>
      Array.from({ length: 20 }, (_, index) => drawToken(logits, 1, seed, index));
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
    expect(new Set(Array.from({ length: 50 }, (_, index) => drawToken(logits, 0.05, 1, index)))).toEqual(
      new Set([2]),
    );
  });
});

describe("clampTemperature()", () => {
  it.each([
    [0, 0.05],
    [9, 3],
    [1.234, 1.23],
    [Number.NaN, 1],
  ])("takes %f as %f", (given, taken) => expect(clampTemperature(given)).toBe(taken));
});
