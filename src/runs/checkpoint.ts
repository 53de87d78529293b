/**
 * Checkpoints: `checkpoints/step-NNNNNN/` in the Hugging Face layout, with optimiser moments and the loop's state. One is
 * written beside the others under another name, its `state.json` last, then renamed: a crash at any moment leaves a
 * complete one. `state.json` lists size and fingerprint of every file, so a damaged one is told from a whole one.
 */
import { DataError } from "../errors.ts";
import { parseSafetensors, toFloat32, type WritableTensor, writeSafetensors } from "../model/safetensors.ts";
import { fingerprint } from "../weights/fingerprint.ts";
import type { RunStorage } from "./storage.ts";

/** All that a run needs, beside weights and moments, to go on as if it had not stopped. Plain JSON. */
export interface CheckpointState {
  step: number;
  /** The policy version whose weights these are. */
  weightVersion: number;
  /** Updates the optimiser has made: bias correction goes by it. */
  optimizerStep: number;
  /** The next problem to start. */
  dataCursor: number;
  /** Problems started and not yet trained on: started again after a resume. */
  inFlight: number[];
  /** States and counters of random generators, by name. */
  random: Record<string, number | string | number[]>;
  recipeHash: string;
  /** What else a stage keeps, by its name. */
  stages?: Record<string, unknown>;
}

/** AdamW's moments as flat values, by tensor or shard name. */
export interface Moments {
  m: ReadonlyMap<string, Float32Array>;
  v: ReadonlyMap<string, Float32Array>;
}

export interface Checkpoint {
  state: CheckpointState;
  /** By name, as `modelFolderFiles` gives them. */
  modelFiles: Record<string, Uint8Array>;
  moments?: Moments;
}

export interface FoundCheckpoint {
  /** Below the run's storage, such as `checkpoints/step-000030`. */
  path: string;
  state: CheckpointState;
  /** Damaged ones that were passed over, with what is wrong. */
  skipped: { path: string; reason: string }[];
}

interface StateFile extends CheckpointState {
  complete: true;
  files: Record<string, { bytes: number; fingerprint: string }>;
}

const folder = "checkpoints";
const optimizerFile = "optimizer.safetensors";
const stateFile = "state.json";
const namePattern = /^step-(\d{6,})(\.tmp|\.old)?$/;

function stepName(step: number): string {
  return `step-${String(step).padStart(6, "0")}`;
}

function momentsFile(moments: Moments): Uint8Array {
  const tensors: Record<string, WritableTensor> = {};
  for (const [kind, values] of [
    ["m", moments.m],
    ["v", moments.v],
  ] as const) {
    for (const [name, data] of values)
      tensors[`${kind}.${name}`] = { dtype: "F32", shape: [data.length], data };
  }
  return writeSafetensors(tensors);
}

/**
 * Writes a checkpoint and then removes all but the newest `keep`; returns its path.
 * @throws DataError `runs/disk-full`, `runs/read-only`, `runs/io`; older checkpoints stay as they were
 */
export async function writeCheckpoint(
  storage: RunStorage,
  checkpoint: Checkpoint,
  options: { keep?: number } = {},
): Promise<string> {
  const { keep = 2 } = options;
  if (!(keep >= 1)) throw new RangeError(`At least one checkpoint must be kept, got ${keep}`);
  const { state, moments } = checkpoint;
  const name = `${folder}/${stepName(state.step)}`;
  const all = { ...checkpoint.modelFiles };
  if (moments) all[optimizerFile] = momentsFile(moments);
  const files: StateFile["files"] = {};
  for (const [file, bytes] of Object.entries(all)) {
    files[file] = { bytes: bytes.byteLength, fingerprint: fingerprint(bytes) };
  }
  const described: StateFile = { ...state, complete: true, files };

  const taken = await storage.exists(name);
  // Where folders cannot be renamed, an unfinished one is known by its missing state.json alone.
  const target = storage.renamesFolders || taken ? `${name}.tmp` : name;
  try {
    await discard(storage, target);
    for (const [file, bytes] of Object.entries(all)) await storage.writeFile(`${target}/${file}`, bytes);
    const text = `${JSON.stringify(described, null, 2)}\n`;
    await storage.writeFile(`${target}/${stateFile}`, new TextEncoder().encode(text));
  } catch (error) {
    // Gives the space back; if even that fails, the next start does it.
    await storage.remove(target).catch(() => undefined);
    throw error;
  }
  const path = await settle(storage, target, name);
  await prune(storage, state.step, keep);
  return path;
}

/** Removes a checkpoint, its `state.json` first: cut short, it counts as never finished and not as damaged. */
async function discard(storage: RunStorage, path: string): Promise<void> {
  await storage.remove(`${path}/${stateFile}`);
  await storage.remove(path);
}

/** Gives a complete checkpoint its final name; a former one of the same step makes way only then. */
async function settle(storage: RunStorage, target: string, name: string): Promise<string> {
  if (target === name) return name;
  if (!storage.renamesFolders) {
    await discard(storage, name);
    return target;
  }
  if (await storage.exists(name)) {
    await discard(storage, `${name}.old`);
    await storage.rename(name, `${name}.old`);
  }
  await storage.rename(target, name);
  await discard(storage, `${name}.old`);
  return name;
}

