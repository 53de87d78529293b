// @vitest-environment happy-dom
import { afterEach, expect, it, vi } from "vitest";
import { openLinkedRuns } from "../../../src/ui/shell/linked_run.ts";
import { sessionModule } from "../../../src/ui/shell/session.ts";
import { feed } from "../../../src/ui/state/app.ts";
import { RunFeed } from "../../../src/ui/state/run_feed.ts";
import { wantedRun } from "../../../src/ui/state/url.ts";

afterEach(() => {
  sessionModule.value = null;
  wantedRun.value = null;
});

it("openLinkedRuns() opens the run of the address, and of a link that is pasted over it later", async () => {
  const openStored = vi.fn(async (name: string) => {
    feed.value = new RunFeed(name, "stored", {});
  });
  sessionModule.value = { session: { openStored } } as unknown as typeof sessionModule.value;
  wantedRun.value = "first";
  const stop = openLinkedRuns();
  await vi.waitFor(() => expect(feed.value.name).toBe("first"));
  // It is in view already.
  wantedRun.value = null;
  wantedRun.value = "first";
  wantedRun.value = "second";
  await vi.waitFor(() => expect(feed.value.name).toBe("second"));
  expect(openStored.mock.calls).toEqual([["first"], ["second"]]);
  stop();
  wantedRun.value = "third";
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(openStored).toHaveBeenCalledTimes(2);
});
