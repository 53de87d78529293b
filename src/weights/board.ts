/**
 * The weight board: three slots in shared memory, one writer, many readers. The writer fills a slot that is neither the
 * newest nor leased; readers lease the newest for the length of one copy. The trainer and the generators each open an end
 * of it; it knows nothing of what the bytes mean.
 *
 * Why no read is torn: a reader writes its lease, then looks again whether that slot is still the newest. If so, the
 * writer, who looks at the leases only after publishing another slot, will see the lease; if not, the reader tries again.
 * Why the writer waits for one copy at most: only the newest slot can be leased anew, so old leases only run out.
 */
import { WorkerError } from "../errors.ts";
import type { PublishedVersion, WeightReader, WeightWriter } from "./api.ts";
import { type FingerprintLanes, fingerprintLanes, fingerprintText } from "./fingerprint.ts";

/** Plain and cloneable: posting it to a worker shares the memory. */
export interface WeightBoardHandle {
  kind: "board";
  byteLength: number;
  readers: number;
  control: SharedArrayBuffer;
  slots: SharedArrayBuffer[];
}

const slotCount = 3;
/** Control words: newest (version · 4 + slot, or -1), count of released leases, two fingerprint lanes a slot, leases. */
const newestWord = 0;
const releaseWord = 1;
const laneWord = 2;
const leaseWord = laneWord + 2 * slotCount;
const noLease = -1;
/** The newest word keeps two bits for the slot. */
export const highestVersion = 2 ** 29 - 1;

/** Whether this thread may share memory: always under Deno and Node, in pages only when cross-origin isolated. */
export function canShareMemory(): boolean {
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated;
  return typeof SharedArrayBuffer !== "undefined" && isolated !== false;
}

/**
 * Makes a board for payloads of a fixed size and a fixed number of readers.
 * @throws RangeError for sizes that are not whole numbers of at least 1
 */
export function createBoard(options: { byteLength: number; readers: number }): WeightBoardHandle {
  const { byteLength, readers } = options;
  for (const [name, value] of Object.entries({ byteLength, readers })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError(`A weight board's ${name} cannot be ${value}`);
  }
  const control = new SharedArrayBuffer(4 * (leaseWord + readers));
  const words = new Int32Array(control);
  words[newestWord] = -1;
  words.fill(noLease, leaseWord);
  const slots = Array.from({ length: slotCount }, () => new SharedArrayBuffer(byteLength));
  return { kind: "board", byteLength, readers, control, slots };
}

interface Newest {
  word: number;
  version: number;
  slot: number;
}

function loadNewest(words: Int32Array): Newest {
  const word = Atomics.load(words, newestWord);
  return { word, version: word >> 2, slot: word & 3 };
}

