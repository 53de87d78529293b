import { afterEach, describe, expect, it } from "vitest";
import { packMessage, type TypedPort, typedPort } from "../../src/rpc/port.ts";

type Sent = { kind: "batch"; tokens: Uint32Array } | { kind: "end" };
type Answer = { kind: "ok" };

const open: { close(): void }[] = [];
const pair = (capacity?: number): [TypedPort<Answer, Sent>, TypedPort<Sent, Answer>, MessageChannel] => {
  const channel = new MessageChannel();
  const near = typedPort<Answer, Sent>(channel.port1, { capacity });
  const far = typedPort<Sent, Answer>(channel.port2);
  open.push(near, far);
  return [near, far, channel];
};
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

describe("packMessage()", () => {
  it("transfers each buffer once and finds them at any depth", () => {
    const shared = new Float32Array(4);
    const message = {
      kind: "x",
      a: shared,
      list: [{ b: shared }, { c: new Uint8Array(2) }],
      n: null,
      d: new Map(),
    };
    const packed = packMessage(message);
    expect(packed.message).toBe(message);
    expect(packed.transfer.length).toBe(2);
  });

  it("cuts a view out of a larger buffer and leaves that buffer alone", () => {
    const pool = Float32Array.of(1, 2, 3, 4);
    const packed = packMessage({ kind: "x", row: pool.subarray(1, 3) });
    expect(packed.message.row).toEqual(Float32Array.of(2, 3));
    expect(packed.transfer).toEqual([packed.message.row.buffer]);
    expect(packed.transfer).not.toContain(pool.buffer);
  });

  it("never transfers shared memory or empty arrays", () => {
    const message = { kind: "x", shared: new Int32Array(new SharedArrayBuffer(8)), none: new Uint32Array(0) };
    expect(packMessage(message).transfer).toEqual([]);
  });
});

describe("typedPort()", () => {
  it("delivers in order and empties the sender's arrays", async () => {
    const [near, far] = pair();
    const tokens = Uint32Array.of(1, 2, 3);
    await near.send({ kind: "batch", tokens });
    await near.send({ kind: "end" });
    expect(tokens.length).toBe(0);
    expect(await far.receive()).toEqual({ kind: "batch", tokens: Uint32Array.of(1, 2, 3) });
    expect(await far.receive()).toEqual({ kind: "end" });
    expect(far.poll()).toBeUndefined();
  });

  it("holds the sender back at its capacity until the other side takes", async () => {
    const [near, far] = pair(2);
    const sent: number[] = [];
    const sending = Array.from({ length: 5 }, (_, index) =>
      near.send({ kind: "batch", tokens: Uint32Array.of(index) }).then(() => sent.push(index)),
    );
    await settled();
    expect(sent).toEqual([0, 1]);
    expect(near.trySend({ kind: "end" })).toBe(false);
    expect([far.queued, near.inFlight]).toEqual([2, 2]);
    const first = await far.receive();
    expect(first).toMatchObject({ tokens: Uint32Array.of(0) });
    await settled();
    expect(sent).toEqual([0, 1, 2]);
    const rest: number[] = [];
    for (let taken = 0; taken < 4; taken += 1) {
      const message = await far.receive();
      if (message?.kind === "batch") rest.push(message.tokens[0]);
    }
    await Promise.all(sending);
    expect(rest).toEqual([1, 2, 3, 4]);
  });

  it("ends iteration at the close and refuses to send after it", async () => {
    const [near, far] = pair(1);
    await near.send({ kind: "end" });
    const stuck = near.send({ kind: "end" });
    const kinds: string[] = [];
    const reading = (async () => {
      for await (const { kind } of far) kinds.push(kind);
    })();
    await stuck;
    await settled();
    near.close();
    await reading;
    expect(kinds).toEqual(["end", "end"]);
    expect(await far.receive()).toBeNull();
    await expect(far.send({ kind: "ok" })).rejects.toMatchObject({ code: "port/closed" });
    await expect(near.send({ kind: "end" })).rejects.toMatchObject({ code: "port/closed" });
  });

  it("rejects what waits for room when the port closes", async () => {
    const [near, far] = pair(1);
    await near.send({ kind: "end" });
    const stuck = near.send({ kind: "end" }).catch((error) => error);
    far.close();
    expect(await stuck).toMatchObject({ code: "port/closed" });
  });

  it("refuses an array that was sent before", async () => {
    const [near] = pair();
    const tokens = Uint32Array.of(1);
    await near.send({ kind: "batch", tokens });
    if (tokens.buffer.detached === undefined) return;
    await expect(near.send({ kind: "batch", tokens })).rejects.toThrow(/slice\(\)/);
  });

  it("fails the reader on a message without a kind", async () => {
    const [, far, channel] = pair();
    channel.port1.postMessage("nonsense");
    await expect(far.receive()).rejects.toMatchObject({ code: "port/nonsense" });
  });
});
