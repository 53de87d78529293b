import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "../../src/random.ts";
import { crc32 } from "../../src/tasks/crc32.ts";

describe("crc32()", () => {
  it("gives the standard check value", () => {
    expect(crc32("123456789")).toBe(0xcbf43926);
    expect(crc32("")).toBe(0);
    if (zlibCrc32) fc.assert(fc.property(fc.string({ unit: "grapheme" }), (s) => crc32(s) === zlibCrc32(s)));
  });
});

describe("randomStream()", () => {
  const words = (count: number, ...keys: [number, ...number[]]) => {
    const random = randomStream(...keys);
    return Array.from({ length: count }, () => random.word());
  };

  it("depends on every key and on nothing else", () => {
    expect(words(5, 1, 2, 3)).toEqual(words(5, 1, 2, 3));
    const keys: [number, ...number[]][] = [
      [1, 2, 3],
      [1, 3, 2],
      [2 ** 32 + 1, 2, 3],
      [1, 2],
      [1, 2, 3, 0],
      [1, 2, 2 ** 40],
    ];
    expect(new Set(keys.map((key) => words(1, ...key)[0])).size).toBe(keys.length);
    expect(() => randomStream(-1)).toThrow(RangeError);
    expect(() => randomStream(1, 0.5)).toThrow(RangeError);
  });

  it("is flat along a stream, across neighbouring streams, and in every bit", () => {
    const along = words(20_000, 7);
    const across = Array.from({ length: 20_000 }, (_, i) => randomStream(7, i).word());
    for (const drawn of [along, across]) {
      const bins = new Array<number>(64).fill(0);
      for (const word of drawn) bins[word >>> 26]++;
      const expected = drawn.length / 64;
      const chiSquare = bins.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
      expect(chiSquare).toBeLessThan(110); // 63 degrees of freedom: p ≈ 0.0002
      for (let bit = 0; bit < 32; bit++) {
        const ones = drawn.filter((word) => (word >>> bit) & 1).length;
        expect(Math.abs(ones / drawn.length - 0.5)).toBeLessThan(0.018);
      }
    }
  });

  it("draws whole numbers within bounds, both ends included, and shuffles without loss", () => {
    const random = randomStream(1);
    const drawn = Array.from({ length: 500 }, () => random.int(-2, 3));
    expect([...new Set(drawn)].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2, 3]);
    expect(() => random.int(3, 2)).toThrow(RangeError);
    const items = [1, 2, 3, 4, 5, 6, 7, 8];
    expect(random.shuffle(items).sort()).toEqual(items);
    expect(random.shuffle(items)).not.toEqual(items);
  });
});