/** Waits until a control word is no longer `value`, or the time has passed. */
async function waitForChange(
  words: Int32Array,
  index: number,
  value: number,
  timeoutMs: number,
): Promise<void> {
  if (typeof Atomics.waitAsync === "function") {
    const wait = Atomics.waitAsync(words as Int32Array<SharedArrayBuffer>, index, value, timeoutMs);
    if (wait.async) await wait.value;
    return;
  }
  const end = performance.now() + timeoutMs;
  while (Atomics.load(words, index) === value && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function isLeased(words: Int32Array, slot: number): boolean {
  for (let index = leaseWord; index < words.length; index += 1) {
    if (Atomics.load(words, index) === slot) return true;
  }
  return false;
}

/** Milliseconds between two looks at the leases of readers that may have died without a word. */
const recheckMs = 1000;

async function takeFreeSlot(words: Int32Array): Promise<number> {
  for (;;) {
    // Read before the leases: a release between the two looks changes it and the wait ends at once.
    const releases = Atomics.load(words, releaseWord);
    const newest = loadNewest(words);
    for (let slot = 0; slot < slotCount; slot += 1) {
      const isNewest = newest.word !== -1 && slot === newest.slot;
      if (!isNewest && !isLeased(words, slot)) return slot;
    }
    await waitForChange(words, releaseWord, releases, recheckMs);
  }
}

/** Opens the board's one writing end; after a writer's death a new one goes on where it stood. */
export function openWriter(handle: WeightBoardHandle): WeightWriter {
  const words = new Int32Array(handle.control);
  let publishing = false;
  const newestVersion = () => loadNewest(words).version;
  const publish = async (
    version: number,
    fill: (bytes: Uint8Array) => void | Promise<void>,
  ): Promise<PublishedVersion> => {
    if (publishing) throw new TypeError("A version is being published already: await it first");
    if (!Number.isSafeInteger(version) || version <= newestVersion() || version > highestVersion) {
      throw new RangeError(
        `Cannot publish weight version ${version} after ${newestVersion()}: versions must rise`,
      );
    }
    publishing = true;
    try {
      const slot = await takeFreeSlot(words);
      const bytes = new Uint8Array(handle.slots[slot]);
      await fill(bytes);
      const lanes = fingerprintLanes(bytes);
      Atomics.store(words, laneWord + 2 * slot, lanes.low);
      Atomics.store(words, laneWord + 2 * slot + 1, lanes.high);
      Atomics.store(words, newestWord, version * 4 + slot);
      Atomics.notify(words, newestWord);
      return { version, fingerprint: fingerprintText(lanes) };
    } finally {
      publishing = false;
    }
  };
  return { byteLength: handle.byteLength, newestVersion, publish, close: () => undefined };
}

function leaseOf(handle: WeightBoardHandle, readerIndex: number): number {
  if (!Number.isInteger(readerIndex) || readerIndex < 0 || readerIndex >= handle.readers) {
    throw new RangeError(`The weight board has readers 0 to ${handle.readers - 1}, not ${readerIndex}`);
  }
  return leaseWord + readerIndex;
}

/** Frees the lease of a reader that is known to be dead, from any thread. */
export function releaseReader(handle: WeightBoardHandle, readerIndex: number): void {
  const words = new Int32Array(handle.control);
  Atomics.store(words, leaseOf(handle, readerIndex), noLease);
  Atomics.add(words, releaseWord, 1);
  Atomics.notify(words, releaseWord);
}

/** Opens one reading end; each index is held by one reader at a time. */
export function openReader(
  handle: WeightBoardHandle,
  readerIndex: number,
  options: { verify?: boolean } = {},
): WeightReader {
  const verify = options.verify ?? true;
  const words = new Int32Array(handle.control);
  const lease = leaseOf(handle, readerIndex);
  let closed = false;

  const takeLease = (): Newest | null => {
    for (;;) {
      const newest = loadNewest(words);
      if (newest.word === -1) return null;
      Atomics.store(words, lease, newest.slot);
      if (Atomics.load(words, newestWord) === newest.word) return newest;
    }
  };
  const newestVersion = () => loadNewest(words).version;
  const read = (copy: (bytes: Uint8Array, version: number) => void): PublishedVersion | null => {
    if (closed) throw new TypeError("This reader of the weight board is closed");
    const leased = takeLease();
    if (leased === null) return null;
    try {
      const bytes = new Uint8Array(handle.slots[leased.slot]);
      const published: FingerprintLanes = {
        low: Atomics.load(words, laneWord + 2 * leased.slot),
        high: Atomics.load(words, laneWord + 2 * leased.slot + 1),
      };
      if (verify) {
        const found = fingerprintLanes(bytes);
        if (found.low !== published.low || found.high !== published.high) {
          throw new WorkerError(
            "weights/fingerprint",
            `Read weight version ${leased.version}: its fingerprint is ${fingerprintText(found)}, published was ${fingerprintText(published)}`,
            { hint: "Something else writes to the weight board's memory; report this" },
          );
        }
      }
      copy(bytes, leased.version);
      return { version: leased.version, fingerprint: fingerprintText(published) };
    } finally {
      releaseReader(handle, readerIndex);
    }
  };
  const waitForNewer = async (version: number, timeoutMs: number): Promise<number | null> => {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const newest = loadNewest(words);
      if (newest.version > version) return newest.version;
      const left = end - performance.now();
      if (left <= 0 || closed) return null;
      await waitForChange(words, newestWord, newest.word, Math.min(left, recheckMs));
    }
  };
  const close = () => {
    if (closed) return;
    closed = true;
    releaseReader(handle, readerIndex);
    // Wakes this reader's waits; the others look again and wait on.
    Atomics.notify(words, newestWord);
  };
  return { byteLength: handle.byteLength, newestVersion, read, waitForNewer, close };
}
