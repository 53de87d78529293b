// @vitest-environment happy-dom
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  draftRecipe,
  feed,
  HIDEABLE,
  hidden,
  selectedRollout,
  VIEWS,
  view,
} from "../../../src/ui/state/app.ts";
import { RunFeed } from "../../../src/ui/state/run_feed.ts";
import {
  formatUrlState,
  parseHidden,
  parseUrlState,
  startUrlSync,
  type UrlState,
  urlNotice,
  wantedRun,
} from "../../../src/ui/state/url.ts";

const STANDARD = { extends: "default" };
const state = (parts: Partial<UrlState>): UrlState => ({
  view: null,
  draft: STANDARD,
  run: null,
  rollout: null,
  rest: [],
  ...parts,
});

/** JSON as `JSON.parse` gives it: no −0, which JSON text does not keep. */
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const word = fc.constantFrom(
  "trainer",
  "learningRate",
  "generator",
  "a.b",
  "",
  "__proto__",
  "extends",
  "7",
  "é",
);
const drafts = fc.oneof(
  fc.dictionary(fc.oneof(word, fc.string()), json, { maxKeys: 5 }),
  fc.dictionary(word, fc.dictionary(word, json, { maxKeys: 4 }), { maxKeys: 4 }),
  fc.record({ extends: fc.constantFrom("default", "smoke", "none", ""), trainer: fc.dictionary(word, json) }),
);
const names = fc.string({ minLength: 1, unit: "grapheme" });
const states = fc.record({
  view: fc.option(fc.constantFrom(...VIEWS)),
  draft: drafts.map((draft) => JSON.parse(JSON.stringify(draft)) as Record<string, unknown>),
  run: fc.option(names),
  rollout: fc.option(fc.nat()),
  rest: fc.array(
    fc.tuple(
      names.map((name) => `x${name}`),
      fc.string({ unit: "grapheme" }),
    ),
    { maxLength: 2 },
  ),
});

