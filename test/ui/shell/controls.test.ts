import { describe, expect, it } from "vitest";
import { controlStates } from "../../../src/ui/shell/controls.ts";
import type { RunPhase } from "../../../src/ui/state/records.ts";

describe("controlStates()", () => {
  it("lets a recording be played, paused and stepped, never stopped", () => {
    expect(controlStates("recorded", "training")).toMatchObject({ main: "pause", step: true, stop: false });
    expect(controlStates("recorded", "paused")).toMatchObject({ main: "play", step: true });
    expect(controlStates("recorded", "done")).toMatchObject({ main: "play", step: false });
  });

  it("lets a stored run be played as a recording is, and train on where steps are left", () => {
    expect(controlStates("stored", "done")).toMatchObject({ main: "play", goOn: false, word: "stored" });
    expect(controlStates("stored", "done", true)).toMatchObject({ main: "play", goOn: true, stop: false });
    expect(controlStates("stored", "training", true)).toMatchObject({ main: "pause", goOn: false });
    expect(controlStates("recorded", "done", true).goOn).toBe(false);
    // Cut off before its first step: nothing to play.
    expect(controlStates("stored", "done", true, { playable: false })).toMatchObject({
      main: null,
      goOn: true,
    });
  });

  it("lets a training run be paused, stepped and stopped, and a paused one go on", () => {
    expect(controlStates("live", "training")).toMatchObject({ main: "pause", step: true, stop: true });
    expect(controlStates("live", "paused")).toMatchObject({ main: "resume", step: true, stop: true });
  });

  it("lets a pause that was asked for be taken back", () => {
    expect(controlStates("live", "pausing")).toMatchObject({ main: "resume", step: false, stop: true });
  });

  it("offers nothing while a run cannot listen, or is over", () => {
    for (const phase of ["idle", "stopping", "done", "failed"] as RunPhase[])
      expect(controlStates("live", phase)).toMatchObject({ main: null, step: false, stop: false });
  });

  it("lets a run be stopped that is still being loaded", () => {
    for (const phase of ["loading", "starting", "evaluating"] as RunPhase[])
      expect(controlStates("live", phase)).toMatchObject({ main: null, step: false, stop: true });
  });

  it("lets a run go on that was stopped before its last step", () => {
    expect(controlStates("live", "done", true).main).toBe("continue");
    expect(controlStates("live", "failed", true).main).toBe("continue");
    expect(controlStates("live", "training", true).main).toBe("pause");
    expect(controlStates("live", "loading", true).main).toBeNull();
    // Stopped before anything of it was kept.
    const nothing = { stored: false, playable: false };
    expect(controlStates("live", "done", true, nothing)).toMatchObject({ main: null, word: "stopped" });
  });

  it("calls every phase of a live run by a word of its own", () => {
    const phases: RunPhase[] = [
      "loading",
      "evaluating",
      "training",
      "pausing",
      "paused",
      "stopping",
      "done",
      "failed",
    ];
    expect(new Set(phases.map((phase) => controlStates("live", phase).word)).size).toBe(phases.length);
  });
});
