import { describe, expect, it } from "vitest";
import { formatRow, parseRows } from "../../src/metrics/ndjson.ts";
import { shortCount, shortDuration, stepLine } from "../../src/metrics/progress.ts";
import { coveredShare, gpuOwnerOf, gpuTrackOf, Trace, type TraceEvent } from "../../src/metrics/trace.ts";

interface Chrome {
  traceEvents: {
    ph: string;
    name: string;
    ts: number;
    dur: number;
    tid: number;
    id: number;
    cat: string;
    args: { name: string; sort_index: number };
  }[];
}

describe("Trace", () => {
  const events: TraceEvent[] = [
    { kind: "slice", track: "generator 0", name: "decode", start: 1000, end: 1004.5, details: { rows: 8 } },
    { kind: "slice", track: "trainer", name: "step", start: 1006, end: 1010 },
    {
      kind: "arrow",
      name: "batch",
      from: { track: "generator 0", at: 1004 },
      to: { track: "trainer", at: 1006.5 },
    },
    { kind: "mark", name: "version 1", at: 1010 },
    { kind: "level", name: "queue", at: 1003, value: 2 },
  ];

  it("writes slices, arrows within slices, marks and levels that Perfetto reads", () => {
    const trace = new Trace();
    trace.add(...events);
    const { traceEvents } = JSON.parse(trace.toJson()) as Chrome;
    const threads = traceEvents.filter(({ ph, name }) => ph === "M" && name === "thread_name");
    expect(threads.map(({ args }) => args.name)).toEqual(["generator 0", "trainer"]);
    const slices = traceEvents.filter(({ ph }) => ph === "X");
    expect(slices.map(({ ts, dur }) => [ts, dur])).toEqual([
      [0, 4500],
      [6000, 4000],
    ]);
    const [start, end] = ["s", "f"].map((phase) => traceEvents.find(({ ph }) => ph === phase)!);
    expect([start.id, start.name]).toEqual([end.id, end.name]);
    for (const [point, slice] of [
      [start, slices[0]],
      [end, slices[1]],
    ]) {
      expect(point.tid).toBe(slice.tid);
      expect(point.ts).toBeGreaterThanOrEqual(slice.ts);
      expect(point.ts).toBeLessThanOrEqual(slice.ts + slice.dur);
    }
    expect(traceEvents.find(({ ph }) => ph === "i")).toMatchObject({ name: "version 1", ts: 10_000 });
    expect(traceEvents.find(({ ph }) => ph === "C")).toMatchObject({ args: { value: 2 } });
  });

  it("names a worker's GPU by its worker and sorts it directly below, whichever was told of first", () => {
    const workers = ["trainer", "generator 0", "generator 10"];
    for (const worker of [...workers, "verifier 0"]) {
      expect(gpuOwnerOf(gpuTrackOf(worker))).toBe(worker);
      expect(gpuOwnerOf(worker)).toBeNull();
    }
    const trace = new Trace();
    for (const track of [
      "GPU of generator 0",
      "trainer",
      "generator 0",
      "GPU of the trainer",
      "generator 10",
    ])
      trace.add({ kind: "slice", track, name: "compute", start: 0, end: 1 });
    const { traceEvents } = JSON.parse(trace.toJson()) as Chrome;
    const named = new Map(
      traceEvents.filter(({ name }) => name === "thread_name").map(({ tid, args }) => [tid, args.name]),
    );
    const sorted = traceEvents
      .filter(({ name }) => name === "thread_sort_index")
      .sort((a, b) => a.args.sort_index - b.args.sort_index);
    expect(sorted.map(({ tid }) => named.get(tid))).toEqual([
      "trainer",
      "GPU of the trainer",
      "generator 0",
      "GPU of generator 0",
      "generator 10",
    ]);
    const stages = traceEvents.filter(({ ph }) => ph === "X").map(({ cat }) => cat);
    expect(stages).toEqual(["generator", "trainer", "generator", "trainer", "generator"]);
  });

  it("keeps the newest events and counts the others", () => {
    const trace = new Trace({ capacity: 100 });
    for (let at = 0; at < 1000; at += 1) trace.add({ kind: "mark", name: `m${at}`, at });
    expect(trace.size).toBeLessThanOrEqual(110);
    expect(trace.size + trace.dropped).toBe(1000);
    expect(trace.toJson()).toContain('"m999"');
  });

  it("measures what runs, also when it fails", async () => {
    const trace = new Trace();
    expect(await trace.measure("trainer", "pack", () => 7)).toBe(7);
    await expect(trace.measure("trainer", "step", () => Promise.reject(new Error("lost")))).rejects.toThrow(
      "lost",
    );
    expect(trace.size).toBe(2);
  });

  it("says how much of a time was waited, overlaps counted once", () => {
    const wait = (start: number, end: number): TraceEvent => ({
      kind: "slice",
      track: "trainer",
      name: "wait",
      start,
      end,
    });
    const waits = [wait(0, 10), wait(5, 12), wait(90, 200), wait(30, 40)];
    expect(coveredShare(waits, "trainer", "wait", { from: 2, to: 102 })).toBeCloseTo((10 + 10 + 12) / 100);
    expect(coveredShare(waits, "trainer", "step", { from: 0, to: 10 })).toBe(0);
  });
});

