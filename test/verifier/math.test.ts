import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findBoxed, lastBoxed } from "../../src/verifier/boxed.ts";
import { gamma } from "../../src/verifier/math/complex.ts";
import { compareAnswers } from "../../src/verifier/math/equality.ts";
import { extractAnswer } from "../../src/verifier/math/extract.ts";
import * as R from "../../src/verifier/math/rational.ts";
import { equalSymbolically } from "../../src/verifier/symbolic.ts";

describe("rationals", () => {
  it("keeps the field's laws in lowest terms", () => {
    const whole = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
    const positive = fc.bigInt({ min: 1n, max: 10n ** 30n });
    const arbitrary = fc.tuple(whole, positive).map(([top, bottom]) => R.rational(top, bottom) as R.Rational);
    fc.assert(
      fc.property(arbitrary, arbitrary, (a, b) => {
        const sum = R.add(a, b) as R.Rational;
        expect(R.greatestCommonDivisor(sum.top, sum.bottom)).toBe(1n);
        expect(R.equal(R.subtract(sum, b) as R.Rational, a)).toBe(true);
        if (b.top !== 0n) {
          expect(R.equal(R.multiply(R.divide(a, b) as R.Rational, b) as R.Rational, a)).toBe(true);
        }
        expect(R.floor(a) <= R.floor(R.add(a, R.ONE) as R.Rational) - 1n).toBe(true);
      }),
    );
  });

  it("reads decimals exactly and takes roots only where they are rational", () => {
    expect(R.parseDecimal("0.1")).toEqual({ top: 1n, bottom: 10n });
    expect(R.parseDecimal("2.5e-3")).toEqual({ top: 1n, bottom: 400n });
    expect(R.parseDecimal("1.2.3")).toBeNull();
    expect(R.parseDecimal("1e9999")).toBeNull();
    const half = { top: 1n, bottom: 2n };
    expect(R.power({ top: 9n, bottom: 4n }, half)).toEqual({ top: 3n, bottom: 2n });
    expect(R.power({ top: 2n, bottom: 1n }, half)).toBeNull();
    expect(R.power({ top: 2n, bottom: 1n }, { top: 10n ** 9n, bottom: 1n })).toBeNull();
    expect(R.floor({ top: -7n, bottom: 2n })).toBe(-4n);
  });

  it("gamma() continues the factorial", () => {
    expect(gamma(6)).toBeCloseTo(120, 9);
    expect(gamma(0.5)).toBeCloseTo(Math.sqrt(Math.PI), 12);
  });
});

describe("findBoxed()", () => {
  it("matches nested braces, takes the outermost, and skips what never closes", () => {
    expect(lastBoxed("\\boxed{1} then \\boxed{\\frac{1}{2}}")).toBe("\\frac{1}{2}");
    expect(lastBoxed("\\boxed{\\boxed{7}}")).toBe("\\boxed{7}");
    expect(lastBoxed("\\boxed{a\\}b}")).toBe("a\\}b");
    expect(lastBoxed("\\boxed{5} and \\boxed{open")).toBe("5");
    expect(lastBoxed("{ stray \\fbox {3}")).toBe("3");
    expect(lastBoxed("none")).toBeNull();
    expect(findBoxed("} \\boxed{}")).toEqual([{ content: "", start: 2, end: 10 }]);
  });

  it("is linear in hostile input", () => {
    const from = performance.now();
    expect(findBoxed("\\boxed{".repeat(30_000))).toEqual([]);
    expect(performance.now() - from).toBeLessThan(2000);
  });
});

