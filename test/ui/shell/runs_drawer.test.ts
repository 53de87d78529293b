// @vitest-environment happy-dom
import { h, render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WebgrpoError } from "../../../src/errors.ts";
import type { StoredRun } from "../../../src/ui/session/api.ts";
import { demo } from "../../../src/ui/shell/demo.ts";
import { Player } from "../../../src/ui/shell/player.ts";
import { RunsDrawer } from "../../../src/ui/shell/RunsDrawer.tsx";
import { sessionModule, trouble } from "../../../src/ui/shell/session.ts";
import { feed } from "../../../src/ui/state/app.ts";
import { RunFeed } from "../../../src/ui/state/run_feed.ts";
import { recordingOf } from "../recording.ts";

const RUN: StoredRun = {
  name: "mine",
  recipe: "default",
  steps: 4,
  of: 9,
  savedAt: 1,
  checkpoint: 4,
  ended: true,
  bytes: 100,
};
const RECORDING = recordingOf({ recipe: { steps: 1 }, steps: [{ step: 1 }] });
const root = document.createElement("div");
const button = (name: string) =>
  [...root.querySelectorAll("button")].find(({ textContent }) => textContent === name);

beforeEach(() => {
  document.body.append(root);
});
afterEach(() => {
  render(null, root);
  sessionModule.value = null;
  trouble.value = null;
});

async function removeByHand(): Promise<void> {
  for (const name of ["More", "Remove …", "Remove for good"]) {
    await vi.waitFor(() => expect(button(name)).toBeDefined());
    button(name)?.focus();
    button(name)?.click();
  }
}

describe("RunsDrawer", () => {
  it("shows the recording again where the run in view is removed", async () => {
    demo.value = new Player(RECORDING);
    feed.value = new RunFeed("mine", "stored", {});
    let kept = [RUN];
    const removeRun = vi.fn(async () => {
      kept = [];
    });
    const client = { listRuns: async () => kept, removeRun };
    sessionModule.value = { session: client } as unknown as typeof sessionModule.value;
    render(h(RunsDrawer, {}), root);
    await removeByHand();
    await vi.waitFor(() => expect(feed.value).toBe(demo.value?.feed));
    expect(client.removeRun).toHaveBeenCalledWith("mine");
    // The button that was pressed is gone; Tab goes on from the list.
    await vi.waitFor(() => expect(document.activeElement?.className).toBe("runs-list"));
  });

  it("keeps saying what went wrong when it has listed the runs again", async () => {
    const removeRun = vi.fn(() =>
      Promise.reject(
        new WebgrpoError("session/run-in-use", "Cannot remove the run", { hint: "Stop it there first" }),
      ),
    );
    const listRuns = vi.fn(async () => [RUN]);
    sessionModule.value = { session: { listRuns, removeRun } } as unknown as typeof sessionModule.value;
    trouble.value = { message: "Of before" };
    render(h(RunsDrawer, {}), root);
    // What was told before the drawer was opened has been read.
    await vi.waitFor(() => expect(root.querySelector("[role=alert]")).toBeNull());
    await vi.waitFor(() => expect(listRuns).toHaveBeenCalledTimes(1));
    await removeByHand();
    await vi.waitFor(() => expect(listRuns).toHaveBeenCalledTimes(2));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(root.querySelector("[role=alert]")?.textContent).toBe(
      "Cannot remove the run. Stop it there first.",
    );
  });
});
