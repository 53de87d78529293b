/** What a user does on the page, by the names they see. */
import type { Page } from "playwright-core";

/** The small recipe with room for a stop, a pause and a reload in the middle. */
export const SMOKE = "recipe=smoke&set=steps:12&set=checkpoint.every:4";

/** Opens the preflight card and starts. */
export async function trainHere(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Train this here" }).first().click();
  const start = page.getByRole("button", { name: "Start", exact: true });
  await start.waitFor();
  await page.waitForFunction(
    () =>
      ![...document.querySelectorAll("button")].find((button) => button.textContent === "Start")?.disabled,
  );
  await start.click();
}

/** The step that the page shows. */
export async function shownStep(page: Page): Promise<number> {
  const text = await page.locator(".now-learning .now-caption .num").textContent();
  return Number(/step (\d+)/.exec(text ?? "")?.[1] ?? Number.NaN);
}

export async function waitForStep(page: Page, step: number, timeout = 240_000): Promise<void> {
  await page.waitForFunction(
    (least) => {
      const text = document.querySelector(".now-learning .now-caption .num")?.textContent ?? "";
      return Number(/step (\d+)/.exec(text)?.[1] ?? 0) >= least;
    },
    step,
    { timeout },
  );
}

/** Waits until the run's controls say a word, such as `paused`. */
export async function waitForWord(page: Page, word: string, timeout = 240_000): Promise<void> {
  await page.waitForFunction(
    (wanted) => document.querySelector(".controls-word")?.textContent === wanted,
    word,
    { timeout },
  );
}

export async function openView(page: Page, title: string): Promise<void> {
  await page.getByRole("tab", { name: title }).click();
  await page.locator("#view-panel h2").first().waitFor();
}

/** What a button saves, as bytes. */
export async function download(
  page: Page,
  click: () => Promise<void>,
): Promise<{ name: string; bytes: Buffer }> {
  const [saved] = await Promise.all([page.waitForEvent("download"), click()]);
  const chunks: Buffer[] = [];
  for await (const chunk of await saved.createReadStream()) chunks.push(chunk as Buffer);
  return { name: saved.suggestedFilename(), bytes: Buffer.concat(chunks) };
}

/** Rows of a run's file, which the page keeps in the browser's private files. */
export function storedRows(page: Page, run: string, file: string): Promise<Record<string, unknown>[]> {
  return page.evaluate(
    async ([name, path]) => {
      const root = await navigator.storage.getDirectory();
      const folder = await (await root.getDirectoryHandle("runs")).getDirectoryHandle(name);
      const text = await (await (await folder.getFileHandle(path)).getFile()).text();
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line));
    },
    [run, file] as const,
  );
}

/** A run's steps, without evaluations and what else its metrics hold. */
export async function stepRows(page: Page, run: string): Promise<Record<string, unknown>[]> {
  return (await storedRows(page, run, "metrics.ndjson")).filter(({ event }) => event === undefined);
}

/** What was written on canvases since the page was loaded, where a story noted it. */
export function canvasText(page: Page): Promise<string[]> {
  return page.evaluate(() => [...(globalThis as unknown as { canvasText: Set<string> }).canvasText]);
}

/** Names of the runs that the browser keeps. */
export function storedRuns(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const names: string[] = [];
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle("runs", { create: true });
    for await (const name of folder.keys()) names.push(name);
    return names;
  });
}

/** Paths of all private files below a folder. */
export function filesIn(page: Page, folder: string): Promise<string[]> {
  return page.evaluate(async (top) => {
    const walk = async (at: FileSystemDirectoryHandle, prefix: string): Promise<string[]> => {
      const found: string[] = [];
      for await (const [name, entry] of at.entries())
        if (entry.kind === "directory")
          found.push(...(await walk(entry as FileSystemDirectoryHandle, `${prefix}${name}/`)));
        else found.push(prefix + name);
      return found;
    };
    const root = await navigator.storage.getDirectory();
    for (;;) {
      try {
        return await walk(await root.getDirectoryHandle(top, { create: true }), "");
      } catch (error) {
        // What went while it was looked through: looked through once more.
        if ((error as DOMException).name !== "NotFoundError") throw error;
      }
    }
  }, folder);
}
