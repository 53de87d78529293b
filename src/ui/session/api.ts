/**
 * What the page's thread and its session worker say to each other. The session worker runs the training, reads and writes
 * the origin's private files and talks to the GPU; the page's thread only shows.
 */
import type { Recipe } from "../../config/schema.ts";
import type { Knobs } from "../../control.ts";
import type { StoredDataset as KeptDataset } from "../../data/hub/datasets.ts";
import type { ErrorRecord } from "../../rpc/errors.ts";
import type { StoredRun } from "../../runs/stored_runs.ts";
import type {
  EvaluationRow,
  LoopPulse,
  RecordedRun,
  RolloutRow,
  RunPhase,
  RunSummaryRow,
  StepRow,
  TraceEvent,
  TurnedRow,
} from "../state/records.ts";

export type { KeptDataset, StoredRun };

/** What only the page's thread knows of models: told with each request that may need one, and kept nowhere. */
export interface ModelAccess {
  /** Where the hub is, when not at its public address. */
  hubUrl?: string;
  /** For gated models; sent to the hub alone. */
  token?: string;
  /** False: nothing leaves this machine; a model of the hub is found only where it has been downloaded. */
  askHub?: boolean;
  /** Files of folders that were given to the page, by the folder's name and theirs: used as `dropped:NAME`. */
  dropped?: Readonly<Record<string, Readonly<Record<string, Blob>>>>;
}

/** How far a download is. */
export interface DownloadProgress {
  phase: "download" | "verify";
  /** Over all files. */
  doneBytes: number;
  totalBytes: number;
}

/** A model among the page's private files. */
export interface KeptModel {
  /** As a recipe names it: `stored:NAME` of an upload, `owner/name` or `owner/name@revision` of a download. */
  model: string;
  /** Of a download. */
  commit?: string;
  bytes: number;
  /** Of adapters: the model that they belong to. */
  base?: string;
  /** False: a download was cut, and goes on when the model is asked for again. */
  complete: boolean;
}

export interface StartRequest {
  /** A recipe that extends the defaults; checked in the worker as the command line checks it. With `resume`: what changes. */
  recipe: Record<string, unknown>;
  /** Address of the model's folder on this origin; absent: what the recipe names. */
  modelUrl?: string;
  access?: ModelAccess;
  /** Go on with this stored run. */
  resume?: string;
}

export interface StartedRun {
  name: string;
  /** Resolved: every setting is there. */
  recipe: Record<string, unknown>;
  /** The step it goes on after; 0 for a new run. */
  from: number;
}

/** One line of the preflight card. */
export interface PreflightLine {
  /** `browser`, `adapter`, `tier`, `memory`, `download`, `time`, `isolation`, `files`, `storage`, `recipe`, … */
  key: string;
  label: string;
  value: string;
  /** ok; a limitation; what keeps the run from starting. */
  level: "ok" | "note" | "stop";
  /** What to do about it, for this browser. */
  hint?: string;
  /** The value by parts: a head and rows of cells, and what belongs to neither. */
  table?: { head: string[]; rows: string[][]; foot: string };
}

export interface Preflight {
  lines: PreflightLine[];
  canStart: boolean;
  /** What the recipe names, where it could be resolved. */
  model?: string;
  /** Settings with which it would fit this GPU, by path. */
  fit?: Record<string, number | string | boolean>;
  /** What has to be downloaded from the hub before; absent: nothing. */
  download?: NeededDownload;
}

/** What a run needs of the hub and does not have here. */
export interface NeededDownload {
  /** As the recipe names it; below adapters, the model that they belong to comes too. */
  model: string;
  /** The recipe's file of problems, where that is to come. */
  data?: string;
  /** Of each repository or file that comes. */
  names: string[];
  /** In all. */
  bytes: number;
}

/** What a recipe comes to, before anything is loaded. */
export interface Estimate {
  parameters: number;
  /** Of the GPU; of all generators together. */
  trainerBytes: number;
  generatorBytes: number;
  /** What prompts were taken to have at most, in tokens, where they cannot be read yet; null: they were read. */
  assumedPrompt: number | null;
}

