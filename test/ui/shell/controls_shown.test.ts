// @vitest-environment happy-dom
import { signal } from "@preact/signals";
import { h, render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Controls } from "../../../src/ui/shell/Controls.tsx";
import { demo } from "../../../src/ui/shell/demo.ts";
import { listenToKeys } from "../../../src/ui/shell/keys.ts";
import { Player } from "../../../src/ui/shell/player.ts";
import { sessionModule } from "../../../src/ui/shell/session.ts";
import { feed, hidden, live, view } from "../../../src/ui/state/app.ts";
import { RunFeed } from "../../../src/ui/state/run_feed.ts";
import { recordingOf } from "../recording.ts";

const recording = recordingOf({ recipe: { steps: 3 }, steps: [{ step: 1 }, { step: 2 }, { step: 3 }] });

const root = document.createElement("div");
const button = (name: string) =>
  [...root.querySelectorAll("button")].find(({ textContent }) => textContent?.includes(name));
const isOff = (name: string) => button(name)?.getAttribute("aria-disabled") === "true";
/** Signals redraw their component after a moment. */
const drawn = () => new Promise((resolve) => setTimeout(resolve, 20));

function fakeClient() {
  const client = { pause: vi.fn(), resume: vi.fn(), step: vi.fn(), stop: vi.fn(), resumeRun: vi.fn() };
  const savedStep = signal<number | null>(null);
  sessionModule.value = { session: client, savedStep } as unknown as typeof sessionModule.value;
  return { ...client, savedStep };
}

function showLive(steps = 0): RunFeed {
  const run = new RunFeed("mine", "live", { steps: 10 });
  for (let step = 1; step <= steps; step++) run.steps.push({ step });
  feed.value = run;
  live.value = run;
  return run;
}

beforeEach(() => {
  document.body.append(root);
  demo.value = new Player(recording);
  feed.value = demo.value.feed;
  render(h(Controls, {}), root);
});
afterEach(() => {
  render(null, root);
  sessionModule.value = null;
  live.value = null;
  hidden.value = new Set();
});

describe("Controls of a recording", () => {
  it("play and pause it", async () => {
    button("Play")?.click();
    expect(demo.value?.playing.value).toBe(true);
    await drawn();
    button("Pause")?.click();
    expect(demo.value?.playing.value).toBe(false);
  });

  it("make single steps until the end", async () => {
    for (let step = 1; step <= 3; step++) {
      expect(isOff("Step")).toBe(false);
      button("Step")?.click();
      expect(feed.value.steps).toHaveLength(step);
    }
    await drawn();
    expect(isOff("Step")).toBe(true);
    expect(root.textContent).toContain("at its end");
  });

  it("leave the focus on the step that was the last", async () => {
    for (let step = 1; step <= 3; step++) {
      button("Step")?.focus();
      button("Step")?.click();
    }
    await drawn();
    button("Step")?.click();
    expect(feed.value.steps).toHaveLength(3);
    expect(document.activeElement).toBe(button("Step"));
    expect(button("Step")?.disabled).toBe(false);
  });
});

describe("Controls of a run that trains", () => {
  it("are off while it loads, but for its end, and tell so", async () => {
    showLive().phase.value = "loading";
    await drawn();
    expect(["Pause", "Step", "Stop"].map(isOff)).toEqual([true, true, false]);
    expect(root.textContent).toContain("loading");
  });

  it("ask the session to pause, go on, step and stop", async () => {
    const client = fakeClient();
    const run = showLive(2);
    run.phase.value = "training";
    await drawn();
    button("Pause")?.click();
    await vi.waitFor(() => expect(client.pause).toHaveBeenCalledOnce());
    run.phase.value = "paused";
    await drawn();
    button("Go on")?.click();
    button("Step")?.click();
    button("Stop")?.click();
    await vi.waitFor(() => expect(client.stop).toHaveBeenCalledOnce());
    expect(client.resume).toHaveBeenCalledOnce();
    expect(client.step).toHaveBeenCalledOnce();
  });

  it("offer to go on with it where it was stopped early, and nothing where it is complete", async () => {
    const client = fakeClient();
    showLive(4).phase.value = "done";
    await drawn();
    button("Go on")?.click();
    await vi.waitFor(() => expect(client.resumeRun).toHaveBeenCalledWith("mine"));
    // Before its first step as well, once something of it is stored.
    showLive(0).phase.value = "done";
    await drawn();
    expect(button("Go on")).toBeUndefined();
    expect(root.textContent).toContain("stopped");
    client.savedStep.value = 0;
    await drawn();
    button("Go on")?.click();
    await vi.waitFor(() => expect(client.resumeRun).toHaveBeenCalledTimes(2));
    showLive(10).phase.value = "done";
    await drawn();
    expect(root.querySelectorAll("button")).toHaveLength(0);
  });
});

describe("keys", () => {
  const press = (key: string, target: EventTarget = document.body) =>
    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  let stop: () => void;
  beforeEach(() => {
    stop = listenToKeys();
  });
  afterEach(() => stop());

  it("play, step and change the view", () => {
    press(" ");
    expect(demo.value?.playing.value).toBe(true);
    press("s");
    expect(feed.value.steps).toHaveLength(1);
    press("3");
    expect(view.value).toBe("timeline");
  });

  it("do nothing while something is typed", () => {
    const field = document.createElement("textarea");
    document.body.append(field);
    view.value = "learning";
    press("3", field);
    press(" ", field);
    expect(view.value).toBe("learning");
    expect(demo.value?.playing.value).toBe(false);
    field.remove();
  });

  it("do not run what a teacher has hidden", () => {
    hidden.value = new Set(["controls", "chat"]);
    view.value = "learning";
    press(" ");
    press("5");
    expect(demo.value?.playing.value).toBe(false);
    expect(view.value).toBe("learning");
  });
});
