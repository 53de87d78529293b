// @vitest-environment happy-dom
import { h, render } from "preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { feed, hidden, selectedRollout, view } from "../../../../src/ui/state/app.ts";
import type { RecordedRun, RolloutRow } from "../../../../src/ui/state/records.ts";
import { RunFeed } from "../../../../src/ui/state/run_feed.ts";
import { askPrompt } from "../../../../src/ui/views/rollouts/ask.ts";
import { Rollouts } from "../../../../src/ui/views/rollouts/Rollouts.tsx";
import { NO_FILTER } from "../../../../src/ui/views/rollouts/row_filter.ts";
import * as state from "../../../../src/ui/views/rollouts/state.ts";
import { row, run } from "./rows.ts";

const show = (rollouts: RolloutRow[], more: Partial<RecordedRun> = {}) => {
  feed.value = RunFeed.of(
    {
      name: "test",
      recipe: {},
      adapter: "",
      steps: [],
      evaluations: [],
      turned: [],
      rollouts,
      trace: [],
      summary: null,
      ...more,
    },
    "stored",
  );
  render(h(Rollouts, {}), document.body);
};
const all = (selector: string) => [...document.querySelectorAll<HTMLElement>(selector)];
const one = (selector: string) => all(selector)[0];
const texts = (selector: string) => all(selector).map(({ textContent }) => textContent?.trim());
const press = (selector: string, key: string, more: KeyboardEventInit = {}) =>
  one(selector).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...more }));
/** Drawing and effects come after the event. */
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 10 });
const button = (text: string) =>
  all("button").find(({ textContent }) => textContent?.includes(text)) as HTMLElement;
const selectedId = () => one('[role="option"][data-id][aria-selected="true"]')?.dataset.id;

beforeEach(() => {
  selectedRollout.value = null;
  view.value = "rollouts";
  askPrompt.value = null;
  state.stepChoice.value = "newest";
  state.scope.value = "step";
  state.filter.value = NO_FILTER;
  state.page.value = "groups";
  state.heat.value = "logprob";
});
afterEach(() => render(null, document.body));

test("follows the newest step and lists its completions best first", async () => {
  show(run(3, 1));
  expect(texts("[data-id] .rollouts-reward")).toEqual(["3.00", "2.00", "1.00", "0.00"]);
  expect(selectedId()).toBe("11");
  feed.value.addStep({ step: 4 }, [row({ step: 4, group: 9, id: 77 })]);
  await eventually(() => expect(selectedId()).toBe("77"));
});

test("choosing a completion points at it and stays at its step", async () => {
  show(run(3, 1));
  one('[data-id="9"]').click();
  expect(selectedRollout.value).toBe(9);
  feed.value.addStep({ step: 4 }, [row({ step: 4, group: 9, id: 77 })]);
  await eventually(() => expect(one(".rollouts-steps-now strong + span").textContent).toBe("of 4"));
  expect(selectedId()).toBe("9");
});

test.each([
  ["the pointer", () => one("#rollouts-token-2").click()],
  ["the keyboard", () => press("#rollouts-tokens", "End")],
])("who looks at a token with %s keeps its completion while newer ones come", async (_, look) => {
  show(run(3, 1));
  look();
  feed.value.addStep({ step: 4 }, [row({ step: 4, group: 9, id: 77 })]);
  await eventually(() => expect(one(".rollouts-steps-now strong + span").textContent).toBe("of 4"));
  expect([selectedId(), state.activeToken.value]).toEqual(["11", 2]);
});

test("what was chosen in one run is not waited for in the next", async () => {
  show(run(3, 1));
  one('[data-id="9"]').click();
  await eventually(() => expect(selectedId()).toBe("9"));
  const [first, second] = [run(2, 1), run(3, 1)];
  show(first, { name: "another" });
  await eventually(() => expect(selectedId()).toBe("7"));
  feed.value.addStep({ step: 3 }, second.slice(first.length));
  await eventually(() => expect(one(".rollouts-steps-now strong + span").textContent).toBe("of 3"));
  expect([selectedId(), selectedRollout.value]).toEqual(["11", null]);
});

test("another view's completion is shown, whatever step and filter were chosen", async () => {
  state.filter.value = { ...NO_FILTER, minReward: 3 };
  show(run(3, 1));
  selectedRollout.value = 1;
  await eventually(() => expect(one(".rollouts-steps-now strong").textContent).toBe("1"));
  await eventually(() => expect(selectedId()).toBe("1"));
  expect(state.filter.value).toEqual(NO_FILTER);
});

