/** A run told in steps, each a test that stands on the one before it, as they follow one another for a user. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, it, onTestFailed } from "vitest";
import { launchChromium, type OpenedPage, openPage } from "./chromium.ts";

/** What the steps have in common. */
export interface Scene {
  opened: OpenedPage;
  /** Name of the run, once it has begun. */
  run: string;
  /** Of this machine, empty at first. */
  folder: string;
}

/** Tests by their names, in order. */
export type Steps = Readonly<Record<string, (scene: Scene) => Promise<void>>>;

/** Runs before anything else of the page: notes what is written on canvases, which nothing else can read. */
function noteCanvasText(): void {
  const written = new Set<string>();
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    written.add(text);
    fillText.call(this, text, ...place);
  };
  Object.assign(globalThis, { canvasText: written });
}

/** Tells a story on one page of a host; once a step has failed, those after it are left out. */
export function tellStory(title: string, address: () => string, steps: Steps): void {
  describe(title, () => {
    let browser: Browser;
    let broken = false;
    const scene: Scene = {
      opened: null as unknown as OpenedPage,
      run: "",
      folder: mkdtempSync(join(tmpdir(), "page-story-")),
    };
    beforeAll(async () => {
      browser = await launchChromium();
      scene.opened = await openPage(browser, address(), { before: noteCanvasText });
    });
    beforeEach(({ skip }) => {
      if (broken) skip("an earlier step of this run failed");
      onTestFailed(() => {
        broken = true;
      });
    });
    afterAll(async () => {
      await browser.close();
      rmSync(scene.folder, { recursive: true, force: true });
    });
    for (const [name, step] of Object.entries(steps)) it(name, () => step(scene));
  });
}
