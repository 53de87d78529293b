import { describe, expect, it } from "vitest";
import { linearVec4, linearVec4Stored } from "../../src/kernels/linear/linear_vec4.ts";
import { byForm, checkFours, STORED_FORMS, storedCode, storedWords } from "../../src/kernels/stored.ts";
import { testGpu } from "../gpu_harness.ts";
import { formGpu } from "./stored_forms.ts";

describe("byForm()", () => {
  it("makes each kernel once, with a key of its own and the shader's entry point", () => {
    let made = 0;
    const kernelOf = byForm((form) => {
      made++;
      return form;
    });
    for (const form of [...STORED_FORMS, ...STORED_FORMS]) expect(kernelOf(form)).toBe(form);
    expect(made).toBe(3);
    const kernels = STORED_FORMS.map((form) => linearVec4Stored(form));
    expect(kernels[0]).toBe(linearVec4);
    expect(new Set(kernels.map(({ key }) => key)).size).toBe(3);
    expect(new Set(kernels.map(({ label }) => label))).toEqual(new Set(["linear_vec4"]));
  });
});

describe.each(STORED_FORMS)("storedCode(%j)", (form) => {
  it("leaves the shader's lines where they are, so that a message names the file's", async (test) => {
    const gpu = await formGpu(form, test);
    const shader = "// some_kernel — wrong\n\nvar<private> x: nonsense;\n";
    const code = storedCode(shader, form);
    expect(code.split("\n").slice(1)).toEqual(shader.split("\n").slice(1));
    const kernel = { ...linearVec4Stored(form), key: `broken ${form}`, code };
    await expect(gpu.compile([kernel])).rejects.toThrow(/linear_vec4\.wgsl:3:/);
  });
});

it("asks for shader-f16 in the native form alone", async () => {
  expect(storedCode("", "native")).toMatch(/^enable f16;/);
  for (const form of ["f32", "packed"] as const) expect(storedCode("", form)).not.toMatch(/f16;|<f16>/);
  // The device of the guaranteed features compiles the others.
  await (await testGpu()).compile([linearVec4, linearVec4Stored("packed")]);
});

describe("storedWords()", () => {
  it("counts a word for each number in f32 and for each pair in f16", () => {
    expect(STORED_FORMS.map((form) => storedWords(form, 12))).toEqual([12, 6, 6]);
  });
});

describe("checkFours()", () => {
  it("names what is no multiple of 4, among what it is told to look at", () => {
    const sizes = { inputs: 8, outputs: 10, rows: 3 };
    expect(() => checkFours("k", sizes, ["inputs", "outputs"])).toThrow(
      "Cannot run k with outputs = 10: a multiple of 4 is needed",
    );
    expect(() => checkFours("k", { ...sizes, outputs: 0 }, ["inputs", "outputs"])).not.toThrow();
  });
});
