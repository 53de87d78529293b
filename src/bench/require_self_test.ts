/** The self-test at start-up: a GPU whose kernels give wrong numbers is refused before it spoils a run. */
import { ShaderError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import { selfTest } from "./self_test.ts";

/** @throws ShaderError `gpu/self-test` naming the families that fail and the first wrong number */
export async function requireSelfTest(gpu: Gpu): Promise<void> {
  const failed = (await selfTest(gpu)).filter(({ ok }) => !ok);
  if (failed.length === 0) return;
  const families = failed
    .map(({ family, problem }) => `${family} (${problem ?? "wrong numbers"})`)
    .join("; ");
  throw new ShaderError(
    "gpu/self-test",
    `Cannot trust ${gpu.adapterName}: its kernels give wrong numbers in ${families}`,
    {
      hint: "Update the graphics driver or use Chrome; `npm run doctor` shows every family. gpu.selfTest=false skips the test.",
    },
  );
}
