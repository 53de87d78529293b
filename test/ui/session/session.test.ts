import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseRecipe } from "../../../src/config/parse.ts";
import type { RunPart, SessionEvent } from "../../../src/ui/session/api.ts";
import { EventSender } from "../../../src/ui/session/event_sender.ts";
import { LiveRun } from "../../../src/ui/session/live_run.ts";
import { holdRun, runsInUse } from "../../../src/ui/session/run_lock.ts";
import { Session } from "../../../src/ui/session/session.ts";
import { type MemoryFiles, memoryFiles, TINY_CONFIG } from "../../runs/memory_files.ts";
import { storeRun } from "../../runs/stored_run.ts";
import { fakeLocks } from "./fake_locks.ts";
import { BASE, serveSite } from "./site.ts";

let memory: MemoryFiles;
let locks: ReturnType<typeof fakeLocks>;
let told: SessionEvent[];
let session: Session;

beforeEach(() => {
  memory = memoryFiles();
  locks = fakeLocks();
  vi.stubGlobal("navigator", { locks });
  told = [];
  session = new Session(memory.open);
  session.open(
    { postMessage: (events: SessionEvent[]) => told.push(...events) } as unknown as MessagePort,
    BASE,
  );
});
afterEach(() => {
  vi.unstubAllGlobals();
});

/** Ends at the model, before any stage is opened. */
const NO_MODEL = { name: "lost", model: "builtin:none", steps: 3 };
const ended = () => vi.waitFor(() => expect(locks.held.size).toBe(0));
const phases = () => told.flatMap((event) => (event.kind === "phase" ? [event.phase] : []));