interface Candidate {
  path: string;
  step: number;
  suffix: string;
}

/** Newest step first; of one step the settled one first. */
async function candidates(storage: RunStorage): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const name of await storage.list(folder)) {
    const match = namePattern.exec(name);
    if (match) found.push({ path: `${folder}/${name}`, step: Number(match[1]), suffix: match[2] ?? "" });
  }
  const order = ["", ".tmp", ".old"];
  return found.sort((a, b) => b.step - a.step || order.indexOf(a.suffix) - order.indexOf(b.suffix));
}

async function prune(storage: RunStorage, newest: number, keep: number): Promise<void> {
  const steps = new Set<number>();
  for (const { path, step } of await candidates(storage)) {
    if (step > newest) continue;
    steps.add(step);
    if (steps.size > keep) await discard(storage, path);
  }
}

/** The state of a whole checkpoint; else what is wrong with it (null: it was never finished). */
async function verify(
  storage: RunStorage,
  path: string,
): Promise<{ state: StateFile } | { reason: string | null }> {
  const bytes = await storage.read(`${path}/${stateFile}`);
  if (bytes === null) return { reason: null };
  let state: StateFile;
  try {
    state = JSON.parse(new TextDecoder().decode(bytes)) as StateFile;
  } catch {
    return { reason: `${stateFile} is not JSON` };
  }
  const isDescribed =
    state?.complete === true &&
    typeof state.step === "number" &&
    typeof state.files === "object" &&
    Object.values(state.files ?? { none: null }).every((file) => typeof file === "object" && file !== null);
  if (!isDescribed) return { reason: `${stateFile} does not describe a complete checkpoint` };
  if (!path.startsWith(`${folder}/${stepName(state.step)}`))
    return { reason: `${stateFile} tells of step ${state.step}` };
  for (const [file, expected] of Object.entries(state.files)) {
    const found = await storage.read(`${path}/${file}`);
    if (found === null) return { reason: `${file} is missing` };
    if (found.byteLength !== expected.bytes) {
      return { reason: `${file} has ${found.byteLength} bytes, ${expected.bytes} were written` };
    }
    if (fingerprint(found) !== expected.fingerprint)
      return { reason: `${file} does not match its fingerprint` };
  }
  return { state };
}

/**
 * Finds the newest complete checkpoint, finishes what a crash left half done around it and removes what was never
 * finished; damaged ones are passed over and left where they are. Null if there is none at all.
 */
export async function latestCheckpoint(storage: RunStorage): Promise<FoundCheckpoint | null> {
  const skipped: FoundCheckpoint["skipped"] = [];
  let chosen: { candidate: Candidate; state: StateFile } | null = null;
  const leftovers: string[] = [];
  for (const candidate of await candidates(storage)) {
    if (chosen !== null) {
      if (candidate.suffix !== "") leftovers.push(candidate.path);
      continue;
    }
    const result = await verify(storage, candidate.path);
    if ("state" in result) chosen = { candidate, state: result.state };
    else if (result.reason === null || candidate.suffix !== "") leftovers.push(candidate.path);
    else skipped.push({ path: candidate.path, reason: result.reason });
  }
  if (chosen === null) return null;
  for (const path of leftovers) await discard(storage, path);
  const { candidate, state } = chosen;
  let { path } = candidate;
  const settled = path.slice(0, path.length - candidate.suffix.length);
  if (candidate.suffix !== "" && storage.renamesFolders) {
    // What still has the settled name was found damaged above; this is the same step, whole.
    await discard(storage, settled);
    await storage.rename(path, settled);
    path = settled;
  }
  return { path, state: loopState(state), skipped: skipped.filter((damaged) => damaged.path !== path) };
}

/** The newest complete checkpoint by looking only, for who reads a run that may be training; null if there is none. */
export async function newestCheckpoint(
  storage: RunStorage,
): Promise<Pick<FoundCheckpoint, "path" | "state"> | null> {
  for (const { path } of await candidates(storage)) {
    const result = await verify(storage, path);
    if ("state" in result) return { path, state: loopState(result.state) };
  }
  return null;
}

function loopState({ complete: _complete, files: _files, ...state }: StateFile): CheckpointState {
  return state;
}

/**
 * Reads a checkpoint's moments.
 * @throws DataError `runs/no-moments` if it was written without an optimiser
 */
export async function readMoments(
  storage: RunStorage,
  path: string,
): Promise<{ m: Map<string, Float32Array>; v: Map<string, Float32Array> }> {
  const bytes = await storage.read(`${path}/${optimizerFile}`);
  if (bytes === null) {
    throw new DataError("runs/no-moments", `Cannot go on from ${path}: it has no ${optimizerFile}`, {
      hint: "Start a new run from its weights with --model",
    });
  }
  const moments = { m: new Map<string, Float32Array>(), v: new Map<string, Float32Array>() };
  for (const [name, tensor] of parseSafetensors(bytes).tensors) {
    const kind = name.slice(0, 2) === "v." ? "v" : "m";
    moments[kind].set(name.slice(2), toFloat32(tensor));
  }
  return moments;
}
