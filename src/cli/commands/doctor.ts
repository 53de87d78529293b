/** `doctor`: what this machine has, what is missing, and the command that mends it. Runs under Deno. */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { measurePeaks, type Peaks } from "../../bench/peaks.ts";
import { type FamilyResult, selfTest } from "../../bench/self_test.ts";
import { Stopwatch } from "../../bench/stopwatch.ts";
import type { Recipe } from "../../config/schema.ts";
import { DataError, WebgrpoError } from "../../errors.ts";
import { type Gpu, mib, openGpu } from "../../gpu/device.ts";
import { countParameters } from "../../model/config.ts";
import type { MemoryPlan } from "../../planner/plan.ts";
import type { Arguments, Command, CommandContext } from "../command.ts";
import { judgeRun, type MemoryVerdict, memoryTable, surveyRun } from "../memory.ts";
import { doctorSpec } from "../options.ts";
import { recipeFromFlags } from "../recipes.ts";
import { findChrome } from "../setup/chrome.mjs";
import { missingPackages } from "../setup/packages.mjs";
import { installCommand, thisMachine, vulkanState } from "../setup/vulkan.mjs";
import { formatTable } from "../table.ts";

/** One line of the report. */
export interface Finding {
  name: string;
  /** "missing" ends the command with 1; "note" does not: the project works without it. */
  state: "ok" | "note" | "missing";
  found: string;
  /** The command or action that mends it. */
  remedy?: string;
}

function runtimeFinding(): Finding {
  const version = (globalThis as { Deno?: { version: { deno: string } } }).Deno?.version.deno;
  if (version === undefined) {
    return {
      name: "runtime",
      state: "missing",
      found: `Node ${process.versions.node}`,
      remedy: "npm run doctor",
    };
  }
  return { name: "runtime", state: "ok", found: `Deno ${version} on ${process.platform} ${process.arch}` };
}

function packagesFinding(root: string): Finding {
  const missing = missingPackages(root, { development: true });
  return missing === ""
    ? { name: "packages", state: "ok", found: "as package-lock.json names them" }
    : { name: "packages", state: "missing", found: missing, remedy: "npm install" };
}

function vulkanFinding(): Finding[] {
  const machine = thisMachine();
  if (machine.platform !== "linux") return [];
  const { loader, drivers, complete } = vulkanState(machine);
  const shown = drivers.map((file) => file.slice(file.lastIndexOf("/") + 1).replace(/(\.\w+)?\.json$/, ""));
  return [
    {
      name: "Vulkan",
      state: complete ? "ok" : "missing",
      found: `loader ${loader ?? "missing"}; drivers ${shown.join(", ") || "none"}`,
      remedy: complete ? undefined : installCommand(machine, ["mesa-vulkan-drivers", "libvulkan1"]),
    },
  ];
}

function chromeFinding(): Finding {
  const machine = thisMachine();
  const path = findChrome(machine);
  if (path === null) {
    const remedy =
      machine.platform === "linux"
        ? installCommand(machine, ["chromium"])
        : "install Chrome, or set CHROME_PATH";
    return { name: "Chrome", state: "note", found: "none; only the browser tests need it", remedy };
  }
  const version =
    machine.platform === "win32"
      ? ""
      : spawnSync(path, ["--version"], { encoding: "utf8", timeout: 10_000 }).stdout?.trim().split("\n")[0];
  return { name: "Chrome", state: "ok", found: version ? `${version} at ${path}` : path };
}

/** What a module worker answers about itself; null where it does not answer within five seconds. */
async function askWorker(): Promise<{ shared: boolean; gpu: boolean } | null> {
  const code =
    "onmessage = ({ data }) => { Atomics.store(new Int32Array(data), 0, 7); postMessage({ gpu: !!navigator.gpu }); };";
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const shared = new SharedArrayBuffer(4);
  const worker = new Worker(address, { type: "module" });
  const { promise, resolve } = Promise.withResolvers<{ shared: boolean; gpu: boolean } | null>();
  const timer = setTimeout(() => resolve(null), 5000);
  worker.onmessage = ({ data }: MessageEvent<{ gpu: boolean }>) =>
    resolve({ shared: Atomics.load(new Int32Array(shared), 0) === 7, gpu: data.gpu });
  worker.onerror = (event) => {
    event.preventDefault();
    resolve(null);
  };
  worker.postMessage(shared);
  const answer = await promise;
  clearTimeout(timer);
  worker.terminate();
  URL.revokeObjectURL(address);
  return answer;
}

