import { describe, expect, it } from "vitest";
import { byHalfForm, checkFours, HALF_FORMS, halfCode } from "../../src/kernels/half.ts";
import { linearHalf } from "../../src/kernels/linear/linear_half.ts";
import { testGpu } from "../gpu_harness.ts";
import { halfGpu } from "./half_forms.ts";

describe("byHalfForm()", () => {
  it("makes each kernel once, with a key of its own and the shader's entry point", () => {
    let made = 0;
    const kernelOf = byHalfForm((form) => {
      made++;
      return form;
    });
    for (const form of [...HALF_FORMS, ...HALF_FORMS]) expect(kernelOf(form)).toBe(form);
    expect(made).toBe(2);
    const [packed, native] = HALF_FORMS.map((form) => linearHalf(form));
    expect(packed).toBe(linearHalf("packed"));
    expect(packed.key).not.toBe(native.key);
    expect([packed.label, native.label]).toEqual(["linear_half", "linear_half"]);
  });
});

describe.each(HALF_FORMS)("halfCode(%j)", (form) => {
  it("leaves the shader's lines where they are, so that a message names the file's", async (test) => {
    const gpu = await halfGpu(form, test);
    const shader = "// some_half — wrong\n\nvar<private> x: nonsense;\n";
    const code = halfCode(shader, form);
    expect(code.split("\n").slice(1)).toEqual(shader.split("\n").slice(1));
    const kernel = { ...linearHalf(form), key: `broken ${form}`, code };
    await expect(gpu.compile([kernel])).rejects.toThrow(/linear_half\.wgsl:3:/);
  });
});

it("asks for shader-f16 in the native form alone", async () => {
  expect(halfCode("", "native")).toMatch(/^enable f16;/);
  expect(halfCode("", "packed")).not.toMatch(/f16;|<f16>/);
  // The device of the guaranteed features compiles the packed form.
  await (await testGpu()).compile([linearHalf("packed")]);
});

describe("checkFours()", () => {
  it("names what is no multiple of 4", () => {
    expect(() => checkFours("k", { inputs: 8, outputs: 10 })).toThrow(
      "Cannot run k with outputs = 10: a multiple of 4 is needed",
    );
    expect(() => checkFours("k", { inputs: 8, outputs: 0 })).not.toThrow();
  });
});