describe("compareAnswers()", () => {
  it.each([
    ["18", "18.0"],
    ["\\frac12", "0.5"],
    ["\\frac{1}{2}", "\\dfrac{2}{4}"],
    ["50\\%", "0.5"],
    ["50%", "50"],
    ["1,000", "1000"],
    ["1234567", "1{,}234{,}567"],
    ["\\$18", "18 dollars"],
    ["18", "\\text{18}"],
    ["3.5\\times10^{4}", "35000"],
    ["2\\frac{1}{2}", "5/2"],
    ["3.5", "3 1/2"],
    ["2\\sqrt{3}", "\\sqrt{12}"],
    ["(x+1)^2", "x^2+2x+1"],
    ["\\sin^2 x + \\cos^2 x", "1"],
    ["x=5", "5"],
    ["5", "5\\text{ cm}^2"],
    ["\\{1,2,3\\}", "\\{3,2,1\\}"],
    ["(-\\infty, 2]", "x \\le 2"],
    ["[0,1)\\cup(2,3)", "(2,3) \\cup [0,1)"],
    ["\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{bmatrix}1\\\\2\\end{bmatrix}"],
    ["\\sqrt{17}", "4.123105625617661"],
    ["\\sqrt[3]{-8}", "-2"],
    ["\\sum_{i=1}^{4} i", "10"],
    ["\\binom{5}{2}", "10"],
    ["Monday", "\\text{monday}"],
    ["(A)", "A"],
    ["3 \\pm 2", "1, 5"],
    ["-x+y=1", "x-y=-1"],
  ])("%s equals %s", (gold, found) => {
    expect(compareAnswers(gold, found)).toMatchObject({ outcome: "equal" });
  });

  it.each([
    ["5", "-5"],
    ["5", "5 and 6"],
    ["5", "55"],
    ["(1,2)", "(2,1)"],
    ["[1,2]", "(1,2)"],
    ["\\pi", "3.14"],
    ["1/3", "0.333"],
    ["0.1", "0.10000001"],
    ["x^2", "x^3"],
    ["x < 1", "x > 1"],
    ["2x=4", "4"],
    ["A", "B"],
    ["5", ""],
    ["5", "x"],
    ["\\{1,2\\}", "\\{1,2,3\\}"],
    ["5", "1/0"],
    ["5", "9^{9^{9^9}}"],
  ])("%s differs from %s", (gold, found) => {
    expect(compareAnswers(gold, found).outcome).toBe("different");
  });

  it("keeps the order of lists where it is asked to", () => {
    expect(compareAnswers("2,5,9", "5,2,9").outcome).toBe("equal");
    expect(compareAnswers("2,5,9", "5,2,9", { ordered: true }).outcome).toBe("different");
    expect(compareAnswers("2,5,9", "2, 5, 9", { ordered: true }).outcome).toBe("equal");
    expect(compareAnswers("2,512,900", "2512900", { ordered: true }).outcome).toBe("different");
  });

  const hostile = [
    "9^{9^{9^9}}+1",
    "(".repeat(1990),
    "{".repeat(1990),
    "\\frac{".repeat(280),
    "\\sqrt{".repeat(280),
    "\\text{".repeat(330),
    "\\sum_{i=0}^{1000000000} i",
    "\\sum_{i=0}^{9999}\\sum_{j=0}^{9999} i",
    "100000!",
    "5!!!!!!!!",
    "1".repeat(3000),
    "7".repeat(200_000),
    "x".repeat(1999),
    "5,".repeat(900),
    "|".repeat(999),
    "\\pm".repeat(300),
    "1 ".repeat(999),
    "a_{".repeat(500),
    `\\begin{matrix}${"1&".repeat(900)}\\end{matrix}`,
  ];
  it.each(hostile.map((text): [string, string] => [text.slice(0, 24), text]))(
    "is quick and not fooled by %s…",
    (_, text) => {
      const from = performance.now();
      expect(compareAnswers("5", text).outcome).not.toBe("equal");
      expect(compareAnswers(text, "5").outcome).not.toBe("equal");
      extractAnswer(text);
      expect(performance.now() - from).toBeLessThan(1000);
    },
  );

  it("never throws on anything", () => {
    const piece = fc.constantFrom(
      ..."0 1 23 .5 x y + - * / ^ _ ( ) [ ] { } , ; = < | ! % \\frac \\sqrt \\left( \\right) \\pi \\cup \\text{ab} \\{ \\} & \\\\ \\sum \\in".split(
        " ",
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), fc.array(piece, { maxLength: 24 }), (a, b) => {
        expect(["equal", "different", "undecided"]).toContain(
          compareAnswers(a.join(""), b.join(" ")).outcome,
        );
      }),
      { numRuns: 400 },
    );
  });
});

describe("extractAnswer()", () => {
  it.each([
    ["so \\boxed{1} or rather \\boxed{2}.", "2"],
    ["The answer is $12$ and that is all", "12"],
    ["Final answer: 1,234", "1,234"],
    ["we get 3 apples, then 7 pears", "7"],
    ["nothing to see here", null],
  ])("finds the answer in %s", (text, answer) => {
    expect(extractAnswer(text)).toBe(answer);
  });
});

describe("equalSymbolically()", () => {
  it("settles what the own rules leave undecided", async () => {
    expect(compareAnswers("\\frac12", "\\int_0^1 x dx").outcome).toBe("undecided");
    expect(await equalSymbolically("\\frac12", "\\int_0^1 x dx")).toBe(true);
    expect(await equalSymbolically("\\frac13", "\\int_0^1 x dx")).toBe(false);
    expect(await equalSymbolically("2x", "\\frac{d}{dx} x^2")).toBe(true);
  });
});