test("arrows go through completions, shift through groups, and from there to the tokens", async () => {
  show(run(1, 2));
  press("#rollouts-list", "ArrowDown");
  await eventually(() => expect(selectedId()).toBe("2"));
  press("#rollouts-list", "ArrowDown", { shiftKey: true });
  await eventually(() => expect(selectedId()).toBe("7"));
  press("#rollouts-list", "Enter");
  await eventually(() => expect(document.activeElement?.id).toBe("rollouts-tokens"));
  press("#rollouts-tokens", "ArrowRight");
  await eventually(() =>
    expect(one("#rollouts-tokens").getAttribute("aria-activedescendant")).toBe("rollouts-token-1"),
  );
  expect(texts(".rollouts-record dd").slice(0, 4)).toEqual(["·is", "2 of 3", "13.5 %", "−2.000"]);
  expect(one("#rollouts-token-1").getAttribute("aria-selected")).toBe("true");
  press("#rollouts-tokens", "Escape");
  await eventually(() => expect(document.activeElement?.id).toBe("rollouts-list"));
});

test("a heat that was not recorded is off and says why; a change of the weights is marked", () => {
  show([row({ versions: [12, 12, 13], policy_versions: [12, 13] })]);
  const ratio = all(".rollouts-heats label").find(
    ({ textContent }) => textContent === "Ratio",
  ) as HTMLElement;
  expect(ratio.querySelector("input")?.disabled).toBe(true);
  expect(ratio.title).toContain("No ratios were recorded");
  expect(texts(".rollouts-change")).toEqual(["v12→v13"]);
});

test("filters say how many they keep, in the step and in the whole run", async () => {
  const counted = (text: string) => eventually(() => expect(one(".rollouts-count").textContent).toBe(text));
  show(run(5, 2));
  state.setFilter({ minReward: 2 });
  await counted("4 of 8 completions");
  state.scope.value = "run";
  await counted("20 of 40 completions");
  state.setFilter({ minReward: 9 });
  await eventually(() =>
    expect(one(".rollouts-none").textContent).toContain("No completion of this run passes"),
  );
  button("Clear").click();
  await counted("40 completions, 10 groups");
});

test("a long completion is drawn a few blocks at a time, and painted anew in another heat", async () => {
  const long = <T>(value: T) => new Array<T>(1000).fill(value);
  show([row({ token_texts: long("a"), logprobs: long(-1), versions: long(3), entropies: long(1) })]);
  const drawn = all(".rollouts-token").length;
  expect(drawn).toBeGreaterThan(100);
  expect(drawn).toBeLessThan(1000);
  await eventually(() => expect(all(".rollouts-token")).toHaveLength(1000));
  state.heat.value = "entropy";
  await eventually(() =>
    expect(one("#rollouts-token-999").getAttribute("aria-label")).toContain("entropy 1.00"),
  );
});

test("says why a reward was given", () => {
  const verdicts = [
    { name: "accuracy", reward: 0, extracted: "3", expected: "2", reason: "another value", ms: 1.5 },
    { name: "user", reward: null, ms: 500 },
  ];
  show([row({ verdicts })]);
  const [first, second] = texts(".rollouts-verdict");
  for (const part of ["accuracy", "0.00", "Found3", "Expected2", "another value", "1.50 ms"])
    expect(first).toContain(part);
  expect(second).toContain("not scored");
});

test("the prompt can be asked in the chat", () => {
  show([row({ prompt: "2 + 2 =" })]);
  button("Ask version 0 and now").click();
  expect([askPrompt.value, view.value]).toEqual(["2 + 2 =", "chat"]);
});

test("nothing is offered to be asked where a teacher has hidden the chat", async () => {
  hidden.value = new Set(["chat"]);
  show([row({})]);
  expect(button("Ask version 0 and now")).toBeUndefined();
  hidden.value = new Set();
  await eventually(() => expect(button("Ask version 0 and now")).toBeDefined());
});

test("sets held-out problems before training beside those after", async () => {
  const sample = { prompt: "1 + 1 =", completion: "3", reward: 0, correct: 0 };
  show(run(1, 1), {
    evaluations: [
      { step: 0, when: "before", metrics: {}, samples: [sample] },
      {
        step: 5,
        when: "after",
        metrics: {},
        samples: [{ ...sample, completion: "2", reward: 1, correct: 1 }],
      },
    ],
  });
  button("Before and now").click();
  await eventually(() => expect(texts(".rollouts-answer-text")).toEqual(["3", "2"]));
  expect(texts(".rollouts-answer-head")[1]).toContain("✓ right");
});

test("says when there will be something to compare with", async () => {
  const before = { step: 0, when: "before" as const, metrics: {}, samples: [] };
  const sample = { prompt: "1 + 1 =", completion: "3", reward: 0, correct: 0 };
  const evaluations = [{ ...before, samples: [sample] }];
  show(run(1, 1), { evaluations, recipe: { evaluation: { every: 3 } } });
  button("Before and now").click();
  await eventually(() => expect(one(".rollouts-evaluation").textContent).toContain("every 3 steps"));
  show(run(1, 1), { evaluations });
  await eventually(() => expect(one(".rollouts-evaluation").textContent).toContain("when training ends"));
});

test("rows without tokens show their text", () => {
  show([row({ token_texts: [], logprobs: [], versions: [], completion: "only text" })]);
  expect(one(".rollouts-detail").textContent).toContain("only text");
  expect(all("#rollouts-tokens")).toHaveLength(0);
});
