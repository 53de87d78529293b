/**
 * What the page's own thread does while a run trains on the same machine, as a Markdown table: `main_thread.ts ADDRESS`, the
 * address of a built page that is served. Each view is watched for twelve seconds, a minute in all. A task's time on the
 * clock tells what a user feels, also where another process had the processor; its time on the processor is ours. Run by
 * hand under Deno: CONTRIBUTING.md.
 */
import process from "node:process";
import type { Browser, Page } from "playwright-core";
import { launchChromium, openPage } from "./chromium.ts";

const VIEWS = ["Learning", "Rollouts", "Timeline", "Settings", "Chat"];
const SECONDS = 12;
/** A task as long as this is felt, and browsers call it long. */
const LONG_MS = 50;

/** An entry of Chrome's trace; times in microseconds. */
interface Entry {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  dur?: number;
  tdur?: number;
  args: { name?: string };
}

/** Tasks of the thread that draws the page, in milliseconds on the clock and on the processor. */
function mainTasks(trace: string): { wall: number; cpu: number }[] {
  const entries = (JSON.parse(trace) as { traceEvents: Entry[] }).traceEvents;
  const main = entries
    .filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain")
    .map(({ pid, tid }) => entries.filter((entry) => entry.pid === pid && entry.tid === tid))
    .toSorted((a, b) => b.length - a.length)[0];
  return main
    .filter(({ name, ph }) => ph === "X" && name.endsWith("ThreadControllerImpl::RunTask"))
    .map(({ dur = 0, tdur = 0 }) => ({ wall: dur / 1000, cpu: tdur / 1000 }));
}

/** Frames that the page was given in some milliseconds. */
function countFrames(page: Page, ms: number): Promise<number> {
  return page.evaluate(
    (span) =>
      new Promise<number>((resolve) => {
        let frames = 0;
        const began = performance.now();
        const next = (now: number) => {
          frames++;
          if (now - began < span) requestAnimationFrame(next);
          else resolve(frames);
        };
        requestAnimationFrame(next);
      }),
    ms,
  );
}

async function startTraining(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Train this here" }).first().click();
  await page.getByRole("button", { name: "Start", exact: true }).click({ timeout: 120_000 });
  const word = page.locator(".controls-word", { hasText: /^training$/ });
  await word.waitFor({ timeout: 120_000 });
}

async function watch(browser: Browser, page: Page, view: string): Promise<string> {
  await page.getByRole("tab", { name: view }).click();
  await page.waitForTimeout(1500);
  await browser.startTracing(page, { categories: ["toplevel"] });
  const frames = await countFrames(page, 1000 * SECONDS);
  const tasks = mainTasks((await browser.stopTracing()).toString());
  const over = (key: "wall" | "cpu") => tasks.filter((task) => task[key] > LONG_MS).length;
  const longest = (key: "wall" | "cpu") => Math.max(...tasks.map((task) => task[key])).toFixed(0);
  return `| ${[view, tasks.length, over("wall"), longest("wall"), over("cpu"), longest("cpu"), (frames / SECONDS).toFixed(1)].join(" | ")} |`;
}

const [address] = process.argv.slice(2);
if (!address)
  throw new Error("Cannot measure: the address of a served page is needed, as `npm run preview` prints it");
const browser = await launchChromium();
try {
  const { page } = await openPage(browser, `${address}#recipe=smoke&set=steps:200&set=evaluation.problems:0`);
  await startTraining(page);
  const lines = [
    "| view | tasks | over 50 ms | longest, ms | over 50 ms on the processor | longest, ms | frames a second |",
  ];
  lines.push("| --- | --- | --- | --- | --- | --- | --- |");
  for (const view of VIEWS) lines.push(await watch(browser, page, view));
  process.stdout.write(`${lines.join("\n")}\n`);
} finally {
  await browser.close();
}