/** What an uploaded zip turned out to be, and the name it has here; a model is used as `stored:NAME`. */
export interface Imported {
  kind: "run" | "model";
  name: string;
}

/** A large part of a stored run, told apart from the rest so that the page's thread never takes long over one message. */
export type RunPart = { steps: StepRow[] } | { rollouts: RolloutRow[] } | { trace: TraceEvent[] };

/** Served by `workers/session.ts`. */
export interface SessionApi {
  /** Everything that happens is told at the port, as lists of `SessionEvent`; `base` is the page's address. */
  open(port: MessagePort, base: string): void;
  preflight(recipe: Record<string, unknown>, page: PageFacts, access?: ModelAccess): Promise<Preflight>;
  /** Of a resolved recipe; null where it cannot be told, as of a model that is not here. */
  estimate(recipe: Recipe, access?: ModelAccess): Promise<Estimate | null>;
  /**
   * Brings models and problems of the hub here; what an earlier attempt has brought is not fetched again. True when it is whole, false
   * when it was stopped. @throws DataError `hub/*`, `runs/disk-full`
   */
  download(
    needed: Pick<NeededDownload, "model" | "data">,
    access: ModelAccess,
    onProgress: (progress: DownloadProgress) => void,
  ): Promise<boolean>;
  /** Resolves when the download that is going on has ended; what has come stays. */
  stopDownload(): Promise<void>;
  /** Resolves when the run has begun to load; what follows is told as events. @throws ConfigError, DataError at once */
  start(request: StartRequest): Promise<StartedRun>;
  pause(): void;
  resume(): void;
  /** Lets one step through and pauses. */
  step(): void;
  /** Finishes the step, saves, ends. Resolves when all is on file. */
  stop(): Promise<void>;
  turn(knobs: Knobs): void;
  /** Loses a GPU device on purpose: tests of recovery. */
  loseDevice(which: "trainer" | "generator"): Promise<void>;

  listRuns(): Promise<StoredRun[]>;
  /** The run without steps, rollouts and trace, which come in parts before it resolves: the newest, as many as a feed keeps. */
  readRun(name: string, onPart: (part: RunPart) => void): Promise<RecordedRun>;
  removeRun(name: string): Promise<void>;
  /** The run's folder, or its newest checkpoint in the Hugging Face layout, as a zip. */
  exportRun(name: string): Promise<Blob>;
  exportCheckpoint(name: string): Promise<Blob>;
  /** Takes a zip of either kind; `fileName` names what has no name of its own. */
  importZip(zip: Blob, fileName: string): Promise<Imported>;
  /** Uploads and downloads. */
  listModels(): Promise<KeptModel[]>;
  removeModel(model: KeptModel): Promise<void>;
  /** Of the hub, downloaded for runs. */
  listDatasets(): Promise<KeptDataset[]>;
  /** `parts`: only of files that have not come whole. */
  removeDataset(id: string, what: "all" | "parts"): Promise<void>;
}

/** What only the page's thread knows. */
export interface PageFacts {
  userAgent: string;
  /** Brand names of `navigator.userAgentData`, where there is one. */
  brands: string[];
  platform: string;
  secure: boolean;
  isolated: boolean;
  webgpu: boolean;
  hidden: boolean;
  wakeLock: boolean;
}

export type SessionEvent =
  | { kind: "phase"; phase: RunPhase; notice: string }
  | { kind: "ready"; adapter: string; allocatedBytes: number }
  | { kind: "step"; row: StepRow; rollouts: RolloutRow[]; remainingSeconds: number }
  /** More completions of the step before. */
  | { kind: "rollouts"; rollouts: RolloutRow[] }
  | { kind: "evaluation"; row: EvaluationRow }
  | { kind: "turned"; row: TurnedRow }
  | { kind: "trace"; events: TraceEvent[] }
  | { kind: "pulse"; pulse: LoopPulse }
  | { kind: "saved"; step: number }
  /** A worker died and another took its place; the run goes on after `step`. */
  | { kind: "restarted"; worker: string; step: number; reason: string }
  | { kind: "ended"; summary: RunSummaryRow }
  /** `saved`: the step up to which the run is stored and can go on, or null. */
  | { kind: "failed"; error: ErrorRecord; saved: number | null };