async function workerFindings(): Promise<Finding[]> {
  if (typeof SharedArrayBuffer === "undefined") {
    return [
      { name: "shared memory", state: "missing", found: "no SharedArrayBuffer", remedy: "npm run doctor" },
    ];
  }
  const answer = await askWorker();
  const restart = "update Deno: npm install";
  if (!answer)
    return [{ name: "workers", state: "missing", found: "a module worker did not answer", remedy: restart }];
  const state = (fine: boolean) => (fine ? "ok" : "missing");
  return [
    {
      name: "workers",
      state: state(answer.gpu),
      found: answer.gpu ? "module workers, with WebGPU inside" : "module workers, but no WebGPU inside",
      remedy: answer.gpu ? undefined : restart,
    },
    {
      name: "shared memory",
      state: state(answer.shared),
      found: answer.shared
        ? "SharedArrayBuffer, seen by a worker"
        : "a worker does not see what the page writes",
      remedy: answer.shared ? undefined : restart,
    },
  ];
}

const limitNames = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
] as const;

/** Adapter, tier, features and limits of an open GPU. */
export function gpuFindings(gpu: Gpu): Finding[] {
  const limits = gpu.device.limits;
  const show = (name: (typeof limitNames)[number]) =>
    `${name} ${name.startsWith("maxBuffer") || name.endsWith("BindingSize") ? mib(limits[name]) : limits[name]}`;
  const features = [...gpu.device.features].sort().join(", ");
  const software = /llvmpipe|swiftshader|lavapipe|software/i.test(gpu.adapterName);
  return [
    {
      name: "adapter",
      state: software ? "note" : "ok",
      found: gpu.adapterName + (software ? " (a processor that acts as a GPU: right, but slow)" : ""),
      remedy: software ? "install your GPU's Vulkan driver, if the machine has a GPU" : undefined,
    },
    { name: "tier", state: "ok", found: gpu.tier },
    { name: "features in use", state: "ok", found: features || "none" },
    { name: "limits", state: "ok", found: limitNames.map(show).join(", ") },
  ];
}

async function openFindings(): Promise<{ gpu: Gpu | null; findings: Finding[] }> {
  try {
    const gpu = await openGpu({ label: "doctor" });
    return { gpu, findings: gpuFindings(gpu) };
  } catch (error) {
    if (!(error instanceof WebgrpoError)) throw error;
    return {
      gpu: null,
      findings: [{ name: "adapter", state: "missing", found: error.message, remedy: error.hint }],
    };
  }
}

/** What helps against a driver that computes wrong numbers. */
function driverRemedy(): string {
  const machine = thisMachine();
  if (machine.platform !== "linux") return "update the graphics driver, then run npm run doctor again";
  const command = installCommand(machine, ["mesa-vulkan-drivers", "libvulkan1"]);
  return `update the GPU's driver, or let the processor do it: ${command}`;
}

/** One line for the families that work, and one for each that does not. */
export function selfTestFindings(results: readonly FamilyResult[]): Finding[] {
  const right = results.filter(({ ok }) => ok);
  const kernels = new Set(right.flatMap((result) => result.kernels)).size;
  const findings: Finding[] = results
    .filter(({ ok }) => !ok)
    .map(({ family, problem }) => ({
      name: `self-test ${family}`,
      state: "missing",
      found: problem ?? "wrong results",
      remedy: driverRemedy(),
    }));
  if (right.length > 0) {
    const names = right.map(({ family }) => family).join(", ");
    findings.unshift({
      name: "self-test",
      state: "ok",
      found: `${kernels} kernels give the right numbers (${names})`,
    });
  }
  return findings;
}

/** The measured peaks as a line. */
export function peakFinding({ flopsPerSecond, bytesPerSecond }: Peaks): Finding {
  const found = `${(flopsPerSecond / 1e9).toFixed(1)} GFLOP/s multiply-add, ${(bytesPerSecond / 1e9).toFixed(1)} GB/s copy`;
  return { name: "measured peaks", state: "ok", found };
}

