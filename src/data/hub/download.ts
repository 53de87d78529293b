/**
 * Brings files of the hub into a store: in ranges, several at once, and from where an earlier attempt was cut. A file is
 * written beside its place as `NAME.part`, with a journal of the ranges it has, checked, and then moved: a name without
 * `.part` is a whole and right file.
 */
import { DataError } from "../../errors.ts";
import { type FileStore, readText, type StoredFile, writeText } from "../file_store.ts";
import { type HubFile, type HubListing, type HubOptions, hubError, type RepoKind } from "./listing.ts";
import { hashStored } from "./verify.ts";

export interface DownloadProgress {
  phase: "download" | "verify";
  /** Over all files. */
  doneBytes: number;
  totalBytes: number;
  file: string;
}

export interface DownloadOptions extends HubOptions {
  signal?: AbortSignal;
  onProgress?(progress: DownloadProgress): void;
  /** Ranges fetched at a time. */
  parallel?: number;
  /** Bytes of a range. */
  rangeBytes?: number;
  /** Milliseconds before the second attempt at a range; doubled for each further one. */
  patienceMs?: number;
}

const ATTEMPTS = 4;
const HUB = "https://huggingface.co";

/** The journal of a file on its way. */
interface Journal {
  hash: string;
  size: number;
  rangeBytes: number;
  /** Numbers of the ranges that are on file. */
  ranges: number[];
}

interface FileJob {
  kind: RepoKind | undefined;
  file: HubFile;
  store: FileStore;
  path: string;
  address: string;
  options: DownloadOptions;
  report(phase: DownloadProgress["phase"], bytes: number): void;
}

/**
 * Downloads what a store does not have yet, below `folder`; returns the bytes that were fetched.
 * @throws DataError `hub/*` for what the hub answers, `runs/disk-full` and its kin; what is there stays for the next try
 */
export async function downloadFiles(
  listing: HubListing,
  store: FileStore,
  folder: string,
  options: DownloadOptions = {},
): Promise<number> {
  const totalBytes = listing.files.reduce((sum, { size }) => sum + size, 0);
  const { kind } = listing;
  const folderOfKind = kind === "dataset" ? "datasets/" : "";
  const base = `${options.hubUrl ?? HUB}/${folderOfKind}${listing.id}/resolve/${encodeURIComponent(listing.commit)}`;
  let before = 0;
  let fetched = 0;
  for (const file of listing.files) {
    const path = `${folder}/${file.path}`;
    const report: FileJob["report"] = (phase, bytes) =>
      options.onProgress?.({ phase, doneBytes: before + bytes, totalBytes, file: file.path });
    const address = `${base}/${file.path.split("/").map(encodeURIComponent).join("/")}`;
    if ((await store.sizeOf(path)) !== file.size)
      fetched += await downloadFile({ kind, file, store, path, address, options, report });
    before += file.size;
    report("download", 0);
  }
  return fetched;
}

/** Returns the bytes that were fetched. */
async function downloadFile(job: FileJob): Promise<number> {
  const { file, store, path, report } = job;
  const part = `${path}.part`;
  const journal = await openJournal(job, part);
  const target = await store.open(part, { create: true });
  if (target === null) throw new TypeError(`${store.where} did not make ${part}`);
  let fetched: number;
  try {
    fetched = await fetchRanges(job, target, journal, `${part}.json`);
  } finally {
    await target.close();
  }
  const found = await hashStored(store, part, file.hash.kind, (bytes) => report("verify", bytes));
  if (found !== file.hash.hex) {
    // Nothing of it can be trusted, so the next attempt starts anew.
    await store.remove(`${part}.json`);
    await store.remove(part);
    throw new DataError(
      "hub/wrong-hash",
      `Downloaded ${file.path}: its ${file.hash.kind === "git" ? "git hash" : "SHA-256"} is ${found}, the hub promised ${file.hash.hex}`,
      { hint: "Try again; if it happens twice, something between here and the hub changes files" },
    );
  }
  await store.move(part, path);
  await store.remove(`${part}.json`);
  return fetched;
}

