// @vitest-environment happy-dom
import { h, render } from "preact";
import { afterEach, expect, test, vi } from "vitest";
import { feed } from "../../../../src/ui/state/app.ts";
import { RunFeed } from "../../../../src/ui/state/run_feed.ts";
import { Timeline } from "../../../../src/ui/views/timeline/Timeline.tsx";
import { syntheticTrace } from "./synthetic_trace.ts";

afterEach(() => render(null, document.body));

const text = (selector: string) => document.querySelector(selector)?.textContent ?? "";

test("speaks of a run as over once it is, also where it was trained here", async () => {
  const run = new RunFeed("mine", "live", {});
  run.phase.value = "training";
  feed.value = run;
  render(h(Timeline, {}), document.body);
  expect(text(".timeline-nothing")).toContain("The timeline begins when");
  run.addTrace(syntheticTrace({ steps: 2 }));
  await vi.waitFor(() => expect(text(".timeline-sentence")).toMatch(/ of the run so far/));
  run.phase.value = "done";
  await vi.waitFor(() => expect(text(".timeline-sentence")).toMatch(/ of the run\b(?! so far)/));
});
