/** The session worker's side of `SessionApi`: one run at a time, and the runs that are kept. */
import type { Recipe } from "../../config/schema.ts";
import type { Knobs } from "../../control.ts";
import { ConfigError, DataError, WebgrpoError } from "../../errors.ts";
import { exportCheckpoint, exportRun } from "../../runs/export_run.ts";
import { importZip } from "../../runs/import_run.ts";
import type { ListedStorage } from "../../runs/opfs.ts";
import { readRecordedRun } from "../../runs/recorded_run.ts";
import { freshRunName, openRun, type RunDirectory } from "../../runs/run_directory.ts";
import {
  checkName,
  listStoredRuns,
  type OpenStorage,
  RUNS,
  type StoredRun,
  wholeCheckpoints,
} from "../../runs/stored_runs.ts";
import type { RecordedRun } from "../state/records.ts";
import type {
  DownloadProgress,
  Estimate,
  Imported,
  KeptDataset,
  KeptModel,
  ModelAccess,
  NeededDownload,
  PageFacts,
  Preflight,
  RunPart,
  SessionApi,
  StartedRun,
  StartRequest,
} from "./api.ts";
import { bringHere } from "./bring.ts";
import { cutList, cutRollouts, EventSender } from "./event_sender.ts";
import { estimateRun, gatherFacts } from "./gather.ts";
import { listKept, removeKept } from "./kept_models.ts";
import { LiveRun } from "./live_run.ts";
import { preflightOf } from "./preflight.ts";
import { listKeptDatasets, removeKeptDataset } from "./problems.ts";
import { type Places, resolveOnPage } from "./recipes.ts";
import { holdRun, holdUpload, runsInUse } from "./run_lock.ts";
import { sweepUnfinished } from "./sweep.ts";

/** As many as a feed keeps. */
const KEPT_ROLLOUTS = 20_000;
const KEPT_EVENTS = 60_000;
/** Each has a hundred figures. */
const STEPS_PER_MESSAGE = 500;

/** @throws DataError `runs/no-run` for a name that a link or a list of before brought, `runs/not-a-run` */
async function openKept(storage: ListedStorage, name: string): Promise<RunDirectory> {
  if ((await storage.list("")).length > 0) return openRun(storage);
  throw new DataError("runs/no-run", `Cannot open the run ${name}: this browser keeps none of that name`, {
    hint: "Choose one from the list of runs; a link to a run holds only in the browser that has it, so ask for its zip",
  });
}

export class Session implements SessionApi {
  private readonly storage: OpenStorage;
  private base = "";
  private swept: Promise<void> = Promise.resolve();
  private downloading = { stop: new AbortController(), ended: Promise.resolve() };
  private events = new EventSender(() => undefined);
  private live: { run: LiveRun | null; ended: Promise<void>; stopAsked: boolean } | null = null;

  constructor(storage: OpenStorage) {
    this.storage = storage;
  }

  open(port: MessagePort, base: string): void {
    this.base = base;
    this.events = new EventSender((events) => port.postMessage(events));
    // What cannot be swept now is swept another time: windows without private files were told of already.
    this.swept = sweepUnfinished(this.storage).catch(() => undefined);
  }

  async start(request: StartRequest): Promise<StartedRun> {
    if (this.live) {
      throw new WebgrpoError("session/busy", "Cannot start a run: one is training in this tab already", {
        hint: "Stop it first; it is saved and can go on later",
      });
    }
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    // Taken at once: a second start must not slip in while this one reads.
    this.live = { run: null, ended, stopAsked: false };
    let release: () => void = () => undefined;
    const finish = () => {
      this.live = null;
      release();
      end();
    };
    try {
      const prepared = request.resume
        ? await this.prepareResume(request.resume, request.recipe)
        : await this.prepare(request);
      release = prepared.release;
      const { name, recipe, from, resumed } = prepared;
      const places = this.placesFor(request.access);
      const run = new LiveRun({ name, recipe, resumed, places, events: this.events });
      this.live.run = run;
      if (this.live.stopAsked) run.stop();
      run.run().finally(finish);
      return { name, recipe: recipe as unknown as Record<string, unknown>, from };
    } catch (error) {
      finish();
      throw error;
    }
  }

  private async prepare({ recipe: written, modelUrl }: StartRequest) {
    const recipe = await resolveOnPage(written, { model: modelUrl }, this.places);
    const taken = await this.storage(RUNS).list("");
    const name = freshRunName(recipe.name, new Date(), taken);
    return { name, recipe, from: 0, resumed: false, release: await holdRun(name, "start") };
  }