describe("Session", () => {
  it("tells a run that cannot load as a failure, and leaves nothing of it behind", async () => {
    serveSite({});
    const { name, recipe, from } = await session.start({ recipe: NO_MODEL });
    expect(name).toMatch(/^lost-\d{8}-\d{6}$/);
    expect(recipe).toMatchObject({ steps: 3, checkpoint: { every: 5 } });
    expect([from, locks.held.size]).toEqual([0, 1]);
    await ended();
    expect(phases()).toEqual(["loading", "failed"]);
    expect(told.at(-1)).toMatchObject({ kind: "failed", saved: null, error: { code: "model/no-folder" } });
    expect(memory.files.size).toBe(0);
    await expect(session.start({ recipe: NO_MODEL })).resolves.toMatchObject({ from: 0 });
    await ended();
  });

  it("estimates a recipe whose model is here, and asks nobody for one that is not", async () => {
    const shipped = new URL("../../../public/models/chain-sum/", import.meta.url);
    const names = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"];
    const files = names.map((name) => [
      `models/chain-sum/${name}`,
      readFileSync(new URL(name, shipped), "utf8"),
    ]);
    const asked = serveSite(Object.fromEntries(files));
    const recipe = (rank: number, model = "builtin:chain-sum") =>
      parseRecipe({ model, task: { name: "chain_sum" }, trainer: { lora: { rank } } });
    const [all, adapters] = [await session.estimate(recipe(0)), await session.estimate(recipe(8))];
    expect(all?.parameters).toBe(adapters?.parameters);
    expect(all?.trainerBytes).toBeGreaterThan(adapters?.trainerBytes ?? 0);
    expect(all?.generatorBytes).toBeLessThan(adapters?.generatorBytes ?? 0);
    expect(await session.estimate(recipe(0, "builtin:none"))).toBeNull();
    expect(asked.every((address) => address.startsWith(BASE))).toBe(true);
  });

  it("refuses a wrong recipe at once, and a second run while one goes on", async () => {
    serveSite({});
    await expect(session.start({ recipe: { stepz: 1 } })).rejects.toMatchObject({
      code: "config/unknown-key",
    });
    const first = session.start({ recipe: NO_MODEL });
    await expect(session.start({ recipe: NO_MODEL })).rejects.toMatchObject({ code: "session/busy" });
    await first;
    await ended();
  });

  it("stops a run that has only been asked for", async () => {
    serveSite({ "models/chain-sum/config.json": TINY_CONFIG });
    const started = session.start({ recipe: {} });
    await session.stop();
    await started;
    expect(phases().at(-1)).toBe("done");
    expect(memory.files.size).toBe(0);
  });

  it("goes on with a stored run where it stands, and says why it cannot", async () => {
    serveSite({});
    await storeRun(memory, "run", { steps: 5, saved: [2, 4] });
    await expect(session.start({ recipe: { steps: 4 }, resume: "run" })).rejects.toMatchObject({
      code: "runs/complete",
    });
    for (const asked of [
      session.start({ recipe: {}, resume: "none" }),
      session.readRun("none", () => undefined),
    ])
      await expect(asked).rejects.toMatchObject({ code: "runs/no-run" });
    await expect(session.start({ recipe: {}, resume: "../x" })).rejects.toMatchObject({
      code: "runs/bad-name",
    });
    expect(locks.held.size).toBe(0);
    const kept = [...memory.files.keys()];
    const resumed = await session.start({ recipe: { steps: 9, model: "builtin:none" }, resume: "run" });
    expect(resumed).toMatchObject({ name: "run", from: 4, recipe: { name: "tiny", steps: 9 } });
    await ended();
    // It could not load its model; what was stored stays, and is what can be gone on with.
    expect(told.at(-1)).toMatchObject({ kind: "failed", saved: 4 });
    expect([...memory.files.keys()]).toEqual(kept);
    for (const path of kept.filter((name) => name.includes("checkpoints")))
      memory.files.set(path, new Uint8Array(1));
    await expect(session.start({ recipe: {}, resume: "run" })).rejects.toMatchObject({
      code: "runs/no-checkpoint",
    });
  });

  it("keeps its hands off a run that another tab has", async () => {
    await storeRun(memory, "run");
    const release = await holdRun("run", "train");
    expect(await runsInUse()).toEqual(["run"]);
    const inUse = { code: "session/run-in-use", message: expect.stringContaining("the run run") };
    await expect(session.start({ recipe: {}, resume: "run" })).rejects.toMatchObject(inUse);
    await expect(session.removeRun("run")).rejects.toMatchObject(inUse);
    expect(await session.listRuns()).toMatchObject([{ name: "run", training: true }]);
    release();
    await ended();
    expect((await session.listRuns()).map(({ training }) => training)).toEqual([undefined]);
    await session.removeRun("run");
    expect(await session.listRuns()).toEqual([]);
    expect(locks.held.size).toBe(0);
  });

  it("hands a stored run over in parts", async () => {
    await storeRun(memory, "run", { steps: 3 });
    const parts: RunPart[] = [];
    const run = await session.readRun("run", (part) => parts.push(part));
    expect(run).toMatchObject({ name: "run", adapter: "test", steps: [], rollouts: [] });
    expect(parts.flatMap((part) => ("steps" in part ? part.steps : []))).toHaveLength(3);
    const rollouts = parts.flatMap((part) => ("rollouts" in part ? part.rollouts : []));
    expect(rollouts.map(({ id }) => id)).toEqual([1, 2, 3]);
  });
});

describe("LiveRun", () => {
  it("says that it will pause, where it cannot yet", () => {
    const events = new EventSender((list) => told.push(...list));
    const run = new LiveRun({
      name: "run",
      recipe: parseRecipe({}),
      resumed: false,
      places: { base: BASE, open: memory.open },
      events,
    });
    run.pause();
    run.stop();
    run.stop();
    events.flush();
    expect(told.map((event) => event.kind === "phase" && [event.phase, event.notice])).toEqual([
      ["loading", "It will pause before the next step"],
      ["stopping", "It stops as soon as it has started"],
    ]);
  });
});