describe("NDJSON", () => {
  it("writes one line a row and null for what is no number", () => {
    const line = formatRow({ step: 1, reward: Number.NaN, text: "a\nb", ids: Uint32Array.of(1, 2) });
    expect(line).toBe('{"step":1,"reward":null,"text":"a\\nb","ids":[1,2]}\n');
    expect(parseRows(line + line, "x")).toHaveLength(2);
  });

  it("drops a cut last line and names a broken one before it", () => {
    expect(parseRows('{"a":1}\n\n{"a":', "x")).toEqual([{ a: 1 }]);
    expect(parseRows('{"a":1}', "x")).toEqual([{ a: 1 }]);
    expect(() => parseRows('{"a":1}\n[2]\n{"a":3}', "metrics")).toThrow(/line 2 of metrics/);
  });
});

describe("stepLine()", () => {
  const summary = {
    step: 42,
    steps: 200,
    reward: 0.61,
    rewardStd: 0.38,
    deadShare: 0.12,
    length: 143,
    mismatchKl: 0.0031,
    staleness: 1,
    generatedTokensPerSecond: 812,
    trainedTokensPerSecond: 1412,
    stepSeconds: 3.21,
    remainingSeconds: 482,
  };

  it("looks as the design shows it, the step padded to its total", () => {
    expect(stepLine(summary)).toBe(
      "step  42/200  reward 0.61 ±0.38  dead 12%  len 143  kl 0.0031  stale 1  " +
        "gen 812 tok/s  train 1.4k tok/s  3.2 s  eta 8m",
    );
  });

  it("keeps its columns and shows what is missing", () => {
    const first = stepLine({ ...summary, step: 1, deadShare: 0, length: 9, reward: null, rewardStd: null });
    expect(first).toContain("reward    – ±–");
    for (const word of ["dead", "len", "kl", "gen"]) {
      expect(first.indexOf(word), word).toBe(stepLine(summary).indexOf(word));
    }
    expect(stepLine({ ...summary, remainingSeconds: null })).toMatch(/eta –$/);
    expect(stepLine({ ...summary, mismatchKl: 3e-7 })).toContain("kl   3e-7");
  });

  it("shortens counts and durations", () => {
    expect([0, 7.25, 812, 999.6, 1412, 22_900, 999_600, 1.23e6].map(shortCount)).toEqual([
      "0",
      "7.3",
      "812",
      "1.0k",
      "1.4k",
      "23k",
      "1.0M",
      "1.2M",
    ]);
    expect([3, 59.4, 59.6, 482, 3899, 7199].map(shortDuration)).toEqual([
      "3s",
      "59s",
      "1m",
      "8m",
      "1h05m",
      "2h00m",
    ]);
  });
});
