import { describe, expect, it } from "vitest";
import { findBoxed } from "../../src/verifier/boxed.ts";
import { compareAnswers } from "../../src/verifier/math/equality.ts";
import { evaluateAt } from "../../src/verifier/math/evaluate.ts";
import { extractAnswer } from "../../src/verifier/math/extract.ts";
import { normaliseAnswer } from "../../src/verifier/math/normalise.ts";
import { parseAnswer } from "../../src/verifier/math/parse.ts";
import { equalSymbolically } from "../../src/verifier/symbolic.ts";
import known from "./known_misses.json" with { type: "json" };
import { hasMaterial, material } from "./material.ts";

interface MathVerifyCase {
  call: { match_types?: ("latex" | "expr")[] };
  gold?: string;
  pred: string;
  expected?: number | string[];
  result?: number;
}

async function mathVerify(c: MathVerifyCase): Promise<boolean> {
  const options = { kinds: c.call.match_types ?? (["latex", "expr"] as const) };
  if (c.gold === undefined) {
    const letters = c.expected as string[];
    const found = extractAnswer(c.pred, options);
    return letters.length === 0 ? found === null : found !== null && letters.includes(found);
  }
  const wanted = extractAnswer(c.gold, options);
  const found = extractAnswer(c.pred, options);
  const comparison = wanted !== null && found !== null ? compareAnswers(wanted, found) : null;
  const same =
    comparison?.outcome === "undecided"
      ? await equalSymbolically(wanted ?? "", found ?? "")
      : comparison?.outcome === "equal";
  return same === ((c.expected ?? c.result) === 1);
}

describe.skipIf(!hasMaterial)("maths equality on other projects' cases", () => {
  it("agrees with Math-Verify on 136 of 138 cases", async () => {
    const { cases } = material<{ cases: MathVerifyCase[] }>("verifiers/math-verify.json");
    const misses: number[] = [];
    for (const [k, c] of cases.entries()) {
      if (!(await mathVerify(c))) {
        misses.push(k);
        console.info(
          `math-verify ${k}: gold ${c.gold}, found ${c.pred.slice(-80)}, expected ${c.expected ?? c.result}`,
        );
      }
    }
    console.info(`math-verify: ${cases.length - misses.length} of ${cases.length}`);
    expect(misses).toEqual(known["math-verify.json"].map((miss) => miss.case));
    expect(cases.length).toBe(138);
  });

  it("follows Hendrycks' equivalence but for the order of lists", () => {
    const { cases } = material<{ cases: { a: string; b: string; equivalent: boolean }[] }>(
      "verifiers/hendrycks-equivalence.json",
    );
    const misses = cases.flatMap((c, k) =>
      (compareAnswers(c.a, c.b).outcome === "equal") === c.equivalent ? [] : [k],
    );
    expect(misses).toEqual(known["hendrycks-equivalence.json"].map((miss) => miss.case));
  });

  it("brings both spellings of every normalisation case together", () => {
    interface Pair {
      raw: string;
      expected: string;
    }
    const all = material<{
      strip_string: Pair[];
      dapo_normalize: Pair[];
      mathd_equal: { given: string; gold: string; equal: boolean }[];
      last_boxed: { text: string; last_boxed: string | null }[];
    }>("verifiers/answer-normalisation.json");
    const misses = [...all.strip_string, ...all.dapo_normalize]
      .filter((c) => compareAnswers(c.expected, c.raw).outcome !== "equal")
      .map((c) => c.raw);
    expect(misses).toEqual(known["answer-normalisation.json"].map((miss) => miss.case));
    for (const c of all.mathd_equal) {
      expect(compareAnswers(c.gold, c.given).outcome, c.given).toBe(c.equal ? "equal" : "different");
    }
    for (const c of all.last_boxed) {
      const last = findBoxed(c.text).pop();
      expect(last ? c.text.slice(last.start, last.end) : null).toBe(c.last_boxed);
    }
  });

  it("reads latex2sympy's expressions and finds their values", () => {
    interface Sample {
      at: Record<string, number>;
      value: number;
    }
    const { cases } = material<{ cases: { latex: string; value?: number; samples?: Sample[] }[] }>(
      "verifiers/latex2sympy.json",
    );
    const plain = (name: string) => name.replace(/bar\{(.*?)\}/g, "bar($1)").replace(/[{}\\]/g, "");
    let [read, valued, right] = [0, 0, 0];
    for (const c of cases) {
      const samples = c.samples ?? (c.value === undefined ? [] : [{ at: { x: 2, y: 1.5 }, value: c.value }]);
      if (samples.length > 0) valued++;
      try {
        const node = parseAnswer(normaliseAnswer(c.latex));
        read++;
        const fits = samples.every(({ at, value }) => {
          const bindings = new Map(Object.entries(at).map(([name, re]) => [plain(name), { re, im: 0 }]));
          const found = evaluateAt(node, bindings);
          // A percentage is its number here.
          return [value, 100 * value].some(
            (v, k) =>
              (k === 0 || c.latex.endsWith("%")) &&
              Math.abs(found.re - v) <= 1e-12 + 1e-7 * Math.abs(v) &&
              Math.abs(found.im) < 1e-9,
          );
        });
        if (fits && samples.length > 0) right++;
      } catch (error) {
        expect((error as Error).name).toMatch(/^(?:UnreadableAnswer|Undecided)$/);
      }
    }
    console.info(`latex2sympy: ${read} of ${cases.length} read, ${right} of ${valued} values right`);
    expect(read).toBeGreaterThanOrEqual(565);
    // Integrals, limits, and gcd of irrationals are left to computer algebra.
    expect(right).toBeGreaterThanOrEqual(450);
  });
});
