import { describe, expect, it } from "vitest";
import { GpuLostError } from "../../../src/errors.ts";
import { encodeError } from "../../../src/rpc/errors.ts";
import { applyEvent } from "../../../src/ui/session/feeding.ts";
import type { LoopPulse } from "../../../src/ui/state/records.ts";
import { RunFeed } from "../../../src/ui/state/run_feed.ts";
import { rollout, SUMMARY } from "./rows.ts";

const PULSE: LoopPulse = {
  problemsStarted: 40,
  decoding: 64,
  queued: 24,
  verifying: 8,
  collected: 16,
  batchSize: 64,
  trainerVersion: 3,
  generatorVersion: 2,
  generated: 216,
  scored: 208,
  trained: 192,
  generatedTokensPerSecond: 500,
  activity: { tasks: "idle", generator: "busy", verifier: "busy", trainer: "waiting", weights: "idle" },
};

function trained(): RunFeed {
  const feed = new RunFeed("run", "live", {});
  for (const step of [1, 2, 3]) {
    applyEvent(feed, { kind: "step", row: { step }, rollouts: [rollout(step, step)], remainingSeconds: 9 });
    applyEvent(feed, { kind: "rollouts", rollouts: [rollout(10 + step, step)] });
    applyEvent(feed, { kind: "turned", row: { step, knobs: { temperature: step } } });
    applyEvent(feed, { kind: "evaluation", row: { step, when: "during", metrics: {}, samples: [] } });
  }
  return feed;
}

describe("applyEvent()", () => {
  it("puts rows where views look for them", () => {
    const feed = trained();
    expect(feed.steps.map(({ step }) => step)).toEqual([1, 2, 3]);
    expect(feed.rollouts.map(({ id }) => id)).toEqual([1, 11, 2, 12, 3, 13]);
    expect(feed.evaluations).toHaveLength(3);
    expect(feed.turned).toHaveLength(3);
    expect(feed.remainingSeconds.value).toBe(9);
    applyEvent(feed, { kind: "ready", adapter: "a GPU", allocatedBytes: 1 });
    expect(feed.adapter).toBe("a GPU");
    applyEvent(feed, { kind: "trace", events: [{ kind: "mark", name: "m", at: 1 }] });
    expect(feed.trace).toHaveLength(1);
  });

  it("has the sentence ready when the phase changes", () => {
    const feed = new RunFeed("run", "live", {});
    const seen: string[] = [];
    feed.phase.subscribe((phase) => seen.push(`${phase}: ${feed.notice.value}`));
    applyEvent(feed, { kind: "phase", phase: "loading", notice: "The model is being loaded" });
    expect(seen).toEqual(["idle: ", "loading: The model is being loaded"]);
  });

  it("forgets what a restart makes void", () => {
    const feed = trained();
    applyEvent(feed, { kind: "restarted", worker: "trainer", step: 2, reason: "the device is gone" });
    expect(feed.steps.map(({ step }) => step)).toEqual([1, 2]);
    expect(feed.rollouts.every(({ step }) => step <= 2)).toBe(true);
    expect(feed.evaluations.map(({ step }) => step)).toEqual([1, 2]);
    expect(feed.turned.map(({ step }) => step)).toEqual([1, 2]);
    expect(feed.notice.value).toContain("the device is gone");
  });

  it("stands still at the end, with the summary or the failure", () => {
    const feed = trained();
    applyEvent(feed, { kind: "pulse", pulse: PULSE });
    applyEvent(feed, { kind: "ended", summary: SUMMARY });
    expect([feed.summary, feed.remainingSeconds.value]).toEqual([SUMMARY, null]);
    // Totals stay, though the rows tell of no more than what was trained on.
    expect(feed.pulse.value).toMatchObject({
      problemsStarted: 40,
      generated: 216,
      scored: 208,
      trained: 192,
    });
    expect(feed.pulse.value).toMatchObject({ decoding: 0, queued: 0, verifying: 0, collected: 0 });
    expect(new Set(Object.values(feed.pulse.value?.activity ?? {}))).toEqual(new Set(["idle"]));
    const failed = trained();
    const error = encodeError(
      new GpuLostError("gpu/lost", "The GPU device is gone", { hint: "npm run doctor" }),
    );
    applyEvent(failed, { kind: "failed", error, saved: 2 });
    expect(failed.failure.value).toMatchObject({ code: "gpu/lost", message: "The GPU device is gone" });
    expect(failed.failure.value?.hint).toContain("up to step 2 is stored");
    expect(failed.pulse.value).toBeNull();
  });
});

describe("rewindTo()", () => {
  it("takes a stored run back to its checkpoint", () => {
    const feed = trained();
    feed.summary = SUMMARY;
    feed.rewindTo(0);
    expect([feed.steps.length, feed.rollouts.length, feed.evaluations.length, feed.summary]).toEqual([
      0,
      0,
      0,
      null,
    ]);
  });
});
