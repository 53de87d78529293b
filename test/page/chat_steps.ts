/** Talking to the policies of a run that has just been trained. */
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { openView } from "./controls.ts";
import type { Steps } from "./story.ts";
import { violations } from "./violations.ts";

const QUESTION = "3 + 4 - 2 =";

const column = (page: Page, which: "first" | "newest") => page.locator(`.chat-${which}`);

/** Percentages of the likeliest next tokens, those of all others together last. */
async function barPercents(page: Page, which: "first" | "newest"): Promise<number[]> {
  const texts = await column(page, which).locator(".chat-bar-percent").allTextContents();
  return texts.map((text) => Number(text.replace(/[^\d.]/g, "")));
}

/** Notes how many tokens stand in each answer whenever that changes. */
async function watchTokens(page: Page): Promise<() => Promise<Record<"first" | "newest", number[]>>> {
  await page.evaluate(() => {
    const seen: Record<string, number[]> = { first: [], newest: [] };
    const look = () => {
      for (const which of ["first", "newest"]) {
        const count = document.querySelectorAll(`.chat-${which} .chat-token:not(.chat-caret)`).length;
        if (seen[which].at(-1) !== count) seen[which].push(count);
      }
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true });
    Object.assign(globalThis, { seenTokens: seen });
  });
  return () =>
    page.evaluate(
      () => (globalThis as unknown as { seenTokens: Record<"first" | "newest", number[]> }).seenTokens,
    );
}

export const CHAT: Steps = {
  "answers a question before and after training side by side, as it is written": async ({
    opened: { page },
  }) => {
    await openView(page, "Chat");
    const question = page.getByRole("textbox", { name: "Question" });
    await expect.poll(() => question.isEnabled(), { timeout: 60_000 }).toBe(true);
    await question.fill(QUESTION);
    await page.locator(".chat-read-token").first().waitFor();
    const seen = await watchTokens(page);
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    for (const which of ["first", "newest"] as const) {
      await column(page, which)
        .getByText(/ended by itself|cut off at the longest allowed/)
        .waitFor({ timeout: 60_000 });
      await column(page, which).locator(".chat-right, .chat-wrong").waitFor();
      // Empty, then in more than one piece.
      expect((await seen())[which].filter((count) => count > 0).length).toBeGreaterThan(1);
      expect(await column(page, which).locator(".chat-token").count()).toBeGreaterThan(1);
    }
    expect(await column(page, "first").locator(".chip").textContent()).toBe("version 0");
    expect(await column(page, "newest").locator(".chip").textContent()).toMatch(/^version [1-9]\d*$/);
  },

  "draws the chances of the next token anew as the temperature is turned": async ({ opened: { page } }) => {
    const slider = page.getByLabel("Temperature", { exact: true }).first();
    const warm = await barPercents(page, "newest");
    await slider.fill("0.3");
    const cold = await barPercents(page, "newest");
    await slider.fill("2");
    const hot = await barPercents(page, "newest");
    expect(cold[0]).toBeGreaterThan(warm[0]);
    expect(hot[0]).toBeLessThan(warm[0]);
    expect(hot.at(-1)).toBeGreaterThan(cold.at(-1) as number);
    await slider.fill("1");
    expect(await barPercents(page, "newest")).toEqual(warm);
  },

  "draws token after token from the keyboard, which stays where it is": async ({ opened: { page } }) => {
    const one = page.getByRole("button", { name: "One token" });
    await one.focus();
    for (const tokens of [1, 2, 3]) {
      await page.keyboard.press("Enter");
      await column(page, "newest")
        .getByText(new RegExp(`^${tokens} tokens?( |$)`))
        .waitFor();
      await expect.poll(() => one.getAttribute("aria-disabled")).toBe("false");
    }
    expect(await one.evaluate((button) => button === document.activeElement)).toBe(true);
  },

  "has nothing for axe-core to find after an answer": async ({ opened: { page } }) => {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.waitForTimeout(300);
      expect(await violations(page), colorScheme).toEqual([]);
    }
    await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  },
};
