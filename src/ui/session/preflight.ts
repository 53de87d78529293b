/**
 * What a run needs and what this browser gives, as the lines of a card. Pure: facts come from `gather.ts` and from the page.
 * The page's own facts alone already tell what is missing before any worker is started.
 */
import type { Recipe } from "../../config/schema.ts";
import type { ErrorRecord } from "../../rpc/errors.ts";
import { byteText } from "../parts/format.ts";
import type { PageFacts, Preflight, PreflightLine } from "./api.ts";
import {
  type Browser,
  browserOf,
  INSECURE_HINT,
  noAdapterHint,
  noWebGpuHint,
  noWorkerGpuHint,
} from "./browser_hints.ts";
import { type DownloadNeed, downloadLines, hubBytes, neededDownload } from "./download_need.ts";
import { pageHint } from "./failure.ts";
import type { GainTime } from "./gain_time.ts";
import type { MemoryNeed } from "./memory_need.ts";
import { memoryRows } from "./memory_rows.ts";

/** An open adapter. */
export interface GpuFacts {
  adapter: string;
  /** True for a processor that acts as a GPU. */
  software: boolean;
  tier: string;
  /** Bytes of one storage binding. */
  maxBinding: number;
}

/** What the recipe asks for. */
export interface NeedFacts {
  parameters: number;
  memory: MemoryNeed;
  download: DownloadNeed;
  /** All of it; null: everything lies in this browser already. */
  downloadBytes: number | null;
  /** What the run will keep in the browser's private files. */
  storedBytes: number;
}

export interface WorkerFacts {
  webgpu: boolean;
  isolated: boolean;
  gpu: GpuFacts | null;
  /** Why there is no adapter or device. */
  gpuError: ErrorRecord | null;
  need: NeedFacts | null;
  /** Why recipe or model cannot be used. */
  needError: ErrorRecord | null;
  /** Free bytes of the private files; null: the browser gives none. */
  freeBytes: number | null;
  /** Until the reward is seen to rise; null: not measured. */
  secondsToGain: GainTime | null;
  /** Runs that train now, here or in other tabs. */
  training: number;
}

/** "about 20 s", "about 3 min": never more exact than it is known. */
export function aboutTime(seconds: number): string {
  const rounded = (value: number, steps: number[]) =>
    steps.find((step) => value <= step) ?? Math.round(value);
  if (seconds < 75) return `about ${rounded(seconds, [5, 10, 15, 20, 30, 45, 60, 75])} s`;
  if (seconds < 90 * 60)
    return `about ${rounded(seconds / 60, [2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60, 75, 90])} min`;
  return `about ${Math.round(seconds / 3600)} h`;
}

const browserLine = (value: string, hint: string): PreflightLine => ({
  key: "browser",
  label: "Browser",
  value,
  level: "stop",
  hint,
});

/** What keeps a run from starting as far as the page's thread can tell; empty: ask the worker. */
export function pageObstacles(page: PageFacts): PreflightLine[] {
  const browser = browserOf(page);
  if (!page.secure)
    return [browserLine("This page is not secure, so the browser withholds WebGPU", INSECURE_HINT)];
  if (!page.webgpu) return [browserLine(`${capital(browser.name)} has no WebGPU`, noWebGpuHint(browser))];
  return [];
}

const capital = (text: string) => text[0].toUpperCase() + text.slice(1);

function adapterLines({ gpu, gpuError, webgpu }: WorkerFacts, browser: Browser): PreflightLine[] {
  if (!webgpu) {
    return [
      browserLine(
        `${capital(browser.name)} has WebGPU in pages, but not in workers`,
        noWorkerGpuHint(browser),
      ),
    ];
  }
  if (!gpu) {
    const none = gpuError?.code === "gpu/no-adapter";
    const value = none
      ? "WebGPU is there, but it found no graphics adapter"
      : (gpuError?.message ?? "No device");
    const hint = none ? noAdapterHint(browser) : pageHint(gpuError?.code, gpuError?.hint);
    return [{ key: "adapter", label: "GPU", value, level: "stop", hint }];
  }
  const lines: PreflightLine[] = [
    gpu.software
      ? {
          key: "adapter",
          label: "GPU",
          value: `${gpu.adapter}: a processor that acts as a GPU`,
          level: "note",
          hint: `The numbers are right, but it is slow. ${noAdapterHint(browser)}`,
        }
      : { key: "adapter", label: "GPU", value: gpu.adapter, level: "ok" },
  ];
  const what: Record<string, string> = {
    base: "what every WebGPU adapter has",
    f16: "half precision",
    subgroups: "values shared within a subgroup",
    "f16+subgroups": "half precision, and values shared within a subgroup",
  };
  lines.push({
    key: "tier",
    label: "Tier",
    value: `${gpu.tier} (${what[gpu.tier] ?? "optional features"})`,
    level: "ok",
  });
  return lines;
}

