// @vitest-environment happy-dom
import { h, render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { compared, feed } from "../../../../src/ui/state/app.ts";
import { RunFeed } from "../../../../src/ui/state/run_feed.ts";
import { Learning } from "../../../../src/ui/views/learning/Learning.tsx";
import * as state from "../../../../src/ui/views/learning/view_state.ts";
import { evaluationOf, RECIPE, SOUND, stepsOf } from "./fixtures.ts";

/** There is no canvas here: what the charts are asked to draw is kept instead. */
const plots = vi.hoisted(() => new Set<{ data: unknown[][] }>());
vi.mock("uplot", () => {
  class Plot {
    static readonly paths = {};
    data: unknown[][] = [];
    width = 500;
    readonly bbox = { width: 450 };
    readonly over = document.createElement("div");
    constructor() {
      plots.add(this);
    }
    setData(drawn: unknown[][]) {
      this.data = drawn;
    }
    setSize() {
      return undefined;
    }
    posToVal = (x: number) => x;
    destroy() {
      plots.delete(this);
    }
  }
  return { default: Plot };
});

function runOf(name: string, count: number, values: Parameters<typeof stepsOf>[1] = {}): RunFeed {
  const run = new RunFeed(name, "stored", RECIPE);
  run.steps.push(...stepsOf(count, { ...SOUND, ...values }));
  run.evaluations.push(evaluationOf(0, "before", 0.4));
  run.phase.value = "done";
  return run;
}

let root: HTMLElement;
const find = (selector: string) => root.querySelector<HTMLElement>(selector)!;
const all = (selector: string) => [...root.querySelectorAll<HTMLElement>(selector)];
const cardOf = (title: string) =>
  all(".learning-card").find((card) => card.querySelector("h3")?.textContent === title)!;
const show = () => act(() => render(h(Learning, {}), root));

beforeEach(() => {
  root = document.body.appendChild(document.createElement("div"));
  state.axis.value = "step";
  state.asTables.value = new Set();
  state.cursor.value = null;
  compared.value = [];
});
afterEach(() => {
  act(() => render(null, root));
  root.remove();
  expect(plots.size).toBe(0);
});

describe("Learning", () => {
  it("shows eight charts with their newest value and words for who does not see them", () => {
    feed.value = runOf("demo", 30);
    show();
    expect(all("h3").map(({ textContent }) => textContent)).toEqual([
      "Reward",
      "Dead groups",
      "Completion length",
      "Entropy",
      "Mismatch",
      "Gradient norm",
      "Staleness",
      "Speed",
    ]);
    expect(cardOf("Reward").querySelector(".learning-headline")?.textContent).toContain("0.690");
    for (const chart of all("[role=img].chart"))
      expect(chart.getAttribute("aria-label")).toContain("step 30");
    expect(all("[role=img].chart")).toHaveLength(11);
    expect(find(".learning-alerts").textContent).toContain("Nothing to mend");
  });

  it("says what is to come before the first step", () => {
    feed.value = new RunFeed("fresh", "live", RECIPE);
    feed.value.phase.value = "starting";
    show();
    expect(find(".learning-alerts").textContent).toContain("The charts begin with the first step");
    expect(cardOf("Entropy").textContent).toContain("No step yet");
    expect(all(".learning-toolbar button").every((button) => button.hasAttribute("disabled"))).toBe(true);
  });

  it("calls no steps sound that it has not judged, nor a run that has failed", () => {
    feed.value = runOf("short", 4, { "completions/clipped_ratio": 0.98 });
    show();
    expect(find(".learning-alerts").textContent).toContain("Too early to judge");
    act(() => {
      feed.value = runOf("failed", 12);
      feed.value.phase.value = "failed";
    });
    expect(find(".learning-alerts").textContent).toMatch(/^The run has failed/);
  });

  it("takes in new steps when the run has changed", async () => {
    const run = runOf("live", 10);
    feed.value = run;
    show();
    expect(find(".learning-head").textContent).toContain("10 of 30 steps");
    run.steps.push(...stepsOf(11, { ...SOUND, entropy: 0.777 }).slice(10));
    await act(async () => {
      run.changed.value++;
    });
    expect(cardOf("Entropy").querySelector(".learning-headline")?.textContent).toContain("0.777");
  });

  it("says what is wrong and marks the chart on which it is seen", () => {
    feed.value = runOf("cut", 30, { "completions/clipped_ratio": 0.4, "trainer/idle_ratio": 0.9 });
    show();
    expect(find(".learning-alerts").textContent).toContain("40 % of completions are cut at 24 tokens");
    expect(cardOf("Completion length").querySelector(".learning-sign.warn")).not.toBeNull();
    expect(cardOf("Entropy").querySelector(".learning-sign")).toBeNull();
    expect(all(".learning-alerts li")).toHaveLength(1);
    act(() => find(".learning-alerts button").click());
    expect(all(".learning-alerts li")).toHaveLength(2);
    act(() => find(".learning-alerts button").click());
  });

  it("turns a chart into a table and back", () => {
    feed.value = runOf("demo", 12);
    show();
    const toggle = () => cardOf("Reward").querySelector<HTMLElement>(".learning-toggle")!;
    expect(toggle().textContent).toBe("Reward as a table");
    act(() => toggle().click());
    expect(toggle().getAttribute("aria-pressed")).toBe("true");
    const table = cardOf("Reward").querySelector("table")!;
    expect(table.querySelector("caption")?.textContent).toBe("Reward of demo: 13 rows, newest first");
    expect(table.querySelector("tbody th")?.textContent).toBe("12");
    expect(cardOf("Reward").querySelector("[tabindex='0']")).not.toBeNull();
    act(() => toggle().click());
    expect(cardOf("Reward").querySelector("table")).toBeNull();
  });

  it("names the runs that are compared", () => {
    feed.value = runOf("this one", 12);
    show();
    expect(find(".learning-runs")).toBeNull();
    act(() => {
      compared.value = [runOf("that one", 20)];
    });
    expect(all(".learning-runs li").map(({ textContent }) => textContent)).toEqual(["this one", "that one"]);
    const dashes = all(".learning-runs path").map((path) => path.getAttribute("stroke-dasharray"));
    expect(dashes[0]).not.toBe(dashes[1]);
  });

  it("reads values under the pointer in every chart", () => {
    feed.value = runOf("demo", 30, { entropy: (index) => index / 100 });
    show();
    const reading = () => cardOf("Entropy").querySelector(".learning-value")?.textContent;
    expect(reading()).toBe("0.290");
    act(() => {
      state.cursor.value = 11.2;
    });
    expect(reading()).toBe("0.100");
    expect(cardOf("Entropy").querySelector(".learning-headline")?.textContent).toBe("entropy: 0.100");
    expect(cardOf("Reward").querySelector(".learning-step")?.textContent).toBe("step 11");
  });

  it("downloads all metrics as files", async () => {
    feed.value = runOf("demo", 3);
    show();
    const blobs: Blob[] = [];
    const names: string[] = [];
    const make = vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
      blobs.push(blob as Blob);
      return "blob:test";
    });
    const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
      this: HTMLAnchorElement,
    ) {
      names.push(this.download);
    });
    for (const button of all(".learning-toolbar button")) button.click();
    expect(names).toEqual(["demo.csv", "demo.ndjson"]);
    expect((await blobs[0].text()).split("\n")).toHaveLength(6);
    expect((await blobs[1].text()).trim().split("\n")).toHaveLength(4);
    make.mockRestore();
    click.mockRestore();
  });

  it("draws by the chosen axis", async () => {
    feed.value = runOf("demo", 3);
    show();
    const isDrawnTo = (x: number) =>
      vi.waitFor(() => expect([...plots].map(({ data: [xs] }) => xs?.at(-1))).toEqual(Array(11).fill(x)));
    await isDrawnTo(3);
    act(() => {
      state.axis.value = "tokens";
    });
    await isDrawnTo(3000);
  });
});
