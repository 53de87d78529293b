import { describe, expect, it } from "vitest";
import { absenceOf, sourceOf, whenceOf } from "../../../../src/ui/views/chat/source.ts";

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

  it("hands over what was dropped to every model that may stand on it: adapters of the hub do too", () => {
    const dropped = { base: { "config.json": new Blob(["{}"]) } };
    const of = (model: string) => sourceOf({ kind: "live", name: "sums", recipe: { model } }, "b", dropped);
    for (const model of ["dropped:adapters", "stored:adapters", "someone/adapters"])
      expect(of(model).dropped, model).toBe(dropped);
    expect(of("builtin:chain-sum")).not.toHaveProperty("dropped");
  });

  it("takes the policy that comes with the page for a recording without a model", () => {
    expect(sourceOf({ kind: "recorded", name: "demo", recipe: {} }, "b")).toMatchObject({
      model: "builtin:chain-sum",
      verifier: {},
    });
  });
});

describe("the policy that came with a recording", () => {
  const policy = { folder: "https://page/demo/run_policy", step: 30, version: 31, dtype: "F16" as const };
  const recorded = { kind: "recorded" as const, name: "demo", recipe: { ...recipe, steps: 30 }, policy };

  it("is asked where it lies", () => {
    expect(sourceOf(recorded, "b").recorded).toEqual({ address: policy.folder, step: 30, version: 31 });
    expect(sourceOf({ ...recorded, policy: null }, "b")).not.toHaveProperty("recorded");
  });

  it("is called by what it is", () => {
    const at = { step: 30 };
    expect(whenceOf("newest", recorded, at)).toBe(
      "the recorded run's final policy, step 30, weights rounded to f16",
    );
    const cut = { ...recorded, recipe: { steps: 40 }, policy: { ...policy, dtype: "F32" as const } };
    expect(whenceOf("newest", cut, at)).toBe("the recorded run's last saved policy, step 30");
    expect(whenceOf("newest", { ...recorded, kind: "live", policy: null }, at)).toBe(
      "as saved after step 30",
    );
    expect(whenceOf("first", recorded, { step: 0 })).toBe("as it was before the first step");
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
