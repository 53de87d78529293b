import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editDistance, suggest, suggestionHint } from "../../src/config/suggest.ts";

/** The definition, without tables: exponential, so for short words only. */
function plainDistance(a: string, b: string): number {
  if (a === "" || b === "") return a.length + b.length;
  const cost = a[0] === b[0] ? 0 : 1;
  const swap = a.length > 1 && b.length > 1 && a[0] === b[1] && a[1] === b[0];
  return Math.min(
    plainDistance(a.slice(1), b) + 1,
    plainDistance(a, b.slice(1)) + 1,
    plainDistance(a.slice(1), b.slice(1)) + cost,
    swap ? plainDistance(a.slice(2), b.slice(2)) + 1 : Number.POSITIVE_INFINITY,
  );
}

describe("editDistance()", () => {
  it("agrees with its recursive definition", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 5 });
    fc.assert(fc.property(word, word, (a, b) => editDistance(a, b) === plainDistance(a, b)));
  });

  it("counts a swap of neighbours once", () => {
    expect(editDistance("trian", "train")).toBe(1);
    expect(editDistance("kitten", "sitting")).toBe(3);
    expect(editDistance("", "abc")).toBe(3);
  });
});

describe("suggest()", () => {
  const known = ["trainer.learningRate", "trainer.loss", "generator.topK", "generator.topP", "seed"];

  it("finds the near word, whatever the case and dashes", () => {
    expect(suggest("trainer.learningRte", known)).toBe("trainer.learningRate");
    expect(suggest("learning-rate", known)).toBe("trainer.learningRate");
    expect(suggest("generator.topk", known)).toBe("generator.topK");
  });

  it("stays silent where nothing is near", () => {
    expect(suggest("colour", known)).toBeUndefined();
    expect(suggestionHint("colour", ["a", "b"], "flags")).toBe("known flags: a, b");
    expect(suggestionHint("sed", known, "settings")).toBe("did you mean `seed`?");
  });
});