function memoryLine(
  { memory: { plan, reason, fit, assumedPrompt } }: NeedFacts,
  gpu: GpuFacts | null,
): PreflightLine {
  const line = { key: "memory", label: "Memory" };
  const cell = (bytes: number | null) => (bytes === null ? "–" : byteText(bytes));
  const sum = (parts: readonly { bytes: number }[]) =>
    byteText(parts.reduce((total, part) => total + part.bytes, 0));
  const table = plan && {
    head: ["For", "Trainer", plan.generators > 1 ? `Each of ${plan.generators} generators` : "Generator"],
    rows: [
      ...memoryRows(plan).map(([what, ...bytes]) => [what, ...bytes.map(cell)]),
      ["in all", sum(plan.trainer), sum(plan.generator)],
    ],
    foot: `Together ${byteText(plan.totalBytes)} of the GPU. Beside it, in the processor's memory: ${plan.host
      .map(({ what, bytes }) => `${what} ${byteText(bytes)}`)
      .join(", ")}`,
  };
  const assumed = assumedPrompt === null ? "" : `, prompts up to ${assumedPrompt} tokens assumed`;
  const needed = plan ? `${byteText(plan.totalBytes)} needed${assumed}` : "";
  if (reason !== null) {
    const settings = Object.entries(fit?.changes ?? {}).map(([path, value]) => `\`${path}\` ${value}`);
    const hint = fit
      ? `It fits with ${settings.join(", ")}: ${byteText(fit.bytes)}`
      : "Choose a smaller model or shorter completions: no smaller batch, f16 or adapters help";
    const value = [needed, reason].filter((text) => text).join("; ");
    return { ...line, value, level: "stop", hint, ...(table && { table }) };
  }
  const binding = gpu ? `; ${byteText(gpu.maxBinding)} allowed in one piece` : "";
  return { ...line, value: needed + binding, level: "ok", ...(table && { table }) };
}

function needLines(facts: WorkerFacts, recipe: Recipe | null): PreflightLine[] {
  const { need, needError, gpu, freeBytes } = facts;
  if (!need || !recipe) {
    const value = needError?.message ?? "The recipe could not be read";
    return [
      {
        key: "recipe",
        label: "Recipe",
        value,
        level: "stop",
        hint: pageHint(needError?.code, needError?.hint),
      },
    ];
  }
  const lines = [memoryLine(need, gpu), ...downloadLines(need.download)];
  const kept = need.storedBytes + hubBytes(need.download);
  if (freeBytes === null) {
    lines.push({
      key: "files",
      label: "Storage",
      value: "This browser keeps no private files here",
      level: "stop",
      hint: "Leave the private window, or allow this site to store things",
    });
  } else if (freeBytes < kept + 0.5 * need.storedBytes) {
    lines.push({
      key: "storage",
      label: "Storage",
      value: `${byteText(need.storedBytes)} for the run${kept > need.storedBytes ? ` and ${byteText(kept - need.storedBytes)} for the model` : ""}, ${byteText(freeBytes)} free`,
      level: freeBytes < kept ? "stop" : "note",
      hint: "Remove stored runs or downloaded models, or free space on the disk",
    });
  }
  return lines;
}

function timeLine({ secondsToGain, training }: WorkerFacts): PreflightLine {
  const line = { key: "time", label: "First visible gain" };
  if (!secondsToGain) {
    const value = training > 0 ? "not measured while another run trains" : "not measured";
    return { ...line, value, level: "note" };
  }
  const { start, gain, asBefore } = secondsToGain;
  const value = `${aboutTime(start + gain)}, of which ${aboutTime(start)} to start`;
  return { ...line, value: asBefore ? `${value}, as your last run did` : value, level: "ok" };
}

function comfortLines(page: PageFacts, facts: WorkerFacts): PreflightLine[] {
  const lines: PreflightLine[] = [
    page.isolated && facts.isolated
      ? { key: "isolation", label: "Shared memory", value: "yes", level: "ok" }
      : {
          key: "isolation",
          label: "Shared memory",
          value: "no: weights are copied between workers",
          level: "note",
          hint: "All works, a little slower. Reload once; if it stays, the site does not send the headers COOP and COEP",
        },
  ];
  if (facts.training > 0) {
    lines.push({
      key: "other",
      label: "Other runs",
      value: `${facts.training} training in this browser now`,
      level: "note",
      hint: "They share the GPU: both become slower",
    });
  }
  const asleep = page.wakeLock
    ? "the screen stays awake while it trains"
    : "this browser lets the screen sleep";
  lines.push({
    key: "visibility",
    label: "In the background",
    value: `hidden tabs may be slowed; ${asleep}`,
    level: page.wakeLock && !page.hidden ? "ok" : "note",
    ...(!(page.wakeLock && !page.hidden) && {
      hint: "Keep this tab visible, in a window of its own if you like",
    }),
  });
  return lines;
}

/** What keeps a run from starting comes first: on a phone little more is seen at once. */
export function verdict(lines: PreflightLine[]): Preflight {
  const stops = lines.filter(({ level }) => level === "stop");
  const others = lines.filter(({ level }) => level !== "stop");
  return { lines: [...stops, ...others], canStart: stops.length === 0 };
}

/** The whole card; `recipe` is null where it could not be resolved. */
export function preflightOf(page: PageFacts, facts: WorkerFacts, recipe: Recipe | null): Preflight {
  const obstacles = pageObstacles(page);
  if (obstacles.length > 0) return verdict(obstacles);
  const lines = [...adapterLines(facts, browserOf(page)), ...needLines(facts, recipe)];
  if (verdict(lines).canStart) lines.push(timeLine(facts));
  const { need } = facts;
  const model = recipe ? { model: recipe.model } : {};
  const download = need && recipe && neededDownload(need.download, recipe.model);
  const fit = need?.memory.fit ? { fit: need.memory.fit.changes } : {};
  return {
    ...verdict([...lines, ...comfortLines(page, facts)]),
    ...model,
    ...(download && { download }),
    ...fit,
  };
}
