/** `bench`: kernels and whole steps against the adapter's measured peaks. Runs under Deno. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type BenchEvent, type BenchOptions, runBench } from "../../bench/bench.ts";
import {
  KERNEL_HEADER,
  kernelRow,
  SHARE_HEADER,
  STEP_HEADER,
  shareRows,
  stepRow,
} from "../../bench/tables.ts";
import { DataError, WebgrpoError } from "../../errors.ts";
import { openGpu } from "../../gpu/device.ts";
import type { Command, CommandContext } from "../command.ts";
import { benchSpec } from "../options.ts";
import { modelFolder } from "../recipes.ts";
import { prepareChrome } from "../setup/chrome.mjs";
import { formatTable } from "../table.ts";

type KernelEvent = Extract<BenchEvent, { event: "kernel" }>;
type StepEvent = Extract<BenchEvent, { event: "step" }>;

function readModelShape(
  model: string | undefined,
  context: CommandContext,
): Record<string, unknown> | undefined {
  if (model === undefined) return undefined;
  const file = join(modelFolder(model, context), "config.json");
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  } catch (cause) {
    throw new DataError("model/bad-config", `Cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}

const SETS: Readonly<Record<string, string>> = {
  small: "Kernels at the built-in policy's sizes",
  wide: "Kernels at SmolLM2-135M's sizes, few rows",
  model: "Kernels at the model's sizes",
  any: "Kernels whose work depends on no model",
};

/** Prints what was measured: one table a set of sizes, the steps, and where each step's time goes. */
export function reportBench(events: readonly BenchEvent[], { output }: Pick<CommandContext, "output">): void {
  const kernels = events.filter((one): one is KernelEvent => one.event === "kernel");
  const steps = events.filter((one): one is StepEvent => one.event === "step");
  for (const [set, title] of Object.entries(SETS)) {
    const rows = kernels.filter((one) => one.set === set).map(kernelRow);
    if (rows.length > 0) output.print(`\n${title}\n${formatTable(KERNEL_HEADER, rows)}`);
  }
  if (kernels.some(({ roofline }) => roofline > 1))
    output.print(
      "\nOver 100 % of peak: a cache held the operands, or other programs slowed the peaks' measurement.",
    );
  if (steps.length > 0) output.print(`\nWhole steps\n${formatTable(STEP_HEADER, steps.map(stepRow))}`);
  for (const step of steps) {
    output.print(`  ${step.name}: ${step.what}`);
    const rows = shareRows(step);
    if (rows.length > 0) output.print(`\nWhere a ${step.name} goes\n${formatTable(SHARE_HEADER, rows)}`);
  }
}

async function benchInThisProcess(
  bench: BenchOptions,
  onEvent: (event: BenchEvent) => void,
): Promise<boolean> {
  const gpu = await openGpu({ label: "bench" });
  await runBench(gpu, bench, onEvent);
  gpu.destroy();
  return true;
}

async function benchInBrowser(
  bench: BenchOptions,
  onEvent: (event: BenchEvent) => void,
  { root, output, interrupt }: CommandContext,
): Promise<boolean> {
  const chrome = await prepareChrome(output.note);
  if (chrome === null) return false;
  // Vite and playwright-core are development packages: loaded only where they are asked for.
  const { benchInChrome } = await import("../../bench/chrome_page.ts").catch((cause: unknown) => {
    throw new WebgrpoError(
      "bench/no-vite",
      "Cannot benchmark in Chrome: vite or playwright-core is missing",
      {
        cause,
        hint: "npm install",
      },
    );
  });
  await benchInChrome({ root, chrome, bench, signal: interrupt.signal, onEvent });
  return true;
}

export const command: Command<typeof benchSpec.options> = {
  ...benchSpec,
  async run(args, context) {
    const { output, interrupt } = context;
    const bench: BenchOptions = {
      only: args.only,
      repeats: args.repeats,
      model: readModelShape(args.model, context),
    };
    const events: BenchEvent[] = [];
    const onEvent = (event: BenchEvent) => {
      events.push(event);
      output.event({ ...event });
      if (event.event === "adapter") {
        const by = event.timing === "timestamps" ? "timestamp queries" : "the clock";
        output.print(`${event.adapter}, timed by ${by}`);
      } else if (event.event === "peaks") {
        const arithmetic = (event.flopsPerSecond / 1e9).toFixed(1);
        const memory = (event.bytesPerSecond / 1e9).toFixed(1);
        output.print(`Peaks: ${arithmetic} GFLOP/s multiply-add, ${memory} GB/s copy`);
      } else if (output.terminal) {
        output.note(output.paint("dim", event.name));
      }
    };
    const done = args.browser
      ? await benchInBrowser(bench, onEvent, context)
      : await benchInThisProcess({ ...bench, signal: interrupt.signal }, onEvent);
    if (!done) return 1;
    reportBench(events, context);
    if (events.some((one) => one.event === "kernel" || one.event === "step")) return 0;
    if (interrupt.signal.aborted) return 130;
    output.note(`No kernel or step has "${args.only}" in its name\nHint: npm run bench -- --only linear`);
    return 1;
  },
};
