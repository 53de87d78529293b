import { afterEach, describe, expect, it } from "vitest";
import { DataError, WorkerError } from "../../src/errors.ts";
import { type Connection, connect, transfer } from "../../src/rpc/connect.ts";
import { typedPort } from "../../src/rpc/port.ts";
import type { FaultyApi } from "./faulty_worker.ts";

let connection: Connection<FaultyApi> | undefined;
const start = async (options: { deadlineMs?: number; heartbeatMs?: number; lifeLock?: boolean } = {}) => {
  const worker = new Worker(new URL("./faulty_worker.ts", import.meta.url), { type: "module" });
  connection = await connect<FaultyApi>(worker, { name: "faulty", readyMs: 20_000, ...options });
  return { worker, connection, api: connection.api };
};
afterEach(() => connection?.dispose());

const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => new Error("nothing was thrown"),
    (error: unknown) => error,
  );

describe("connect()", () => {
  it("calls methods and reads properties", async () => {
    const { api } = await start({ deadlineMs: 5000 });
    expect(await api.add(2, 3)).toBe(5);
    expect(await api.version).toBe(7);
    expect(await Promise.all([api.add(1, 1), api.add(2, 2)])).toEqual([2, 4]);
  });

  it("keeps class, code, hint and cause of an error", async () => {
    const { api, connection } = await start();
    const error = (await caught(api.failWithCause())) as DataError;
    expect(error).toBeInstanceOf(DataError);
    expect(error).toMatchObject({ name: "DataError", code: "data/broken-row", hint: "Mend line 3" });
    expect(error.message).toBe("Cannot read line 3: found no answer");
    expect(error.cause).toBeInstanceOf(RangeError);
    expect(error.stack).toContain("faulty_worker");
    expect(await caught(api.throwText())).toBe("only text");
    expect(await caught(api.failDom())).toMatchObject({ name: "AbortError", message: "stopped" });
    expect(connection.terminated).toBe(false);
    expect(await api.add(1, 2)).toBe(3);
  });

  it("rejects a call at its deadline and keeps the worker", async () => {
    const { api, connection } = await start({ deadlineMs: 60 });
    expect(await caught(api.hang())).toMatchObject({
      code: "worker/deadline",
      message: expect.stringMatching(/hang\(\) of the faulty worker.*60 ms/),
    });
    expect(connection.terminated).toBe(false);
    expect(await connection.within(5000).add(4, 5)).toBe(9);
  });

  it("rejects all pending calls when the worker is terminated", async () => {
    const { worker, api, connection } = await start();
    const deaths: WorkerError[] = [];
    connection.onDeath((error) => deaths.push(error));
    const pending = [caught(api.hang()), caught(api.hang())];
    worker.terminate();
    for (const error of await Promise.all(pending)) {
      expect(error).toBeInstanceOf(WorkerError);
      expect(error).toMatchObject({ code: "worker/terminated" });
    }
    expect(deaths.length).toBe(1);
    expect(connection.terminated).toBe(true);
    expect(await caught(api.add(1, 1))).toMatchObject({ code: "worker/terminated" });
    connection.onDeath((error) => deaths.push(error));
    expect(deaths.length).toBe(2);
  });

  it.each([
    ["crashLater", { code: "data/late", hint: "look here" }],
    ["rejectLater", { name: "TypeError", message: "nobody caught this" }],
  ] as const)("tells what an uncaught error was (%s)", async (method, cause) => {
    const { api, connection } = await start();
    const death = new Promise<WorkerError>((resolve) => void connection.onDeath(resolve));
    const pending = caught(api.hang());
    await api[method]();
    const error = await death;
    expect(error.code).toBe("worker/died");
    expect(error.cause).toMatchObject(cause);
    expect(await pending).toBe(error);
  });

  it("notices at once that a worker has closed without a word", async () => {
    const { api, connection } = await start();
    const deaths: WorkerError[] = [];
    connection.onDeath((error) => deaths.push(error));
    const pending = caught(api.hang());
    await api.closeSilently();
    expect(await pending).toMatchObject({
      code: "worker/gone",
      message: "The faulty worker ended without a word",
    });
    expect(deaths).toHaveLength(1);
  });

  it("takes a worker that answers nobody for busy as long as it lives", async () => {
    const { api, connection } = await start();
    const busy = api.blockFor(1500);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(connection.terminated).toBe(false);
    await busy;
    expect(await api.add(1, 1)).toBe(2);
  });

  it("notices by its silence that a worker has closed, where it holds no lock", async () => {
    const { api } = await start({ heartbeatMs: 200, lifeLock: false });
    const pending = caught(api.hang());
    await api.closeSilently();
    expect(await pending).toMatchObject({ code: "worker/silent" });
  });

  it("forgives a worker that computes for less than the heartbeat", async () => {
    const { api, connection } = await start({ heartbeatMs: 400 });
    await api.blockFor(200);
    expect(await api.add(1, 1)).toBe(2);
    expect(connection.terminated).toBe(false);
  });

  it("says when the worker's module cannot be loaded", async () => {
    const worker = new Worker(new URL("./no_such_worker.ts", import.meta.url), { type: "module" });
    expect(await caught(connect(worker, { name: "absent" }))).toMatchObject({ code: "worker/died" });
  });

  it("does not mourn a worker it disposed of itself", async () => {
    const { api, connection } = await start();
    const deaths: WorkerError[] = [];
    connection.onDeath((error) => deaths.push(error));
    const pending = caught(api.hang());
    connection.dispose();
    expect(await pending).toMatchObject({ code: "worker/disposed" });
    expect(deaths).toEqual([]);
  });

  it("moves typed arrays over a port into the worker and back", async () => {
    const { api } = await start();
    const channel = new MessageChannel();
    const port = typedPort<
      { kind: "doubled"; values: Float32Array },
      { kind: "numbers"; values: Float32Array }
    >(channel.port1, { capacity: 2 });
    const total = api.double(transfer(channel.port2, [channel.port2]));
    for (let round = 0; round < 5; round += 1) {
      const values = Float32Array.of(round, 2);
      await port.send({ kind: "numbers", values });
      expect(values.length).toBe(0);
      expect((await port.receive())?.values).toEqual(Float32Array.of(2 * round, 4));
    }
    port.close();
    expect(await total).toBe(5);
  });
});
