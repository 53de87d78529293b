import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_GAP, QueueLog } from "../../src/gpu/queue_log.ts";
import { SPANS_KEPT } from "../../src/metrics/trace.ts";

/** A queue that answers when it is told to, and a clock that is set. */
function queueOf() {
  const questions: PromiseWithResolvers<undefined>[] = [];
  const clock = { at: 0 };
  const queue = {
    onSubmittedWorkDone() {
      questions.push(Promise.withResolvers<undefined>());
      return questions[questions.length - 1].promise;
    },
  };
  return {
    questions,
    clock,
    asked: new QueueLog(queue, () => clock.at),
    told: new QueueLog(null, () => clock.at),
  };
}

const settled = () => new Promise<void>((resolve) => setTimeout(resolve));
const span = (start: number, end: number, submits: number, dispatches: number) => ({
  name: dispatches > 0 ? "compute" : "copy",
  start,
  end,
  details: { submits, dispatches },
});

describe("QueueLog", () => {
  it("merges submits that come before the one before them is done, and counts their dispatches", () => {
    const { told, clock } = queueOf();
    clock.at = 10;
    expect(told.submitted(40)).toBe(1);
    clock.at = 12;
    const second = told.submitted(2);
    clock.at = 15;
    // Only the first is done: the queue goes on.
    told.finished(1);
    clock.at = 20;
    told.finished(second);
    clock.at = 30;
    told.finished(told.submitted(0));
    expect(told.take()).toEqual([span(10, 20, 2, 42), span(30, 30, 1, 0)]);
    expect(told.take()).toEqual([]);
  });

  it("goes on with a span that ended just now, unless it was taken", () => {
    const { told, clock } = queueOf();
    told.finished(told.submitted(1));
    clock.at = NO_GAP;
    const next = told.submitted(1);
    clock.at = 5;
    told.finished(next);
    expect(told.take()).toEqual([span(0, 5, 2, 2)]);
    told.finished(told.submitted(3));
    expect(told.take()).toEqual([span(5, 5, 1, 3)]);
  });

  it("keeps a span that has not ended for the next who takes", () => {
    const { told, clock } = queueOf();
    told.submitted(1);
    expect(told.take()).toEqual([]);
    clock.at = 7;
    told.finished(1);
    expect(told.take()).toEqual([span(0, 7, 1, 1)]);
  });

  it("asks the queue one question at a time, again where more was submitted meanwhile", async () => {
    const { asked, clock, questions } = queueOf();
    for (let i = 0; i < 5; i++) asked.submitted(1);
    expect(questions).toHaveLength(1);
    clock.at = 4;
    questions[0].resolve(undefined);
    await settled();
    expect(asked.take()).toEqual([]);
    expect(questions).toHaveLength(2);
    clock.at = 6;
    questions[1].resolve(undefined);
    await settled();
    expect(asked.take()).toEqual([span(0, 6, 5, 5)]);
    expect(questions).toHaveLength(2);
  });

  it("ends a span when a read-back tells before the answer, and is not misled by the answer", async () => {
    const { asked, clock, questions } = queueOf();
    clock.at = 1;
    asked.finished(asked.submitted(1));
    clock.at = 3;
    asked.submitted(1);
    questions[0].resolve(undefined);
    await settled();
    clock.at = 9;
    questions[1].resolve(undefined);
    await settled();
    expect(asked.take()).toEqual([span(1, 1, 1, 1), span(3, 9, 1, 1)]);
  });

  it("takes a refusal of a lost device for the end, and asks no more", async () => {
    const { asked, clock, questions } = queueOf();
    asked.submitted(1);
    clock.at = 2;
    questions[0].reject(new Error("lost"));
    await settled();
    expect(asked.take()).toEqual([span(0, 2, 1, 1)]);
    expect(questions).toHaveLength(1);
  });

  it("keeps so many spans and not more where nobody takes them", () => {
    const { told, clock } = queueOf();
    for (let i = 0; i < SPANS_KEPT + 50; i++) {
      clock.at = i;
      told.finished(told.submitted(1));
    }
    expect(told.take()).toHaveLength(SPANS_KEPT);
  });

  it("never overlaps, and loses neither a submit nor a dispatch, whatever the order", () => {
    const move = fc.record({
      wait: fc.double({ min: 0, max: 1, noNaN: true }),
      dispatches: fc.nat(9),
      done: fc.option(fc.nat(40)),
    });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
        const { told, clock } = queueOf();
        for (const { wait, dispatches, done } of moves) {
          clock.at += wait;
          told.submitted(dispatches);
          clock.at += wait;
          if (done !== null) told.finished(done);
        }
        told.finished(moves.length);
        const spans = told.take();
        for (const [k, { start, end }] of spans.entries()) {
          expect(end).toBeGreaterThanOrEqual(start);
          if (k > 0) expect(start - spans[k - 1].end).toBeGreaterThan(NO_GAP);
        }
        const sum = (name: string) =>
          spans.reduce((total, { details }) => total + Number(details?.[name]), 0);
        expect(sum("submits")).toBe(moves.length);
        expect(sum("dispatches")).toBe(moves.reduce((total, { dispatches }) => total + dispatches, 0));
      }),
    );
  });
});
