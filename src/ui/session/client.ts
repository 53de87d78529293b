/**
 * What the page's buttons call: training here, the runs that are kept, files in and out. Wires the session worker's events
 * into the run that views watch.
 */
import { signal } from "@preact/signals";
import type { Recipe } from "../../config/schema.ts";
import type { Knobs } from "../../control.ts";
import { WebgrpoError, WorkerError } from "../../errors.ts";
import { encodeError } from "../../rpc/errors.ts";
import { compared, feed, live } from "../state/app.ts";
import { modelAccess, modelsChanged } from "../state/model_access.ts";
import type { RecordedRun } from "../state/records.ts";
import { type FeedKind, RunFeed } from "../state/run_feed.ts";
import type {
  DownloadProgress,
  Estimate,
  Imported,
  KeptDataset,
  KeptModel,
  NeededDownload,
  Preflight,
  RunPart,
  SessionEvent,
  StartRequest,
  StoredRun,
} from "./api.ts";
import { forPage } from "./failure.ts";
import { applyEvent } from "./feeding.ts";
import { type LinkHandlers, openSession, type SessionLink } from "./link.ts";
import { pageFacts } from "./page_facts.ts";
import { pageObstacles, verdict } from "./preflight.ts";
import { saveFile } from "./save_file.ts";
import { keepAwake } from "./wake_lock.ts";

/** True from the button until the run has a name; then the feed's own phase tells. */
export const starting = signal(false);
/** The step up to which the live run is stored, or null. */
export const savedStep = signal<number | null>(null);
/** Bumped when the list of stored runs may have changed. */
export const storedChanged = signal(0);

type Open = (handlers: LinkHandlers) => Promise<SessionLink>;

export class SessionClient {
  private readonly open: Open;
  private link: Promise<SessionLink> | null = null;
  /** Events that came before the reply that names their run. */
  private early: SessionEvent[] = [];
  /** Counts what was asked to be shown: of two runs the one that was asked for last is, whichever is read first. */
  private shown = 0;
  /** A stored run that is being read to go on with. */
  private resuming: { name: string; run: Promise<RunFeed> } | null = null;

  constructor(open: Open) {
    this.open = open;
  }

  /** Starts a run in this tab and shows it. @throws WebgrpoError with the reason it cannot start */
  trainHere(recipe: Record<string, unknown>, modelUrl?: string): Promise<RunFeed> {
    const access = modelAccess();
    return this.begin({ recipe, modelUrl, access }, (name, resolved) => new RunFeed(name, "live", resolved));
  }

  /** Goes on with a stored run; `changed` is laid over its recipe, such as `{ steps: 60 }`. Asked for twice, it goes on once. */
  resumeRun(name: string, changed: Record<string, unknown> = {}): Promise<RunFeed> {
    if (this.resuming?.name === name) return this.resuming.run;
    const run = this.beginResumed(name, changed).finally(() => {
      this.resuming = null;
    });
    this.resuming = { name, run };
    return run;
  }

  private async beginResumed(name: string, changed: Record<string, unknown>): Promise<RunFeed> {
    const stored = await this.read(name);
    const access = modelAccess();
    return this.begin({ recipe: changed, resume: name, access }, (_, resolved, from) => {
      const resumed = RunFeed.of({ ...stored, recipe: resolved }, "live");
      resumed.rewindTo(from);
      savedStep.value = from;
      return resumed;
    });
  }

  async pause(): Promise<void> {
    await this.ask((api) => api.pause());
  }
  async resume(): Promise<void> {
    await this.ask((api) => api.resume());
  }
  async step(): Promise<void> {
    await this.ask((api) => api.step());
  }
  async turn(knobs: Knobs): Promise<void> {
    await this.ask((api) => api.turn(knobs));
  }
  /** Finishes the step, saves, ends; resolves when all is on file. */
  async stop(): Promise<void> {
    await this.ask((api) => api.stop());
  }
  async loseDevice(which: "trainer" | "generator"): Promise<void> {
    await this.ask((api) => api.loseDevice(which));
  }

  async preflight(recipe: Record<string, unknown>): Promise<Preflight> {
    const page = pageFacts();
    const obstacles = pageObstacles(page);
    return obstacles.length > 0
      ? verdict(obstacles)
      : this.ask((api) => api.preflight(recipe, page, modelAccess()));
  }

  /** What a resolved recipe comes to; null where it cannot be told. */
  async estimate(recipe: Recipe): Promise<Estimate | null> {
    return this.ask((api) => api.estimate(recipe, modelAccess()));
  }

  /** Brings models and problems of the hub here; false where it was stopped. @throws WebgrpoError `hub/*`, `runs/disk-full` */
  async download(
    needed: Pick<NeededDownload, "model" | "data">,
    onProgress: (progress: DownloadProgress) => void,
  ): Promise<boolean> {
    const told = (await this.connected()).callback(onProgress);
    return this.ask((api) => api.download(needed, modelAccess(), told));
  }

  /** What has come stays, and a later download goes on from there. */
  async stopDownload(): Promise<void> {
    await this.ask((api) => api.stopDownload());
  }

  async listRuns(): Promise<StoredRun[]> {
    return this.ask((api) => api.listRuns());
  }

  /** Shows a stored run, unless another was asked for while it was read; one that trains here is shown as it trains. */
  async openStored(name: string): Promise<RunFeed> {
    const asked = ++this.shown;
    const run = live.value?.name === name ? live.value : await this.stored(name, "stored");
    if (asked === this.shown) feed.value = run;
    return run;
  }

