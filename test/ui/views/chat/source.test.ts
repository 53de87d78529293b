import { describe, expect, it } from "vitest";
import { absenceOf, sourceOf } from "../../../../src/ui/views/chat/source.ts";

const recipe = { model: "builtin:chain-sum", verifier: { rewards: ["magistral"] }, checkpoint: { every: 5 } };

describe("sourceOf()", () => {
  it("looks for checkpoints of runs that are stored here, and of no recording", () => {
    const base = "https://page/";
    expect(sourceOf({ kind: "live", name: "sums", recipe }, base)).toEqual({
      base,
      model: "builtin:chain-sum",
      run: "sums",
      verifier: { rewards: ["magistral"] },
    });
    expect(sourceOf({ kind: "stored", name: "sums", recipe }, base).run).toBe("sums");
    expect(sourceOf({ kind: "recorded", name: "sums", recipe }, base).run).toBeNull();
  });

  it("takes the policy that comes with the page for a recording without a model", () => {
    expect(sourceOf({ kind: "recorded", name: "demo", recipe: {} }, "b")).toMatchObject({
      model: "builtin:chain-sum",
      verifier: {},
    });
  });
});

describe("absenceOf()", () => {
  it("offers what helps", () => {
    const recorded = { kind: "recorded" as const, recipe };
    expect(absenceOf(recorded, null).offer).toBe("train");
    expect(absenceOf(recorded, {}).offer).toBe("show");
    expect(absenceOf({ kind: "stored", recipe }, null).offer).toBe("train");
    expect(absenceOf({ kind: "live", recipe }, null)).toEqual({
      text: expect.stringContaining("after step 5"),
      offer: null,
    });
    expect(absenceOf({ kind: "live", recipe: { checkpoint: { every: 0 } } }, null).text).toContain(
      "when it ends",
    );
  });
});
