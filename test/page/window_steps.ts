/** A run's views in windows and colours that their designer did not choose. */
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { openView } from "./controls.ts";
import type { Steps } from "./story.ts";

/** What reaches over the window's right edge and is not cut off by something that scrolls or hides it. */
function outside(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const isCut = (element: Element): boolean => {
      const parent = element.parentElement;
      return parent !== null && (getComputedStyle(parent).overflowX !== "visible" || isCut(parent));
    };
    return [...document.querySelectorAll("body *")]
      .filter(
        (element) => element.checkVisibility() && element.getBoundingClientRect().right > innerWidth + 0.5,
      )
      .filter((element) => !isCut(element))
      .map(({ tagName, className, textContent }) => `${tagName} ${className} ${textContent?.slice(0, 20)}`);
  });
}

const backgrounds = (page: Page, selector: string) =>
  page
    .locator(selector)
    .evaluateAll((elements) => elements.map((element) => getComputedStyle(element).backgroundColor));

export const WINDOWS: Steps = {
  "stays within the narrowest phones": async ({ opened: { page } }) => {
    for (const width of [360, 320]) {
      await page.setViewportSize({ width, height: 740 });
      for (const title of ["Rollouts", "Timeline", "Settings", "Chat", "Learning"]) {
        await openView(page, title);
        expect(await outside(page), `${title} at ${width}`).toEqual([]);
      }
    }
    await page.setViewportSize({ width: 1280, height: 720 });
  },

  "tells what is chosen and what was measured where the system chooses the colours": async ({
    opened: { page },
  }) => {
    await page.emulateMedia({ forcedColors: "active" });
    await openView(page, "Rollouts");
    await page.locator(".rollouts-token").first().waitFor();
    for (const selector of [".tab", ".rollouts-segments button", ".rollouts-row", ".rollouts-token"])
      expect(new Set(await backgrounds(page, selector)).size, selector).toBeGreaterThan(1);
    const bars = await backgrounds(page, ".rollouts-pull-track > span");
    const dots = await backgrounds(page, ".strip-fill, .strip-line");
    for (const colours of [bars, dots]) expect(new Set(colours).size).toBeGreaterThan(1);
    await openView(page, "Learning");
    await page.emulateMedia({ forcedColors: null });
  },
};
