/**
 * Runs every kernel family on tiny inputs and compares with formulas in float64: a driver that miscompiles is found
 * before it spoils a run. `doctor` prints the outcome; the page and workers may call it at start-up. Browser-safe.
 */
import type { BufferView, GpuBuffer } from "../gpu/buffer.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Kernel } from "../gpu/kernel.ts";
import { Recorder } from "../gpu/recorder.ts";
import type { HalfForm } from "../kernels/stored.ts";
import type { Contents } from "./kernel_case.ts";
import { testAttentionHalf, testEmbeddingHalf, testLinearHalf } from "./self_test_half.ts";
import { testAttention, testEmbedding, testLinear, testMlp, testNorm } from "./self_test_layers.ts";
import { testLora } from "./self_test_lora.ts";
import { testConvert, testHead, testLoss, testOptimizer, testSampling } from "./self_test_model.ts";

export interface FamilyResult {
  /** A folder of shaders, or `f16` for what reads f16 in any of them. */
  family: string;
  ok: boolean;
  /** Kernels that ran. */
  kernels: string[];
  /** The first thing that is wrong. */
  problem?: string;
}

/** Runs a kernel once on fresh buffers and gives back one of its bindings. */
export type SelfTestRun = <P extends string, B extends string>(
  kernel: Kernel<P, B>,
  bindings: Record<B, Contents>,
  dims: Record<P, number>,
  output: NoInfer<B>,
) => Promise<Float32Array>;

/** What a tensor should be; `tolerance` is relative to its largest magnitude, 0 compares bits. */
export interface Expectation {
  name: string;
  got: ArrayLike<number>;
  want: ArrayLike<number>;
  tolerance: number;
}

/** `form` is how this device runs the kernels on f16. */
export type FamilyTest = (run: SelfTestRun, form: HalfForm) => Promise<Expectation[]>;

/** The kernels on f16, which a run need not use: a driver may be wrong in them alone. */
export const testHalves: FamilyTest = async (run, form) => [
  ...(await testEmbeddingHalf(run, form)),
  ...(await testLinearHalf(run, form)),
  ...(await testAttentionHalf(run, form)),
];

export const FAMILY_TESTS: Readonly<Record<string, FamilyTest>> = {
  embedding: testEmbedding,
  norm: testNorm,
  linear: testLinear,
  lora: testLora,
  attention: testAttention,
  mlp: testMlp,
  head: testHead,
  loss: testLoss,
  optimizer: testOptimizer,
  sampling: testSampling,
  convert: testConvert,
  f16: testHalves,
};

/** Tests every family; a failure of one, be it of its compilation, leaves the others. @throws GpuLostError */
export async function selfTest(gpu: Gpu): Promise<FamilyResult[]> {
  const results: FamilyResult[] = [];
  for (const [family, test] of Object.entries(FAMILY_TESTS))
    results.push(await testFamily(gpu, family, test));
  return results;
}

/** Tests one family. @throws GpuLostError */
export async function testFamily(gpu: Gpu, family: string, test: FamilyTest): Promise<FamilyResult> {
  const kernels: string[] = [];
  const recorder = new Recorder(gpu, "self-test");
  const run: SelfTestRun = async (kernel, bindings, dims, output) => {
    kernels.push(kernel.label);
    await gpu.compile([kernel]);
    const buffers = Object.entries<Contents>(bindings).map(
      ([name, contents]) => [name, gpu.bufferFrom(name, contents)] as const,
    );
    try {
      const views = Object.fromEntries<BufferView>(buffers) as Record<keyof typeof bindings, BufferView>;
      kernel.encode(recorder, views, dims);
      recorder.submit();
      return await (views[output] as GpuBuffer).readFloats(0, bindings[output].length);
    } finally {
      for (const [, buffer] of buffers) buffer[Symbol.dispose]();
    }
  };
  try {
    const wrong = (await test(run, gpu.halfForm)).map(mismatch).find((text) => text !== null);
    gpu.assertHealthy();
    return { family, ok: wrong === undefined, kernels, problem: wrong };
  } catch (error) {
    const problem = `${kernels.at(-1) ?? family}: ${error instanceof Error ? error.message : String(error)}`;
    return { family, ok: false, kernels, problem };
  } finally {
    recorder.dispose();
  }
}

/** Says where a tensor is furthest off, or null where all of it is within tolerance. */
export function mismatch({ name, got, want, tolerance }: Expectation): string | null {
  if (got.length !== want.length) return `${name}: ${got.length} numbers, ${want.length} wanted`;
  let largest = 0;
  for (let i = 0; i < want.length; i++) largest = Math.max(largest, Math.abs(want[i]));
  let worst = -1;
  let error = 0;
  for (let i = 0; i < want.length; i++) {
    const off = Object.is(got[i], want[i]) ? 0 : Math.abs(got[i] - want[i]);
    // Written so that NaN counts as beyond every tolerance.
    if (!(off <= tolerance * largest) && !(off <= error)) [worst, error] = [i, off];
  }
  return worst < 0 ? null : `${name}[${worst}] is ${got[worst]}, ${want[worst]} wanted`;
}
