import { describe, expect, it } from "vitest";
import { chromeTrace, measureOf } from "../../../../src/ui/views/timeline/export.ts";
import type { Slice } from "../../../../src/ui/views/timeline/trace_index.ts";
import { syntheticTrace } from "./synthetic_trace.ts";

describe("chromeTrace()", () => {
  it("writes every event of a long trace as Perfetto reads them", () => {
    const events = syntheticTrace({ steps: 150 });
    const { traceEvents } = JSON.parse(chromeTrace(events)) as { traceEvents: { ph: string; ts: number }[] };
    const count = (phase: string) => traceEvents.filter(({ ph }) => ph === phase).length;
    const told = (kind: string) => events.filter((event) => event.kind === kind).length;
    expect(count("X")).toBe(told("slice"));
    expect(count("i")).toBe(told("mark"));
    expect([count("s"), count("f")]).toEqual([told("arrow"), told("arrow")]);
    expect(Math.min(...traceEvents.filter(({ ph }) => ph === "X").map(({ ts }) => ts))).toBe(0);
  });
});

describe("measureOf()", () => {
  const slice: Slice = {
    kind: "slice",
    track: "trainer",
    name: "pack",
    start: 1500,
    end: 1520,
    details: { step: 3 },
  };

  it("places a slice on a DevTools track of its worker", () => {
    expect(measureOf(slice, 1000)).toMatchObject({
      start: 500,
      end: 520,
      detail: { devtools: { dataType: "track-entry", track: "trainer", properties: [["step", "3"]] } },
    });
  });

  it("leaves out what happened before the page was loaded", () => {
    expect(measureOf(slice, 2000)).toBeNull();
  });
});
