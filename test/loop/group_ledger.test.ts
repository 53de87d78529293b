import { describe, expect, it } from "vitest";
import { GroupLedger } from "../../src/group_ledger.ts";
import type { RewardedGroup, RewardedRollout } from "../../src/rollout.ts";

const options = { steps: 5, groupsPerBatch: 2, maxStaleness: 1, maxRefillWaves: 2 };
const fresh = { nextGroup: 0, inFlight: [] };

function dead(groupId: number, reward: number | null = 1): RewardedGroup {
  const verdicts = [{ name: "r", reward, reason: "broken", ms: 0 }];
  const rollout = { reward, verdicts } as unknown as RewardedRollout;
  return { groupId, problem: { id: "p" } as RewardedGroup["problem"], rollouts: [rollout, rollout] };
}

describe("GroupLedger", () => {
  it("starts as many groups as staleness allows, and others for those that are gone", () => {
    const ledger = new GroupLedger(options, fresh);
    expect(ledger.start(0)).toEqual([0, 1, 2, 3]);
    expect(ledger.start(0)).toEqual([]);
    ledger.drop(dead(1));
    expect(ledger.start(0)).toEqual([4]);
    ledger.settle([0, 2]);
    expect(ledger.start(1)).toEqual([5, 6]);
    expect(ledger.inFlight).toBe(4);
    // In the last batch nothing is started that no batch could use.
    ledger.settle([3, 4]);
    expect(ledger.start(4)).toEqual([]);
    expect(ledger.cursor()).toEqual({ nextGroup: 7, inFlight: [5, 6] });
  });

  it("starts those of a resume first, and says again what it was told", () => {
    const cursor = { nextGroup: 9, inFlight: [4, 7] };
    const ledger = new GroupLedger(options, cursor);
    expect(ledger.cursor()).toEqual(cursor);
    expect(ledger.start(0)).toEqual([4, 7, 9, 10]);
    expect(ledger.cursor()).toEqual({ nextGroup: 11, inFlight: [4, 7, 9, 10] });
  });

  it("waits for what the next batch would leave too old", () => {
    const ledger = new GroupLedger(options, fresh);
    ledger.start(0);
    for (const id of [0, 1]) ledger.arrive(id);
    expect(ledger.awaits(0)).toBe(false);
    ledger.settle([0, 1]);
    ledger.start(1);
    expect(ledger.awaits(1)).toBe(true);
    for (const id of [2, 3]) ledger.arrive(id);
    expect(ledger.awaits(1)).toBe(false);
  });

  it("counts a group once, however often it is released", () => {
    const ledger = new GroupLedger(options, fresh);
    ledger.start(0);
    ledger.release([0, 0, 77]);
    ledger.release([0]);
    expect(ledger.start(0)).toEqual([4]);
  });

  it("gives up after as many groups without signal as the recipe allows, until a batch is trained on", () => {
    const ledger = new GroupLedger(options, fresh);
    ledger.start(0);
    for (const id of [0, 1, 2]) ledger.drop(dead(id));
    expect(ledger.start(0)).toEqual([4, 5, 6]);
    expect(ledger.exhausted).toBe(false);
    ledger.drop(dead(3));
    expect(ledger.exhausted).toBe(true);
    expect(ledger.start(0)).toEqual([]);
    expect(ledger.noSignal(1)).toMatchObject({
      code: "loop/no-signal",
      message: expect.stringMatching(/step 1 from 4 groups in a row: .*equal rewards/),
    });
    ledger.settle([4]);
    expect(ledger.start(1)).toEqual([7, 8]);
    for (const id of [5, 6, 7, 8]) ledger.drop(dead(id, null));
    expect(ledger.noSignal(2).message).toContain(
      '8 of 8 completions could not be scored, the last with "broken"',
    );
  });

  it("gives up sooner where not one completion can be scored", () => {
    const ledger = new GroupLedger({ ...options, maxRefillWaves: 32 }, fresh);
    for (const id of [0, 1, 2, 3, 4, 5, 6]) ledger.drop(dead(id, null));
    expect(ledger.exhausted).toBe(false);
    ledger.drop(dead(7, null));
    expect(ledger.exhausted).toBe(true);
    // One that was scored shows that the reward can.
    ledger.drop(dead(8));
    expect(ledger.exhausted).toBe(false);
  });
});