/** Runs the self-test and the measurements; a device that is lost or out of room on the way is a finding too. */
async function deepFindings(gpu: Gpu, { output }: Pick<CommandContext, "output">): Promise<Finding[]> {
  const findings: Finding[] = [];
  try {
    const results = await selfTest(gpu);
    for (const result of results) output.event({ event: "self-test", ...result });
    findings.push(...selfTestFindings(results));
    using stopwatch = await Stopwatch.create(gpu);
    const peaks = await measurePeaks(stopwatch);
    output.event({ event: "peaks", ...peaks, timing: stopwatch.source });
    findings.push(peakFinding(peaks));
  } catch (error) {
    if (!(error instanceof WebgrpoError)) throw error;
    findings.push({
      name: "self-test",
      state: "missing",
      found: error.message,
      remedy: error.hint ?? driverRemedy(),
    });
  }
  return findings;
}

/** Prints findings: a table and what to do, or one JSON object each. */
export function reportFindings(
  findings: readonly Finding[],
  { output }: Pick<CommandContext, "output">,
): void {
  const sign = { ok: "ok", note: "note", missing: "MISSING" };
  output.print(
    formatTable(
      [],
      findings.map((one) => [sign[one.state], one.name, one.found]),
      { maxWidth: 110 },
    ),
  );
  for (const { name, remedy } of findings) if (remedy) output.print(`\n${name}: ${remedy}`);
  for (const finding of findings) output.event({ event: "finding", ...finding });
}

/** Whether a run that is named fits, and its plan where it can be made. */
async function runFindings(
  args: Arguments<typeof doctorSpec.options>,
  context: CommandContext,
): Promise<{ findings: Finding[]; plan: MemoryPlan | null }> {
  if (args.model === undefined && args.recipe === undefined) return { findings: [], plan: null };
  const recipe = await recipeFromFlags(args, context);
  try {
    const { model, maxSequence, missingBytes } = await surveyRun(recipe, context);
    const verdict = await judgeRun(recipe, model.config, maxSequence);
    const parameters = countParameters(model.config).toLocaleString("en");
    const download = missingBytes > 0 ? `, ${mib(missingBytes)} of weights to download` : "";
    const found = `${recipe.model}: ${parameters} parameters, sequences of up to ${maxSequence} tokens${download}`;
    const { plan } = verdict;
    context.output.event({ event: "plan", recipe: recipe.name, parameters, maxSequence, missingBytes, plan });
    return { findings: [{ name: "model", state: "ok", found }, memoryFinding(recipe, verdict)], plan };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const finding = { name: "model", state: "missing" as const, found: error.message, remedy: error.hint };
    return { findings: [finding], plan: null };
  }
}

/** The verdict as a line. */
export function memoryFinding(recipe: Recipe, { plan, refusal }: MemoryVerdict): Finding {
  if (refusal || !plan)
    return { name: "memory", state: "missing", found: refusal?.message ?? "", remedy: refusal?.hint };
  const limit =
    recipe.gpu.maxMemoryMiB === undefined
      ? "; no adapter tells how much it has, `gpu.maxMemoryMiB` sets a limit"
      : ` of the ${recipe.gpu.maxMemoryMiB} MiB allowed`;
  return {
    name: "memory",
    state: "ok",
    found: `${mib(plan.totalBytes)} for the recipe ${recipe.name}${limit}`,
  };
}

export const command: Command<typeof doctorSpec.options> = {
  ...doctorSpec,
  async run(args, context) {
    const planned = await runFindings(args, context);
    const { gpu, findings: onGpu } = await openFindings();
    const findings = [
      runtimeFinding(),
      packagesFinding(context.root),
      ...vulkanFinding(),
      chromeFinding(),
      ...(await workerFindings()),
      ...onGpu,
      ...(gpu && !args.quick ? await deepFindings(gpu, context) : []),
      ...planned.findings,
    ];
    reportFindings(findings, context);
    if (planned.plan) context.output.print(`\n${memoryTable(planned.plan)}`);
    gpu?.destroy();
    return findings.some((one) => one.state === "missing") ? 1 : 0;
  },
};
