/** Uploads that are cut: what is left of them, what lists show, and what another tab does at the same time. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync, zipSync } from "fflate";
import type { Page } from "playwright-core";
import { expect, inject } from "vitest";
import { exportRun } from "../../src/runs/export_run.ts";
import { memoryFiles } from "../runs/memory_files.ts";
import { storeRun } from "../runs/stored_run.ts";
import { filesIn, storedRuns } from "./controls.ts";
import { type Steps, tellStory } from "./story.ts";

const drawerOf = (page: Page) => page.getByRole("dialog", { name: "Runs" });

function putFile(page: Page, path: string): Promise<void> {
  return page.evaluate(async (names) => {
    const name = names.pop() as string;
    let folder = await navigator.storage.getDirectory();
    for (const each of names) folder = await folder.getDirectoryHandle(each, { create: true });
    const writer = await (await folder.getFileHandle(name, { create: true })).createWritable();
    await writer.write("x");
    await writer.close();
  }, path.split("/"));
}

const CUT: Steps = {
  "leaves nothing of an upload that a reload cuts": async ({ opened: { page }, folder }) => {
    const memory = memoryFiles();
    await storeRun(memory, "given", { steps: 3, saved: [3] });
    const zip = await exportRun("given", memory.open("runs/given"));
    const files = unzipSync(new Uint8Array(await zip.arrayBuffer()));
    writeFileSync(join(folder, "small.zip"), zipSync(files));
    const large = Object.fromEntries(
      [1, 2, 3, 4].map((step) => [`given/checkpoints/step-00000${step}/more.bin`, new Uint8Array(6e7)]),
    );
    writeFileSync(join(folder, "large.zip"), zipSync({ ...files, ...large }, { level: 0 }));
    await page.getByRole("button", { name: /^Run/ }).click();
    await drawerOf(page).locator("input[type=file]").setInputFiles(join(folder, "large.zip"));
    await expect.poll(() => filesIn(page, "runs"), { interval: 20 }).not.toEqual([]);
    const left = await filesIn(page, "runs");
    expect(left.some((path) => path.endsWith("recipe.json"))).toBe(false);
    await page.reload();
    await page.getByRole("button", { name: /^Run/ }).click();
    await drawerOf(page).getByText("are kept in this browser and listed here").waitFor();
    expect(await filesIn(page, "runs")).toEqual([]);
    expect(await storedRuns(page)).toEqual([]);
  },

  "takes the same upload afterwards, under its own name": async ({ opened: { page }, folder }) => {
    const drawer = drawerOf(page);
    await drawer.locator("input[type=file]").setInputFiles(join(folder, "small.zip"));
    await drawer.getByRole("listitem").filter({ hasText: "given" }).waitFor();
    expect(await storedRuns(page)).toEqual(["given"]);
  },

  "keeps its hands off what another tab uploads, until that is gone": async ({
    opened: { page, context, errors },
  }) => {
    const other = await context.newPage();
    // A page of this origin where nothing sweeps.
    await other.goto(`${inject("isolated")}recipes/smoke.json`);
    await putFile(other, "runs/coming/metrics.ndjson");
    await putFile(other, "models/coming/model.safetensors");
    await putFile(other, "models/cut/model.safetensors");
    await other.evaluate(
      () =>
        new Promise<void>((taken) => {
          let held = 0;
          for (const folder of ["runs/coming", "models/coming"])
            navigator.locks.request(`webgrpo upload ${folder}`, () => {
              if (++held === 2) taken();
              return new Promise(() => undefined);
            });
        }),
    );
    await page.reload();
    await page.getByRole("button", { name: /^Run/ }).click();
    await drawerOf(page).getByRole("listitem").filter({ hasText: "given" }).waitFor();
    expect(await filesIn(page, "models")).toEqual(["coming/model.safetensors"]);
    expect(await filesIn(page, "runs")).toContain("coming/metrics.ndjson");
    expect(await drawerOf(page).getByText("coming").count()).toBe(0);
    await other.close();
    await page.reload();
    await page.getByRole("button", { name: /^Run/ }).click();
    await drawerOf(page).getByRole("listitem").filter({ hasText: "given" }).waitFor();
    expect(await filesIn(page, "models")).toEqual([]);
    expect(await filesIn(page, "runs")).not.toContain("coming/metrics.ndjson");
    expect(errors).toEqual([]);
  },
};

tellStory("uploads that are cut", () => inject("isolated"), CUT);
