/** A run that is stopped in the middle, goes on and loses a worker: what the loop strip counts all the while. */
import type { Page } from "playwright-core";
import { expect, inject } from "vitest";
import { SMOKE, shownStep, trainHere, waitForStep, waitForWord } from "./controls.ts";
import { type Steps, tellStory } from "./story.ts";

/** What has been counted since the start; versions last. */
const COUNTED = ["problems", "checked", "steps", "newest", "in use"] as const;
type Counts = Record<(typeof COUNTED)[number], string>;

/** Notes what the strip shows from now on, whenever it changes. */
function watchStrip(page: Page): Promise<void> {
  return page.evaluate(() => {
    const seen: Counts[] = [];
    Object.assign(globalThis, { seen });
    const strip = document.querySelector(".strip") as HTMLElement;
    const note = () => {
      const [problems, , checked, steps, newest] = [...strip.querySelectorAll(".strip-number")].map(
        ({ textContent }) => textContent ?? "",
      );
      const inUse = strip.querySelector(".strip-back-label b")?.textContent ?? "";
      seen.push({ problems, checked, steps, newest, "in use": inUse });
    };
    new MutationObserver(note).observe(strip, { subtree: true, childList: true, characterData: true });
  });
}

/** Has a worker of the page's own workers end itself, which nobody is told of. */
async function closeWorker(page: Page, name: string): Promise<void> {
  const devtools = await page.context().browser()!.newBrowserCDPSession();
  const { targetInfos } = await devtools.send("Target.getTargets", { filter: [{}] });
  const target = targetInfos.find(({ type, url }) => type === "worker" && url.includes(name));
  const targetId = target?.targetId ?? "";
  const { sessionId } = await devtools.send("Target.attachToTarget", { targetId, flatten: false });
  const message = { id: 1, method: "Runtime.evaluate", params: { expression: "self.close()" } };
  await devtools.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify(message) });
}

const shownCounts = (page: Page): Promise<Counts[]> =>
  page.evaluate(() => (globalThis as unknown as { seen: Counts[] }).seen.splice(0));

const numbers = (seen: readonly Counts[], name: keyof Counts) =>
  seen
    .map((counts) => counts[name])
    .filter((text) => text !== "–")
    .map((text) => Number(text.replace(/^v|,/g, "")));

const STOPPED: Steps = {
  "never counts back while a run lives, nor when it is stopped": async ({ opened: { page } }) => {
    await trainHere(page);
    await waitForWord(page, "loading");
    await watchStrip(page);
    await waitForStep(page, 2);
    await page.getByRole("button", { name: "Stop and save" }).click();
    await waitForWord(page, "stopped");
    // What is drawn late is drawn now.
    await page.waitForTimeout(500);
    const seen = await shownCounts(page);
    for (const name of COUNTED) {
      const shown = numbers(seen, name);
      expect(shown, name).toEqual(shown.toSorted((a, b) => a - b));
    }
    const [last] = seen.slice(-1);
    const step = await shownStep(page);
    expect(last.steps).toBe(`${step}`);
    // Two mini-batches a step, each with a version.
    expect(last.newest).toBe(`v${2 * step}`);
    // More were begun and checked than were trained on.
    expect(Number(last.problems)).toBeGreaterThan(8 * step);
    expect(Number(last.checked)).toBeGreaterThanOrEqual(64 * step);
    expect(Number(last.checked)).toBeLessThanOrEqual(8 * Number(last.problems));
  },

  "goes on from the step it stopped at, and shows no version before one is known": async ({
    opened: { page, errors },
  }) => {
    const step = await shownStep(page);
    await page.getByRole("button", { name: "Go on", exact: true }).click();
    await waitForStep(page, step + 1);
    const seen = await shownCounts(page);
    expect(Math.min(...numbers(seen, "steps"))).toBe(step);
    for (const { newest, "in use": inUse } of seen)
      for (const version of [newest, inUse]) expect(version).toMatch(/^(v\d+|–)$/);
    expect(errors).toEqual([]);
  },

  "starts a generator again that is killed without a word": async ({ opened: { page } }) => {
    await closeWorker(page, "generator");
    // Its silence alone is believed after more than a minute.
    const told = page.getByText("The generator was started again after step");
    await told.waitFor({ timeout: 30_000 });
    expect(await told.textContent()).toContain("ended without a word");
    const step = await shownStep(page);
    await waitForStep(page, step + 1);
  },
};

tellStory(
  "a run that is stopped",
  () => `${inject("isolated")}#${SMOKE}&set=trainer.minibatches:2&set=evaluation.problems:4`,
  STOPPED,
);
