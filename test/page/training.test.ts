import { unzipSync } from "fflate";
import { expect, inject } from "vitest";
import { CHAT } from "./chat_steps.ts";
import {
  download,
  openView,
  SMOKE,
  shownStep,
  stepRows,
  storedRuns,
  waitForStep,
  waitForWord,
} from "./controls.ts";
import { type Steps, tellStory } from "./story.ts";
import { BEGINNING, ENDING, MIDDLE } from "./training_steps.ts";
import { violations } from "./violations.ts";
import { WINDOWS } from "./window_steps.ts";

const AT_REST: Steps = {
  "has nothing for axe-core to find on a live run's views": async ({ opened: { page } }) => {
    for (const title of ["Rollouts", "Timeline", "Settings", "Chat", "Learning"]) {
      await openView(page, title);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.waitForTimeout(300);
        expect(await violations(page), `${title}, ${colorScheme}`).toEqual([]);
      }
    }
    await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  },
};

const TWO_TABS: Steps = {
  "tells another tab that the run trains here, and does not call it cut off": async ({ opened, run }) => {
    const other = await opened.context.newPage();
    await other.goto(inject("isolated"));
    await other.getByRole("button", { name: /^Run/ }).click();
    const item = other.getByRole("dialog", { name: "Runs" }).getByRole("listitem").filter({ hasText: run });
    await item.getByText("training in another tab").waitFor();
    expect(await item.getByRole("button", { name: "Go on" }).count()).toBe(0);
    expect(await other.getByText("was cut off").count()).toBe(0);
    await other.close();
    await opened.page.bringToFront();
  },
};

const KEPT: Steps = {
  "gives the whole run as a zip, forgets it, and takes it back": async ({ opened: { page }, run }) => {
    const drawer = page.getByRole("dialog", { name: "Runs" });
    const item = drawer.getByRole("listitem").filter({ hasText: run });
    const { name, bytes } = await download(page, () =>
      drawer.getByRole("button", { name: "Download the run" }).click(),
    );
    expect(name).toBe(`${run}.zip`);
    const files = Object.keys(unzipSync(bytes));
    for (const file of ["recipe.json", "metrics.ndjson", "rollouts.ndjson", "trace.json", "summary.json"])
      expect(
        files.some((path) => path.endsWith(file)),
        file,
      ).toBe(true);
    await drawer.getByRole("button", { name: "Remove …" }).click();
    await drawer.getByRole("button", { name: "Remove for good" }).click();
    await item.waitFor({ state: "detached" });
    expect(await storedRuns(page)).toEqual([]);
    await drawer
      .locator("input[type=file]")
      .setInputFiles({ name: `${run}.zip`, mimeType: "application/zip", buffer: bytes });
    await item.waitFor();
    expect((await stepRows(page, run)).length).toBe(12);
    const cut = { name: "cut.zip", mimeType: "application/zip", buffer: bytes.subarray(0, 1000) };
    await drawer.locator("input[type=file]").setInputFiles(cut);
    await drawer.getByRole("alert").getByText("its end is missing").waitFor();
    // It stays to be read when the runs have been listed again.
    await page.waitForTimeout(500);
    expect(await drawer.getByRole("alert").count()).toBe(1);
  },

  "draws a stored run beside another, and opens it": async ({ opened: { page }, run }) => {
    const runs = page.getByRole("button", { name: /^Run/ });
    const drawer = page.getByRole("dialog", { name: "Runs" });
    const item = drawer.getByRole("listitem").filter({ hasText: run });
    await drawer
      .getByRole("listitem")
      .filter({ hasText: "Recording" })
      .getByRole("button", { name: "Open" })
      .click();
    await drawer.waitFor({ state: "detached" });
    await runs.click();
    await item.getByRole("button", { name: "Compare" }).click();
    await page.keyboard.press("Escape");
    await page.locator("#view-panel").getByText(run).first().waitFor();
    await runs.click();
    await item.getByRole("button", { name: "Open" }).click();
    await waitForWord(page, "stored");
    expect(await shownStep(page)).toBe(12);
  },

  "plays a stored run again": async ({ opened: { page } }) => {
    await page.getByRole("button", { name: "Play", exact: true }).click();
    await expect.poll(() => shownStep(page), { timeout: 5000 }).toBeLessThan(3);
    await waitForStep(page, 3, 10_000);
    await page.getByRole("slider", { name: "Step of the run" }).fill("12");
    await waitForWord(page, "stored");
    await expect.poll(() => shownStep(page), { timeout: 5000 }).toBe(12);
  },
};

tellStory("training on the page", () => `${inject("isolated")}#${SMOKE}`, {
  ...BEGINNING,
  ...AT_REST,
  ...TWO_TABS,
  ...WINDOWS,
  ...MIDDLE,
  ...KEPT,
  ...CHAT,
  ...ENDING,
});
