import { beforeEach, describe, expect, it, vi } from "vitest";
import { ConfigError, WorkerError } from "../../../src/errors.ts";
import type { SessionEvent, StartRequest } from "../../../src/ui/session/api.ts";
import { SessionClient, savedStep, starting, storedChanged } from "../../../src/ui/session/client.ts";
import type { LinkHandlers, RemoteSession } from "../../../src/ui/session/link.ts";
import { compared, feed, live } from "../../../src/ui/state/app.ts";
import { RunFeed } from "../../../src/ui/state/run_feed.ts";
import { recordingOf } from "../recording.ts";
import { rollout, SUMMARY } from "./rows.ts";

const STORED = recordingOf({
  name: "old",
  recipe: { steps: 6 },
  adapter: "a GPU",
  steps: [{ step: 1 }, { step: 2 }, { step: 3 }],
  summary: SUMMARY,
});

/** A session worker that does what a test says. */
function fakeSession(api: Partial<RemoteSession> = {}) {
  const opened: LinkHandlers[] = [];
  const requests: StartRequest[] = [];
  const client = new SessionClient(async (handlers) => {
    opened.push(handlers);
    return {
      api: {
        start: async (request: StartRequest) => {
          requests.push(request);
          return { name: request.resume ?? "new", recipe: { steps: 9 }, from: request.resume ? 2 : 0 };
        },
        readRun: async (_name, onPart) => {
          onPart({ rollouts: [rollout(1, 1), rollout(2, 2), rollout(3, 3)] });
          onPart({ trace: [{ kind: "mark", name: "m", at: 1 }] });
          return STORED;
        },
        removeRun: async () => undefined,
        ...api,
      } as RemoteSession,
      callback: (callback) => callback,
      dispose: () => undefined,
    };
  });
  const tell = (...events: SessionEvent[]) => opened.at(-1)!.onEvents(events);
  return { client, opened, requests, tell };
}

beforeEach(() => {
  live.value = null;
  compared.value = [];
  feed.value = new RunFeed("", "recorded", {});
  starting.value = false;
  savedStep.value = null;
  vi.stubGlobal("navigator", {});
});