/** What an earlier attempt at this very file has left, or an empty journal. */
async function openJournal({ file, store, options }: FileJob, part: string): Promise<Journal> {
  const fresh: Journal = {
    hash: file.hash.hex,
    size: file.size,
    rangeBytes: options.rangeBytes ?? 8 * 2 ** 20,
    ranges: [],
  };
  const text = await readText(store, `${part}.json`);
  if (text === null) return fresh;
  try {
    const left = JSON.parse(text) as Journal;
    const usable = left.hash === fresh.hash && left.size === fresh.size && Array.isArray(left.ranges);
    return usable && (await store.sizeOf(part)) !== null ? left : fresh;
  } catch {
    return fresh;
  }
}

/** Fetches the ranges that are missing; each is on file before the journal names it. */
async function fetchRanges(
  job: FileJob,
  target: StoredFile,
  journal: Journal,
  journalPath: string,
): Promise<number> {
  const { file, store, options, report } = job;
  const { size, rangeBytes } = journal;
  const lengthOf = (range: number) => Math.min(rangeBytes, size - range * rangeBytes);
  const had = new Set(journal.ranges);
  const missing = Array.from({ length: Math.ceil(size / rangeBytes) }, (_, range) => range).filter(
    (range) => !had.has(range),
  );
  const kept = journal.ranges.reduce((sum, range) => sum + lengthOf(range), 0);
  let received = kept;
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  let saving: Promise<void> = Promise.resolve();
  const worker = async () => {
    for (let range = missing.shift(); range !== undefined; range = missing.shift()) {
      const from = range * rangeBytes;
      const done = range;
      const bytes = await fetchRange(job, from, lengthOf(range), signal);
      await target.write(from, bytes);
      saving = saving.then(async () => {
        await target.flush();
        journal.ranges.push(done);
        await writeText(store, journalPath, JSON.stringify(journal));
      });
      await saving;
      received += bytes.byteLength;
      report("download", received);
    }
  };
  const workers = Array.from({ length: Math.max(1, options.parallel ?? 4) }, () =>
    worker().catch((error: unknown) => {
      stop.abort(error);
      throw error;
    }),
  );
  const settled = await Promise.allSettled(workers);
  options.signal?.throwIfAborted();
  const failed = settled.find(({ status }) => status === "rejected") as PromiseRejectedResult | undefined;
  if (failed) throw hubError(`download ${file.path}`, stop.signal.reason ?? failed.reason, options, job.kind);
  return received - kept;
}

/** One range, asked for again a few times where the network or the hub fails for a moment. */
async function fetchRange(
  { address, file, options }: FileJob,
  from: number,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { token, patienceMs = 500 } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await (options.fetch ?? fetch)(address, {
        headers: {
          Range: `bytes=${from}-${from + length - 1}`,
          ...(token ? { Authorization: `Bearer ${token}` } : {}),
        },
        signal,
      });
      if (!response.ok) throw new AnswerError(response.status);
      const bytes = new Uint8Array(await response.arrayBuffer());
      // A server without ranges sends the whole file.
      const wanted =
        response.status === 200 && bytes.byteLength === file.size
          ? bytes.subarray(from, from + length)
          : bytes;
      if (wanted.byteLength !== length) throw new TypeError(`${wanted.byteLength} of ${length} bytes came`);
      return wanted;
    } catch (error) {
      signal.throwIfAborted();
      const lasting = error instanceof AnswerError && error.status < 500 && error.status !== 429;
      if (lasting || attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, patienceMs * 2 ** (attempt - 1)));
    }
  }
}

/** An answer other than the bytes that were asked for. */
class AnswerError extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`the answer was ${status}`);
    this.status = status;
  }
}
