/** The self-test finds nothing on a sound adapter, and finds every kernel's wrong number. */
import { describe, expect, it } from "vitest";
import { settleHalfForm } from "../../src/bench/require_self_test.ts";
import type { SelfTestRun } from "../../src/bench/self_test.ts";
import { FAMILY_TESTS, mismatch, selfTest, testFamily, testHalves } from "../../src/bench/self_test.ts";
import { openGpu } from "../../src/gpu/device.ts";
import type { Kernel } from "../../src/gpu/kernel.ts";
import type { HalfForm } from "../../src/kernels/stored.ts";
import { testGpu } from "../gpu_harness.ts";
import { filesBelow } from "../style/tree.ts";

/** Turns the largest number's sign, or makes one of zeros a one. */
function spoil(values: Float32Array): void {
  let at = 0;
  values.forEach((value, i) => {
    if (Math.abs(value) > Math.abs(values[at])) at = i;
  });
  values[at] = values[at] === 0 ? 1 : -values[at];
}

describe("selfTest()", () => {
  it("passes every family of the tree but the probes", async () => {
    const results = await selfTest(await testGpu());
    expect(results.filter(({ ok }) => !ok)).toEqual([]);
    const folders = new Set(filesBelow("shaders", /\.wgsl$/).map((path) => path.split("/")[1]));
    folders.delete("probe");
    folders.add("f16");
    expect(new Set(results.map(({ family }) => family))).toEqual(folders);
  });

  it("passes on a device with all that the adapter offers", async () => {
    const gpu = await openGpu({ label: "self-test" });
    const results = await selfTest(gpu);
    gpu.destroy();
    expect(results.filter(({ ok }) => !ok)).toEqual([]);
  });

  for (const [family, test] of Object.entries(FAMILY_TESTS)) {
    it(`fails ${family} when any one of its kernels writes one wrong number`, async () => {
      const gpu = await testGpu();
      const { kernels } = await testFamily(gpu, family, test);
      expect(kernels.length).toBeGreaterThan(1);
      for (let broken = 0; broken < kernels.length; broken++) {
        let runs = 0;
        const result = await testFamily(gpu, family, (run, form) => {
          const faulty: SelfTestRun = async (kernel, bindings, dims, output) => {
            const got = await run(kernel, bindings, dims, output);
            if (runs++ === broken) spoil(got);
            return got;
          };
          return test(faulty, form);
        });
        expect(result.ok, `${kernels[broken]}, run ${broken}`).toBe(false);
        expect(result.problem).toMatch(/wanted/);
      }
    });
  }

  it("takes f16 as pairs in words where the driver's own is wrong, and refuses it where both are", async () => {
    const gpu = await openGpu({ label: "half form" });
    expect(gpu.halfForm).toBe("native");
    await settleHalfForm(gpu);
    expect(gpu.halfForm).toBe("native");
    const forms: string[] = [];
    const wrongIn = (wrong: string[]) => async (run: SelfTestRun, form: HalfForm) => {
      forms.push(form);
      const right = await testHalves(run, form);
      return wrong.includes(form) ? [...right, { name: "f16", got: [1], want: [2], tolerance: 0 }] : right;
    };
    await settleHalfForm(gpu, wrongIn(["native"]));
    expect([gpu.halfForm, ...forms]).toEqual(["packed", "native", "packed"]);
    await expect(settleHalfForm(gpu, wrongIn(["packed"]))).rejects.toThrow(/f16 \(f16\[0\] is 1, 2 wanted/);
    gpu.destroy();
  });

  it("names the kernel that does not compile, and goes on", async () => {
    const gpu = await testGpu();
    const result = await testFamily(gpu, "mlp", async (run) => {
      const uncompilable = { label: "crooked", key: "crooked", code: "fn crooked(", overrides: {} };
      const kernel = { ...uncompilable, access: [], paramTypes: [] } as unknown as Kernel<never, "x">;
      await run(kernel, { x: new Float32Array(4) }, {}, "x");
      return [];
    });
    expect(result).toMatchObject({ family: "mlp", ok: false, kernels: ["crooked"] });
    expect(result.problem).toMatch(/^crooked: Cannot compile crooked/);
    expect((await testFamily(gpu, "mlp", FAMILY_TESTS.mlp)).ok).toBe(true);
  });
});

describe("mismatch()", () => {
  const say = (got: number[], want: number[], tolerance: number) =>
    mismatch({ name: "t", got, want, tolerance });

  it("names the worst element beyond the tolerance of the largest", () => {
    expect(say([1, 2.00001], [1, 2], 1e-4)).toBeNull();
    expect(say([1.1, 2.5], [1, 2], 1e-4)).toBe("t[1] is 2.5, 2 wanted");
    expect(say([1, 0.001], [1, 0], 1e-2)).toBeNull();
  });

  it("lets neither NaN nor infinity nor a missing number pass", () => {
    expect(say([1, Number.NaN], [1, 2], 1)).toMatch("t[1] is NaN");
    expect(say([Number.POSITIVE_INFINITY, 2], [1, 2], 1)).toMatch("t[0] is Infinity");
    expect(say([1], [1, 2], 1)).toBe("t: 1 numbers, 2 wanted");
  });

  it("compares exactly at tolerance 0", () => {
    expect(say([3, 0], [3, 0], 0)).toBeNull();
    expect(say([4294967295], [4294967294], 0)).toMatch("4294967294 wanted");
  });
});
