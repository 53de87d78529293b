/** The self-test at start-up: a GPU whose kernels give wrong numbers is refused before it spoils a run. */
import { ShaderError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import { FAMILY_TESTS, type FamilyResult, testFamily, testHalves } from "./self_test.ts";

/** @throws ShaderError `gpu/self-test` naming the families that fail and the first wrong number */
export async function requireSelfTest(gpu: Gpu): Promise<void> {
  const failed: FamilyResult[] = [];
  for (const [family, test] of Object.entries(FAMILY_TESTS)) {
    // What a run may do without is tried by those that use it.
    if (test === testHalves) continue;
    const result = await testFamily(gpu, family, test);
    if (!result.ok) failed.push(result);
  }
  if (failed.length > 0) throw untrusted(gpu, failed);
}

/**
 * For a device that is going to read f16: tries these kernels in the form that it is to use, and where the driver's own f16
 * gives wrong numbers has it take pairs in words instead.
 * @throws ShaderError `gpu/self-test` where these are wrong as well
 */
export async function settleHalfForm(gpu: Gpu, test = testHalves): Promise<void> {
  let result = await testFamily(gpu, "f16", test);
  if (!result.ok && gpu.halfForm === "native") {
    gpu.halfForm = "packed";
    result = await testFamily(gpu, "f16", test);
  }
  if (!result.ok) throw untrusted(gpu, [result]);
}

function untrusted(gpu: Gpu, failed: readonly FamilyResult[]): ShaderError {
  const families = failed
    .map(({ family, problem }) => `${family} (${problem ?? "wrong numbers"})`)
    .join("; ");
  return new ShaderError(
    "gpu/self-test",
    `Cannot trust ${gpu.adapterName}: its kernels give wrong numbers in ${families}`,
    {
      hint: "Update the graphics driver or use Chrome; `npm run doctor` shows every family. gpu.selfTest=false skips the test.",
    },
  );
}
