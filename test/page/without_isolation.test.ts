import { expect, inject, it } from "vitest";
import { launchChromium, openPage } from "./chromium.ts";
import { SMOKE, storedRows, storedRuns, trainHere, waitForStep, waitForWord } from "./controls.ts";

it("trains over transferred buffers where nothing is isolated, and says so", async () => {
  const browser = await launchChromium();
  const { page, errors, close } = await openPage(browser, `${inject("plain")}?isolate=no#${SMOKE}`);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
  expect(await page.evaluate(() => typeof SharedArrayBuffer)).toBe("undefined");
  await trainHere(page);
  await waitForWord(page, "training");
  await waitForStep(page, 3);
  await page
    .getByText(/without shared memory/i)
    .first()
    .waitFor();
  await page.getByRole("button", { name: "Stop and save" }).click();
  await waitForWord(page, "stopped");
  const [run] = await storedRuns(page);
  const steps = (await storedRows(page, run, "metrics.ndjson")).filter(({ event }) => event === undefined);
  expect(steps.length).toBeGreaterThanOrEqual(3);
  // Every version that the trainer published reached the generator.
  const versions = steps.map((row) => Number(row["trainer/policy_version"]));
  expect(versions).toEqual(steps.map(({ step }) => step));
  expect(steps.reduce((sum, row) => sum + Number(row["rollout/weight_swaps_total"]), 0)).toBeGreaterThan(1);
  expect(errors).toEqual([]);
  await close();
  await browser.close();
});
