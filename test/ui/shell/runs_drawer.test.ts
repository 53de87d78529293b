// @vitest-environment happy-dom
import { h, render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WebgrpoError } from "../../../src/errors.ts";
import type { StoredRun } from "../../../src/ui/session/api.ts";
import { RunsDrawer } from "../../../src/ui/shell/RunsDrawer.tsx";
import { sessionModule, trouble } from "../../../src/ui/shell/session.ts";

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

describe("RunsDrawer", () => {
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
    await vi.waitFor(() => expect(button("More")).toBeDefined());
    // What was told before the drawer was opened has been read.
    expect(root.querySelector("[role=alert]")).toBeNull();
    button("More")?.click();
    await vi.waitFor(() => expect(button("Remove …")).toBeDefined());
    button("Remove …")?.click();
    await vi.waitFor(() => expect(button("Remove for good")).toBeDefined());
    button("Remove for good")?.click();
    await vi.waitFor(() => expect(listRuns).toHaveBeenCalledTimes(2));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(root.querySelector("[role=alert]")?.textContent).toBe("Cannot remove the run Stop it there first");
  });
});
