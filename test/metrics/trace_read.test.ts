import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/errors.ts";
import { Trace, type TraceEvent } from "../../src/metrics/trace.ts";
import { readTrace } from "../../src/metrics/trace_read.ts";

/** As long after 1970 as real moments are: doubles are coarse there. */
const epoch = 1_795_401_382_952.25;
const at = fc.integer({ min: 0, max: 4_000_000 }).map((step) => epoch + step / 64);
const track = fc.constantFrom(
  "generator 0",
  "GPU of generator 0",
  "generator 1",
  "verifier 0",
  "GPU of the trainer",
  "trainer",
);
const name = fc.string({ minLength: 1, maxLength: 8 });
const moment = fc.record({ track, at });
const event: fc.Arbitrary<TraceEvent> = fc.oneof(
  fc
    .record({ track, name, at, lasting: fc.integer({ min: 0, max: 1e6 }), rows: fc.option(fc.nat()) })
    .map(({ lasting, rows, at: start, ...rest }): TraceEvent => {
      const slice = { kind: "slice" as const, ...rest, start, end: start + lasting / 64 };
      return rows === null ? slice : { ...slice, details: { rows } };
    }),
  fc.record({ kind: fc.constant("mark" as const), name, at }),
  fc.record({ kind: fc.constant("level" as const), name, at, value: fc.integer() }),
  fc.record({ kind: fc.constant("arrow" as const), name, from: moment, to: moment }),
);

/** To the millionth of a second: doubles tell no less apart that long after 1970. */
const rounded = (events: TraceEvent[]) =>
  JSON.parse(
    JSON.stringify(events, (key, value: unknown) =>
      ["at", "start", "end"].includes(key) ? Math.round((value as number) * 1e3) / 1e3 : value,
    ),
  );

describe("readTrace()", () => {
  it("gives back what Trace wrote", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const trace = new Trace();
        trace.add(...events);
        expect(rounded(readTrace(trace.toJson()))).toEqual(rounded(events));
      }),
    );
  });

  it("reads a file of before the origin was written as beginning at 0", () => {
    const trace = new Trace();
    trace.add({ kind: "mark", name: "version 1", at: epoch });
    const text = trace.toJson().replace(/"origin":[\d.]+/, '"other":1');
    expect(readTrace(text)).toEqual([{ kind: "mark", name: "version 1", at: 0 }]);
  });

  it.each(["", "{", "[]", "null", '{"traceEvents":3}'])("refuses %j", (text) => {
    expect(() => readTrace(text)).toThrow(DataError);
  });
});
