import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { majAtK, normaliseVote, passAtK, type Vote } from "../../src/evaluation/pass_at_k.ts";

/** All subsets of k of the items. */
function subsets<T>(items: readonly T[], k: number): T[][] {
  if (k === 0) return [[]];
  return items.flatMap((item, i) => subsets(items.slice(i + 1), k - 1).map((rest) => [item, ...rest]));
}

/** Share of the mode's ties that are right, by counting. */
function majorityByCounting(votes: readonly Vote[], right: (answer: string) => boolean): number {
  const counts = new Map<string, number>();
  for (const { answer } of votes) if (answer !== null) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  const top = Math.max(0, ...counts.values());
  const winners = [...counts].filter(([, count]) => count === top).map(([answer]) => answer);
  return winners.length === 0 ? 0 : winners.filter(right).length / winners.length;
}

const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("passAtK()", () => {
  it("equals the share of subsets with a right completion", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }), fc.nat(8), (right, more) => {
        const k = 1 + (more % right.length);
        const counted = average(subsets(right, k).map((subset) => (subset.includes(true) ? 1 : 0)));
        expect(passAtK(right.length, right.filter(Boolean).length, k)).toBeCloseTo(counted, 12);
      }),
    );
  });

  it("keeps to known values and to its bounds", () => {
    expect(passAtK(4, 1, 1)).toBe(0.25);
    expect(passAtK(200, 3, 100)).toBeCloseTo(1 - (100 * 99 * 98) / (200 * 199 * 198), 12);
    expect(passAtK(1024, 0, 1024)).toBe(0);
    expect(() => passAtK(4, 1, 5)).toThrow(RangeError);
    expect(() => passAtK(4, 5, 1)).toThrow(RangeError);
  });
});

describe("majAtK()", () => {
  it("equals the average over all subsets, ties shared, silence not counted", () => {
    const answer = fc.constantFrom("a", "b", "c", "d", null);
    fc.assert(
      fc.property(
        fc.array(answer, { minLength: 1, maxLength: 9 }),
        fc.subarray(["a", "b", "c"]),
        fc.nat(8),
        (answers, rightOnes, more) => {
          const right = (text: string) => rightOnes.includes(text);
          const votes = answers.map((text) => ({ answer: text, correct: text !== null && right(text) }));
          const k = 1 + (more % votes.length);
          const counted = average(subsets(votes, k).map((subset) => majorityByCounting(subset, right)));
          expect(majAtK(votes, k)).toBeCloseTo(counted, 12);
        },
      ),
    );
  });

  it("votes at size: 1,024 completions", () => {
    const votes = (right: number): Vote[] =>
      Array.from({ length: 1024 }, (_, i) => ({
        answer: i < right ? "1" : `${2 + (i % 2)}`,
        correct: i < right,
      }));
    expect(majAtK(votes(400), 1024)).toBeCloseTo(1, 12);
    expect(majAtK(votes(300), 1024)).toBe(0);
    expect(majAtK(votes(400), 1)).toBeCloseTo(400 / 1024, 9);
    expect(() => majAtK([], 1)).toThrow(RangeError);
  });
});

describe("normaliseVote()", () => {
  it.each([
    [" 11 ", "11"],
    ["+011", "11"],
    ["11.0", "11"],
    ["-0", "0"],
    ["-3.50", "-3.5"],
    ["$2, 5$", "2,5"],
    ["x + 1.", "x+1"],
    ["", null],
    [undefined, null],
  ])("%j is %j", (answer, vote) => {
    expect(normaliseVote(answer)).toBe(vote);
  });
});