describe("SessionClient", () => {
  it("starts the worker when it is first needed, and once", async () => {
    const { client, opened } = fakeSession({ listRuns: async () => [] });
    expect(opened).toHaveLength(0);
    await Promise.all([client.listRuns(), client.listRuns()]);
    expect(opened).toHaveLength(1);
  });

  it("shows the run that trains, with what was told before it had a name", async () => {
    const { client, tell } = fakeSession({
      start: async () => {
        tell({ kind: "phase", phase: "starting", notice: "Starting" }, { kind: "saved", step: 0 });
        return { name: "new", recipe: {}, from: 0 };
      },
    });
    const run = await client.trainHere({ steps: 3 });
    expect([live.value, feed.value]).toEqual([run, run]);
    expect([run.kind, run.phase.value, run.notice.value]).toEqual(["live", "starting", "Starting"]);
    tell({ kind: "step", row: { step: 1 }, rollouts: [rollout(1, 1)], remainingSeconds: 3 });
    tell({ kind: "saved", step: 1 });
    expect(run.steps).toEqual([{ step: 1 }]);
    expect(savedStep.value).toBe(1);
  });

  it("refuses a second run, and can start one after the first has ended", async () => {
    const { client, tell } = fakeSession();
    await client.trainHere({});
    await expect(client.trainHere({})).rejects.toMatchObject({ code: "session/busy" });
    tell({ kind: "phase", phase: "done", notice: "Done" }, { kind: "ended", summary: SUMMARY });
    await expect(client.trainHere({})).resolves.toMatchObject({ kind: "live" });
  });

  it("passes a refusal on and leaves the page as it was", async () => {
    const shown = feed.value;
    const error = new ConfigError("config/unknown-key", "Unknown setting");
    const { client } = fakeSession({ start: () => Promise.reject(error) });
    await expect(client.trainHere({})).rejects.toBe(error);
    expect([feed.value, live.value, starting.value]).toEqual([shown, null, false]);
  });

  it("goes on with a stored run from its checkpoint: later steps will be told again", async () => {
    const { client, requests } = fakeSession();
    const run = await client.resumeRun("old", { steps: 9 });
    expect(requests).toEqual([{ recipe: { steps: 9 }, resume: "old", access: {} }]);
    expect(run.steps.map(({ step }) => step)).toEqual([1, 2]);
    expect(run.rollouts.map(({ id }) => id)).toEqual([1, 2]);
    expect([run.recipe, run.summary, savedStep.value]).toEqual([{ steps: 9 }, null, 2]);
  });

  it("shows the run that was asked for last, whichever is read first", async () => {
    const reads = new Map<string, () => void>();
    const { client } = fakeSession({
      readRun: async (name) => {
        await new Promise<void>((go) => reads.set(name, go));
        return { ...STORED, name };
      },
    });
    const [slow, quick] = [client.openStored("slow"), client.openStored("quick")];
    await vi.waitFor(() => expect(reads.size).toBe(2));
    reads.get("quick")!();
    await quick;
    reads.get("slow")!();
    expect((await slow).name).toBe("slow");
    expect(feed.value.name).toBe("quick");
  });

  it("goes on once, however often it is asked to before it has begun", async () => {
    const { client, requests } = fakeSession();
    const [first, second] = await Promise.all([client.resumeRun("old"), client.resumeRun("old")]);
    expect(second).toBe(first);
    expect(requests).toHaveLength(1);
    await expect(client.resumeRun("old")).rejects.toMatchObject({ code: "session/busy" });
  });

  it("tells the death of the worker as a failure with a way on, and starts another worker", async () => {
    const { client, opened, tell } = fakeSession({ listRuns: async () => [] });
    const run = await client.trainHere({});
    tell({ kind: "saved", step: 4 });
    opened[0].onDeath(new WorkerError("worker/died", "out of memory"));
    expect(run.phase.value).toBe("failed");
    expect(run.failure.value?.code).toBe("session/died");
    expect(run.failure.value?.hint).toMatch(/Go on with the stored run.*step 4 is stored/);
    await client.listRuns();
    expect(opened).toHaveLength(2);
    await expect(client.trainHere({})).resolves.toBeInstanceOf(RunFeed);
  });

  it("tells of what the worker threw, where it did", async () => {
    const { client, opened } = fakeSession();
    const run = await client.trainHere({});
    const cause = new TypeError("x is undefined");
    opened[0].onDeath(new WorkerError("worker/died", "The session worker failed", { cause }));
    expect(run.failure.value?.message).toBe("The training ended: its worker died: x is undefined");
  });

  it("takes no harm of a worker that dies when nothing trains", async () => {
    const { client, opened, tell } = fakeSession();
    const run = await client.trainHere({});
    tell({ kind: "phase", phase: "done", notice: "" }, { kind: "ended", summary: SUMMARY });
    opened[0].onDeath(new WorkerError("worker/died", "later"));
    expect([run.phase.value, run.failure.value]).toEqual(["done", null]);
  });

  it("tries again after a worker that could not be started", async () => {
    let attempts = 0;
    const client = new SessionClient(async () => {
      attempts++;
      throw new WorkerError("worker/not-ready", "no answer");
    });
    await expect(client.listRuns()).rejects.toMatchObject({ code: "worker/not-ready" });
    await expect(client.listRuns()).rejects.toMatchObject({ code: "worker/not-ready" });
    expect(attempts).toBe(2);
  });

  it("shows and compares stored runs, the live one as it lives", async () => {
    const { client } = fakeSession();
    const stored = await client.openStored("old");
    expect([feed.value, stored.kind, stored.rollouts.length, stored.trace.length]).toEqual([
      stored,
      "stored",
      3,
      1,
    ]);
    const run = await client.trainHere({});
    await client.addCompared("old");
    await client.addCompared("old");
    await client.addCompared("new");
    expect(compared.value.map(({ name }) => name)).toEqual(["old"]);
    await client.openStored("old");
    expect(await client.openStored("new")).toBe(run);
    const before = storedChanged.value;
    await client.removeRun("old");
    expect([compared.value, storedChanged.value]).toEqual([[], before + 1]);
  });
});
