// @vitest-environment happy-dom
import { h, render } from "preact";
import { afterEach, expect, it, vi } from "vitest";
import { live } from "../../../../src/ui/state/app.ts";
import { RunFeed } from "../../../../src/ui/state/run_feed.ts";
import { TurnPanel } from "../../../../src/ui/views/settings/TurnPanel.tsx";

const host = document.body.appendChild(document.createElement("div"));
const noteOf = (knob: string) => host.querySelector(`#turn-${knob}-note`)?.textContent;

afterEach(() => {
  render(null, host);
  live.value = null;
});

it("TurnPanel says that a setting was turned once the run does, though the run is the same object", async () => {
  const run = new RunFeed("mine", "live", {});
  run.phase.value = "training";
  live.value = run;
  render(h(TurnPanel, {}), host);
  expect(noteOf("temperature")).toBe("as the run began");
  run.addTurned({ step: 7, knobs: { temperature: 0.5 } });
  await vi.waitFor(() => expect(noteOf("temperature")).toBe("turned after step 7"));
  expect(noteOf("learningRate")).toBe("as the run began");
});
