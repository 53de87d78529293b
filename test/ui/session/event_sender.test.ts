import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SessionEvent } from "../../../src/ui/session/api.ts";
import { cutList, cutRollouts, EventSender } from "../../../src/ui/session/event_sender.ts";
import type { LoopPulse } from "../../../src/ui/state/records.ts";
import { rollout } from "./rows.ts";

const pulse = (generated: number): SessionEvent => ({
  kind: "pulse",
  pulse: { generated } as unknown as LoopPulse,
});

describe("EventSender", () => {
  let sent: SessionEvent[][];
  let sender: EventSender;
  beforeEach(() => {
    vi.useFakeTimers();
    sent = [];
    sender = new EventSender((events) => sent.push(events));
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("gathers small events for a moment and keeps their order", () => {
    sender.send({ kind: "saved", step: 1 });
    sender.send({ kind: "phase", phase: "paused", notice: "" });
    expect(sent).toEqual([]);
    vi.runAllTimers();
    expect(sent.map((list) => list.map(({ kind }) => kind))).toEqual([["saved", "phase"]]);
  });

  it("sends of several pulses the newest", () => {
    for (const generated of [1, 2, 3]) sender.send(pulse(generated));
    sender.send({ kind: "saved", step: 1 });
    vi.runAllTimers();
    expect(sent).toEqual([[pulse(3), { kind: "saved", step: 1 }]]);
  });

  it("cuts a large step into messages, after what was told before it", () => {
    sender.send({ kind: "saved", step: 1 });
    const rollouts = [8000, 8000, 8000, 30_000, 1].map((tokens, id) => rollout(id, 2, tokens));
    sender.send({ kind: "step", row: { step: 2 }, rollouts, remainingSeconds: 1 });
    expect(sent.map(([{ kind }]) => kind)).toEqual(["saved", "step", "rollouts", "rollouts", "rollouts"]);
    const ids = sent.flatMap(([event]) => ("rollouts" in event ? event.rollouts.map(({ id }) => id) : []));
    expect(ids).toEqual([0, 1, 2, 3, 4]);
  });

  it("sends at once what waits when it is asked to", () => {
    sender.send({ kind: "saved", step: 1 });
    sender.flush();
    expect(sent).toHaveLength(1);
    vi.runAllTimers();
    expect(sent).toHaveLength(1);
  });
});

describe("cutRollouts() and cutList()", () => {
  it("keep everything, in order, in parts of a bounded size", () => {
    const rollouts = Array.from({ length: 100 }, (_, id) => rollout(id, 1, 900));
    const parts = cutRollouts(rollouts);
    expect(parts.flat()).toEqual(rollouts);
    for (const part of parts) expect(part.length * 900).toBeLessThanOrEqual(20_000);
    expect(cutRollouts([])).toEqual([[]]);
    expect(cutList([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
    expect(cutList([], 2)).toEqual([]);
  });
});