  private async prepareResume(name: string, changed: Record<string, unknown>) {
    const storage = this.folderOf(name);
    // For a moment it may hold what a crash has left of this very run.
    await this.swept;
    const release = await holdRun(name, "go on with");
    try {
      const saved = await openKept(storage, name);
      const recipe = await resolveOnPage(saved.recipe, changed, this.places);
      const files = await storage.files();
      const [newest] = await wholeCheckpoints(storage, files);
      if (
        !newest &&
        files.some(({ path }) => path.startsWith("checkpoints/") && path.endsWith("/state.json"))
      ) {
        throw new DataError(
          "runs/no-checkpoint",
          `Cannot go on with ${name}: none of its checkpoints is whole`,
          {
            hint: "Look at it or remove it, and start a new run",
          },
        );
      }
      const from = newest?.step ?? 0;
      if (from >= recipe.steps) {
        throw new ConfigError(
          "runs/complete",
          `Cannot go on with ${name}: all of its ${recipe.steps} steps are done`,
          {
            hint: "Ask for more steps",
          },
        );
      }
      return { name, recipe, from, resumed: true, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  pause(): void {
    this.live?.run?.pause();
  }
  resume(): void {
    this.live?.run?.resume();
  }
  step(): void {
    this.live?.run?.oneStep();
  }
  turn(knobs: Knobs): void {
    this.live?.run?.turn(knobs);
  }
  async stop(): Promise<void> {
    if (!this.live) return;
    this.live.stopAsked = true;
    this.live.run?.stop();
    await this.live.ended;
  }
  async loseDevice(which: "trainer" | "generator"): Promise<void> {
    await this.live?.run?.loseDevice(which);
  }

  async preflight(
    written: Record<string, unknown>,
    page: PageFacts,
    access: ModelAccess = {},
  ): Promise<Preflight> {
    const recipe = resolveOnPage(written, {}, this.places);
    const facts = await gatherFacts(recipe, this.placesFor(access));
    return preflightOf(page, facts, await recipe.catch(() => null));
  }

  async estimate(recipe: Recipe, access: ModelAccess = {}): Promise<Estimate | null> {
    try {
      return await estimateRun(recipe, this.placesFor(access));
    } catch {
      // The preflight says what is wrong with a model; an estimate only informs.
      return null;
    }
  }

  async download(
    needed: Pick<NeededDownload, "model" | "data">,
    access: ModelAccess,
    onProgress: (progress: DownloadProgress) => void,
  ): Promise<boolean> {
    // Its files cannot be opened twice.
    await this.stopDownload();
    const stop = new AbortController();
    const brought = bringHere(needed, this.placesFor(access), { signal: stop.signal, onProgress });
    const nothing = () => undefined;
    this.downloading = { stop, ended: brought.then(nothing, nothing) };
    try {
      await brought;
      return true;
    } catch (error) {
      if (stop.signal.aborted) return false;
      throw error;
    }
  }

  async stopDownload(): Promise<void> {
    const { stop, ended } = this.downloading;
    stop.abort();
    await ended;
  }

  async listRuns(): Promise<StoredRun[]> {
    await this.swept;
    const [runs, used] = await Promise.all([listStoredRuns(this.storage), runsInUse()]);
    return runs.map((run) => (used.includes(run.name) ? { ...run, training: true } : run));
  }

  async readRun(name: string, onPart: (part: RunPart) => void): Promise<RecordedRun> {
    const run = await readRecordedRun(await openKept(this.folderOf(name), name), name);
    for (const steps of cutList(run.steps, STEPS_PER_MESSAGE)) await onPart({ steps });
    for (const rollouts of cutRollouts(run.rollouts.slice(-KEPT_ROLLOUTS))) await onPart({ rollouts });
    for (const trace of cutList(run.trace.slice(-KEPT_EVENTS))) await onPart({ trace });
    return { ...run, steps: [], rollouts: [], trace: [] };
  }

  async removeRun(name: string): Promise<void> {
    const storage = this.folderOf(name);
    const release = await holdRun(name, "remove");
    try {
      await storage.remove("");
    } finally {
      release();
    }
  }

  exportRun(name: string): Promise<Blob> {
    return exportRun(name, this.folderOf(name));
  }

  exportCheckpoint(name: string): Promise<Blob> {
    return exportCheckpoint(name, this.folderOf(name));
  }

  importZip(zip: Blob, fileName: string): Promise<Imported> {
    return importZip(zip, fileName, this.storage, holdUpload);
  }

  listModels(): Promise<KeptModel[]> {
    return listKept(this.storage);
  }

  removeModel(model: KeptModel): Promise<void> {
    return removeKept(model, this.storage);
  }

  listDatasets(): Promise<KeptDataset[]> {
    return listKeptDatasets();
  }

  removeDataset(id: string, what: "all" | "parts"): Promise<void> {
    return removeKeptDataset(id, what);
  }

  private placesFor(access: ModelAccess | undefined): Places {
    return { ...this.places, access };
  }

  private get places(): Places {
    return { base: this.base, open: this.storage };
  }

  private folderOf(name: string): ListedStorage {
    return this.storage(`${RUNS}/${checkName(name)}`);
  }
}
