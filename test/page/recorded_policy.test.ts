/** The recorded run answers: what it learned is asked beside what it began with, and fetched only then. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, inject } from "vitest";
import { openView, waitForStep } from "./controls.ts";
import { type Steps, tellStory } from "./story.ts";
import { violations } from "./violations.ts";

const column = (page: Page, which: "first" | "newest") => page.locator(`.chat-${which}`);

const ended = /ended by itself|cut off at the longest allowed/;

/** Files of the recording's policy that the page or its workers have asked for. */
const asked = new Set<string>();

async function ask(page: Page, question: string): Promise<void> {
  const field = page.getByRole("textbox", { name: "Question" });
  await expect.poll(() => field.isEnabled(), { timeout: 60_000 }).toBe(true);
  await field.fill(question);
  await page.locator(".chat-read-token").first().waitFor();
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  for (const which of ["first", "newest"] as const) {
    await column(page, which).getByText(ended).waitFor({ timeout: 60_000 });
    await column(page, which).locator(".chat-right, .chat-wrong").waitFor();
  }
}

const RECORDED: Steps = {
  "plays without its weights": async ({ opened: { page, context } }) => {
    context.on("request", (request) => {
      const [, name] = /\/demo\/run_policy\/(.*)$/.exec(request.url()) ?? [];
      if (name !== undefined) asked.add(name);
    });
    await page.reload();
    await waitForStep(page, 3);
    for (const title of ["Rollouts", "Timeline", "Settings"]) await openView(page, title);
    expect([...asked]).toEqual([]);
    expect(readdirSync(join(inject("built"), "demo/run_policy"))).toContain("model.safetensors");
  },

  "asks version 0 and its final policy about one of its own problems": async ({ opened: { page } }) => {
    await openView(page, "Rollouts");
    await page.getByRole("button", { name: "Ask version 0 and now" }).first().click();
    const chips = (which: "first" | "newest") => column(page, which).locator(".chip").textContent();
    await expect.poll(() => chips("newest"), { timeout: 60_000 }).toMatch(/^version [1-9]\d*$/);
    expect(await chips("first")).toBe("version 0");
    expect(asked).toContain("model.safetensors");
    await column(page, "newest")
      .getByText(/^the recorded run's final policy, step 30, weights rounded to f16$/)
      .waitFor();
    // What could come next is shown in both columns before anything is asked, and is not the same.
    const percents = (which: "first" | "newest") =>
      column(page, which).locator(".chat-bar-percent").allTextContents();
    for (const which of ["first", "newest"] as const)
      await column(page, which).locator(".chat-bar-percent").first().waitFor();
    expect(await percents("newest")).not.toEqual(await percents("first"));
  },

  "answers rightly in the column of now": async ({ opened: { page } }) => {
    // Cold, it says what it holds likeliest, so that no luck is in it.
    await page.getByLabel("Temperature", { exact: true }).first().fill("0.1");
    for (const [question, answer] of [
      ["6 - 8 + 5 =", "3"],
      ["4 - 5 + 8 =", "7"],
      ["7 - 9 =", "-2"],
    ] as const) {
      await ask(page, question);
      await column(page, "newest").getByText(`says ${answer}`).waitFor();
      expect(await column(page, "newest").locator(".chat-right").count(), question).toBe(1);
    }
  },

  "has nothing for axe-core to find, and no error or other origin in it": async ({ opened }) => {
    const { page, errors, foreign } = opened;
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.waitForTimeout(300);
      expect(await violations(page), colorScheme).toEqual([]);
    }
    expect(errors).toEqual([]);
    expect(foreign).toEqual([]);
  },
};

tellStory("the recorded run", () => inject("isolated"), RECORDED);