  /** Draws a stored run beside the one in view. */
  async addCompared(name: string): Promise<void> {
    if (compared.value.some((run) => run.name === name) || feed.value.name === name) return;
    const run = live.value?.name === name ? live.value : await this.stored(name, "stored");
    compared.value = [...compared.value.filter((other) => other.name !== name), run];
  }

  removeCompared(name: string): void {
    compared.value = compared.value.filter((run) => run.name !== name);
  }

  /** @throws WebgrpoError `session/run-in-use` for a run that trains, here or in another tab */
  async removeRun(name: string): Promise<void> {
    await this.ask((api) => api.removeRun(name));
    this.removeCompared(name);
    if (live.value?.name === name) live.value = null;
    storedChanged.value++;
  }

  async downloadRun(name: string): Promise<void> {
    saveFile(await this.ask((api) => api.exportRun(name)), `${name}.zip`);
  }

  async downloadCheckpoint(name: string): Promise<void> {
    saveFile(await this.ask((api) => api.exportCheckpoint(name)), `${name}-checkpoint.zip`);
  }

  async importZip(file: File): Promise<Imported> {
    const imported = await this.ask((api) => api.importZip(file, file.name));
    storedChanged.value++;
    modelsChanged.value++;
    return imported;
  }

  async listModels(): Promise<KeptModel[]> {
    return this.ask((api) => api.listModels());
  }

  async removeModel(model: KeptModel): Promise<void> {
    await this.ask((api) => api.removeModel(model));
    modelsChanged.value++;
  }

  async listDatasets(): Promise<KeptDataset[]> {
    return this.ask((api) => api.listDatasets());
  }

  /** @param what `parts`: only what has come of files that are not whole */
  async removeDataset(id: string, what: "all" | "parts" = "all"): Promise<void> {
    await this.ask((api) => api.removeDataset(id, what));
    modelsChanged.value++;
  }

  private async ask<T>(call: (api: SessionLink["api"]) => Promise<T>): Promise<T> {
    try {
      return await call((await this.connected()).api);
    } catch (error) {
      throw forPage(error);
    }
  }

  private connected(): Promise<SessionLink> {
    if (this.link) return this.link;
    const link = this.open({
      onEvents: (events) => this.take(events),
      onDeath: (error) => {
        if (this.link === link) this.link = null;
        this.mourn(error);
      },
    });
    this.link = link;
    // The next call tries anew.
    link.catch(() => {
      if (this.link === link) this.link = null;
    });
    return link;
  }

  private async begin(
    request: StartRequest,
    make: (name: string, recipe: Record<string, unknown>, from: number) => RunFeed,
  ): Promise<RunFeed> {
    if (starting.value || isUnderWay(live.value)) {
      throw new WebgrpoError("session/busy", "Cannot start a run: one is training in this tab already", {
        hint: "Stop it first; it is saved and can go on later",
      });
    }
    starting.value = true;
    this.early = [];
    savedStep.value = null;
    try {
      const { name, recipe, from } = await this.ask((api) => api.start(request));
      const run = make(name, recipe, from);
      run.phase.value = "loading";
      live.value = run;
      this.shown++;
      feed.value = run;
      compared.value = compared.value.filter((other) => other.name !== name);
      starting.value = false;
      for (const event of this.early.splice(0)) this.apply(run, event);
      keepAwake(() => isUnderWay(run));
      return run;
    } finally {
      starting.value = false;
    }
  }

  private take(events: SessionEvent[]): void {
    const run = live.value;
    if (starting.value) this.early.push(...events);
    else if (run) for (const event of events) this.apply(run, event);
  }

  private apply(run: RunFeed, event: SessionEvent): void {
    applyEvent(run, event);
    if (event.kind === "saved") savedStep.value = event.step;
    if (event.kind === "saved" || event.kind === "ended" || event.kind === "failed") storedChanged.value++;
  }

  /** The worker is gone, and with it whatever trained. */
  private mourn(error: Error): void {
    const run = live.value;
    if (!run || !isUnderWay(run)) return;
    // Only what was thrown is known for certain; a browser that ends a worker says nothing.
    const why =
      error.cause instanceof Error ? `: ${error.cause.message}` : ", most likely for want of memory";
    const failure = new WorkerError("session/died", `The training ended: its worker died${why}`, {
      cause: error,
    });
    run.phase.value = "failed";
    run.notice.value = failure.message;
    this.apply(run, { kind: "failed", error: encodeError(failure), saved: savedStep.value });
  }

  private async stored(name: string, kind: FeedKind): Promise<RunFeed> {
    return RunFeed.of(await this.read(name), kind);
  }

  private async read(name: string): Promise<RecordedRun> {
    const link = await this.connected();
    const steps: RecordedRun["steps"] = [];
    const rollouts: RecordedRun["rollouts"] = [];
    const trace: RecordedRun["trace"] = [];
    const onPart = link.callback((part: RunPart) => {
      if ("steps" in part) steps.push(...part.steps);
      else if ("rollouts" in part) rollouts.push(...part.rollouts);
      else trace.push(...part.trace);
    });
    const run = await this.ask((api) => api.readRun(name, onPart));
    return { ...run, steps: [...steps, ...run.steps], rollouts, trace };
  }
}

function isUnderWay(run: RunFeed | null): boolean {
  return run !== null && !["idle", "done", "failed"].includes(run.phase.value);
}

/** The page's one session. */
export const session = new SessionClient(openSession);

declare global {
  /** The page's session for the browser's console: `await webgrpo.listRuns()`, `webgrpo.turn({ temperature: 0.8 })`. */
  var webgrpo: SessionClient;
}
globalThis.webgrpo = session;