describe("formatUrlState() and parseUrlState()", () => {
  it("give every state back", () => {
    fc.assert(
      fc.property(states, (given) => {
        const { state: read, problems } = parseUrlState(`#${formatUrlState(given)}`);
        expect(problems).toEqual([]);
        expect(read).toEqual(given);
        expect(JSON.stringify(read.draft)).toBe(JSON.stringify(given.draft));
      }),
      { numRuns: 400 },
    );
  });

  it("writes nothing that a browser would change in an address", () => {
    fc.assert(
      fc.property(states, (given) => {
        const hash = formatUrlState(given);
        const address = new URL(`http://localhost/#${hash}`);
        expect(address.hash).toBe(hash === "" ? "" : `#${hash}`);
      }),
    );
  });

  it("never throws and keeps what it does understand", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (junk) => {
        const { state: read } = parseUrlState(`#set=seed:7&${junk.replace(/&|set|json|recipe/g, "")}`);
        expect(read.draft).toMatchObject({ seed: 7 });
      }),
    );
  });

  it.each([
    [state({}), ""],
    [state({ view: "learning" }), "learning"],
    [
      state({ view: "learning", draft: { extends: "smoke", trainer: { learningRate: 0.001 } } }),
      "view=learning&recipe=smoke&set=trainer.learningRate:0.001",
    ],
    [state({ draft: {} }), "recipe=none"],
    [state({ draft: { seed: 1, extends: "smoke" } }), "recipe=none&set=seed:1&set=extends:smoke"],
    [
      state({ draft: { extends: "default", trainer: { loss: "dapo" }, verifier: { rewards: ["a"] } } }),
      "set=trainer.loss:dapo&set=verifier.rewards:[%22a%22]",
    ],
    [state({ draft: { extends: "default", name: "12" } }), "set=name:%2212%22"],
    [
      state({ draft: { extends: "default", model: "builtin:x" }, run: "a b" }),
      "set=model:builtin:x&run=a%20b",
    ],
    [state({ view: "rollouts", rollout: 12 }), "view=rollouts&rollout=12"],
  ])("writes %j as %s", (given, hash) => {
    expect(formatUrlState(given)).toBe(hash);
    expect(parseUrlState(hash).state).toEqual(given);
  });

  it("takes a bare view, alone and first", () => {
    expect(parseUrlState("#timeline").state.view).toBe("timeline");
    expect(parseUrlState("#timeline&set=seed:1").state).toMatchObject({
      view: "timeline",
      draft: { seed: 1 },
    });
  });

  it.each([
    ["view=dashboard", "there are learning, rollouts"],
    ["dashboard", "there are learning, rollouts"],
    ["rollout=-3", "whole number"],
    ["set=seed", "set=path:value"],
    ["set=a..b:1", "stage.setting"],
    ["set=__proto__.x:1", "stage.setting"],
    ["set=verifier.rewards:[1", "no whole JSON"],
    ["json=3", "no JSON object"],
  ])("tells of %s, quotes it, and keeps the rest", (piece, reason) => {
    const { state: read, problems } = parseUrlState(`#${piece}&set=steps:9`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`\`${piece}\``);
    expect(problems[0]).toContain(reason);
    expect(read).toEqual(state({ draft: { extends: "default", steps: 9 } }));
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it.each([
    ["json", `json=${encodeURIComponent(`${'{"a":'.repeat(9000)}1${"}".repeat(9000)}`)}`, "64 deep"],
    ["set", `set=trainer:${"[".repeat(9000)}${"]".repeat(9000)}`, "64 deep"],
    ["path", `set=${"a.".repeat(9000)}b:1`, "64 groups deep"],
    ["text", `set=description:${"x".repeat(300_000)}`, "a recipe at most"],
  ])("takes no %s whose depth or length would bring the page down", (_name, piece, reason) => {
    const { state: read, problems } = parseUrlState(`#${piece}&set=steps:9`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(reason);
    expect(problems[0].length).toBeLessThan(250);
    expect(read).toEqual(state({ draft: { extends: "default", steps: 9 } }));
  });
});

describe("parseHidden()", () => {
  it("reads all names that can be hidden and tells of others", () => {
    const { hidden: read, problems } = parseHidden("?hide=controls, settings,menu&hide=tour");
    expect([...read]).toEqual(["controls", "settings", "tour"]);
    expect(problems).toEqual([`Cannot hide \`menu\`: only ${HIDEABLE.join(", ")} can be hidden`]);
    expect(parseHidden("").hidden.size).toBe(0);
  });
});

describe("startUrlSync()", () => {
  let stop: () => void = () => undefined;
  const open = (address: string) => {
    history.replaceState(null, "", address);
    stop = startUrlSync();
  };

  beforeEach(() => {
    vi.useFakeTimers();
    view.value = "learning";
    feed.value = new RunFeed("demo", "recorded", {});
  });
  afterEach(() => {
    stop();
    vi.useRealTimers();
  });

  it("restores the state of the address", () => {
    open("/?hide=controls,nothing#view=timeline&set=trainer.learningRate:0.001&run=night&rollout=5");
    expect(view.value).toBe("timeline");
    expect(draftRecipe.value).toEqual({ extends: "default", trainer: { learningRate: 0.001 } });
    expect([...hidden.value]).toEqual(["controls"]);
    expect([wantedRun.value, selectedRollout.value]).toEqual(["night", 5]);
    expect(urlNotice.value).toContain("Cannot hide `nothing`");
  });

  it("keeps the address up, a moment later, without a new entry in the history", () => {
    open("/?hide=tour#settings");
    const entries = history.length;
    draftRecipe.value = { extends: "default", seed: 1 };
    draftRecipe.value = { extends: "default", seed: 2 };
    expect(location.hash).toBe("#settings");
    vi.advanceTimersByTime(1000);
    expect(location.search + location.hash).toBe("?hide=tour#view=settings&set=seed:2");
    expect(history.length).toBe(entries);
  });

  it("leaves an address alone that it does not understand, until something changes", () => {
    open("/#view=dashboard&theme=dark&set=seed:4");
    vi.advanceTimersByTime(1000);
    expect(location.hash).toBe("#view=dashboard&theme=dark&set=seed:4");
    expect(urlNotice.value).toContain("`view=dashboard`");
    view.value = "rollouts";
    vi.advanceTimersByTime(1000);
    expect(location.hash).toBe("#view=rollouts&set=seed:4&theme=dark");
  });

  it("lets a link of the page change the view and nothing else", () => {
    open("/#view=settings&recipe=smoke&set=seed:4");
    history.replaceState(null, "", "#rollouts");
    dispatchEvent(new Event("hashchange"));
    expect(view.value).toBe("rollouts");
    expect(draftRecipe.value).toEqual({ extends: "smoke", seed: 4 });
    vi.advanceTimersByTime(1000);
    expect(location.hash).toBe("#view=rollouts&recipe=smoke&set=seed:4");
  });

  it("names the run in view once it is no recording", () => {
    open("/#run=night");
    feed.value = new RunFeed("demo", "recorded", {});
    vi.advanceTimersByTime(1000);
    expect(location.hash).toBe("#view=learning&run=night");
    feed.value = new RunFeed("day 2", "stored", {});
    vi.advanceTimersByTime(1000);
    expect(location.hash).toBe("#view=learning&run=day%202");
    feed.value = new RunFeed("demo", "recorded", {});
    vi.advanceTimersByTime(1000);
    expect(location.hash).toBe("#learning");
  });

  it("writes what is left to write when the page goes", () => {
    open("/#learning");
    selectedRollout.value = 3;
    dispatchEvent(new Event("pagehide"));
    expect(location.hash).toBe("#view=learning&rollout=3");
    selectedRollout.value = null;
  });
});
