import { describe, expect, it } from "vitest";
import { RunFeed } from "../../../../src/ui/state/run_feed.ts";
import { tableOf } from "../../../../src/ui/views/learning/view_state.ts";
import { evaluationOf, stepsOf } from "./fixtures.ts";

describe("tableOf()", () => {
  it("is the same table until there is a new step or evaluation", () => {
    const feed = new RunFeed("run", "live", {});
    const empty = tableOf(feed);
    expect(tableOf(feed)).toBe(empty);
    feed.steps.push(...stepsOf(2));
    const two = tableOf(feed);
    expect(two).not.toBe(empty);
    expect(two.length).toBe(2);
    feed.trace = [];
    expect(tableOf(feed)).toBe(two);
    feed.evaluations.push(evaluationOf(2, "after", 0.5));
    expect(tableOf(feed).evaluations).toHaveLength(1);
  });

  it("notices a run that was rewound and took another way of the same length", () => {
    const feed = new RunFeed("run", "live", {});
    feed.steps.push(...stepsOf(3, { reward: 1 }));
    expect([...tableOf(feed).column("reward")]).toEqual([1, 1, 1]);
    feed.rewindTo(1);
    feed.steps.push(...stepsOf(3, { reward: 2 }).slice(1));
    expect([...tableOf(feed).column("reward")]).toEqual([1, 2, 2]);
  });
});
