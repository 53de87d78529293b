/** The benchmarks inside a page: `npm run bench -- --browser` opens one and calls this; so may a console. */
import { describeError, WebgrpoError } from "../errors.ts";
import { openGpu } from "../gpu/device.ts";
import { type BenchEvent, type BenchOptions, runBench } from "./bench.ts";

/** What a page hands back: nothing but JSON. */
export interface BrowserOutcome {
  /** Code and text of the error that ended it. */
  failure: { code: string; text: string } | null;
}

/** Runs the benchmarks on the page's adapter. */
export async function benchInBrowser(
  options: BenchOptions,
  onEvent: (event: BenchEvent) => void,
): Promise<BrowserOutcome> {
  try {
    const gpu = await openGpu({ label: "bench" });
    await runBench(gpu, options, onEvent);
    gpu.destroy();
    return { failure: null };
  } catch (error) {
    const code = error instanceof WebgrpoError ? error.code : "bench/failed";
    return { failure: { code, text: describeError(error) } };
  }
}
