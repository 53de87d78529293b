/**
 * Weight versions by transferred buffers, for pages that may not share memory: the same writer and reader as the board's.
 * A hub on the thread that starts the workers passes the newest version on: a version moves from the writer to the hub
 * and is copied once for each reader. A reader is sent the next one only when it has taken the last, so nothing piles up.
 */
import { WorkerError } from "../errors.ts";
import type { PublishedVersion, WeightReader, WeightWriter } from "./api.ts";
import { fingerprint } from "./fingerprint.ts";

/** One end of the exchange; its port must be in the transfer list when it is posted. */
export interface TransferHandle {
  kind: "transfer";
  byteLength: number;
  /** The newest version when the end was made. */
  version: number;
  port: MessagePort;
}

/** A version on its way. */
interface VersionMessage extends PublishedVersion {
  kind: "version";
  buffer: ArrayBuffer;
}
/** Gives a buffer back to be filled again; to the hub it also says: ready for the next. */
interface TakenMessage {
  kind: "taken";
  buffer: ArrayBuffer | null;
}
type TransferMessage = VersionMessage | TakenMessage;

export interface TransferHub {
  /** A writing end; the former one is cut off. */
  writerHandle(): TransferHandle;
  /** A reading end for this index; the former one is cut off. */
  readerHandle(index: number): TransferHandle;
  close(): void;
}

/** Makes the hub; it must live as long as the run, on a thread that is not blocked for long. */
export function createTransferHub(options: { byteLength: number; readers: number }): TransferHub {
  const { byteLength } = options;
  interface ReaderEnd {
    port: MessagePort;
    /** The version last sent; a reader that has not taken it yet gets no other. */
    sent: number;
    isReady: boolean;
    /** A buffer the reader gave back. */
    spare: ArrayBuffer | null;
  }
  const readers: (ReaderEnd | null)[] = new Array(options.readers).fill(null);
  let writer: MessagePort | null = null;
  let newest: VersionMessage | null = null;

  const serve = (end: ReaderEnd | null) => {
    if (end === null || newest === null || !end.isReady || end.sent >= newest.version) return;
    const buffer = end.spare ?? new ArrayBuffer(byteLength);
    end.spare = null;
    new Uint8Array(buffer).set(new Uint8Array(newest.buffer));
    const message: VersionMessage = { ...newest, buffer };
    end.port.postMessage(message, [buffer]);
    end.isReady = false;
    end.sent = newest.version;
  };
  const onWriter = (event: MessageEvent<TransferMessage>) => {
    if (event.data.kind !== "version") return;
    const spare = newest?.buffer ?? null;
    newest = event.data;
    const reply: TakenMessage = { kind: "taken", buffer: spare };
    (event.target as MessagePort).postMessage(reply, spare ? [spare] : []);
    readers.forEach(serve);
  };
  const open = (listener: (event: MessageEvent<TransferMessage>) => void) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", listener);
    port1.start();
    const handle: TransferHandle = {
      kind: "transfer",
      byteLength,
      version: newest?.version ?? -1,
      port: port2,
    };
    return { port: port1, handle };
  };
  return {
    writerHandle: () => {
      writer?.close();
      const { port, handle } = open(onWriter);
      writer = port;
      return handle;
    },
    readerHandle: (index) => {
      if (!(index in readers))
        throw new RangeError(`The exchange has readers 0 to ${options.readers - 1}, not ${index}`);
      readers[index]?.port.close();
      const end: ReaderEnd = {
        port: undefined as unknown as MessagePort,
        sent: -1,
        isReady: true,
        spare: null,
      };
      const { port, handle } = open((event) => {
        if (event.data.kind !== "taken") return;
        end.isReady = true;
        end.spare = event.data.buffer;
        serve(end);
      });
      end.port = port;
      readers[index] = end;
      serve(end);
      return handle;
    },
    close: () => {
      writer?.close();
      for (const end of readers) end?.port.close();
      readers.fill(null);
      writer = null;
      newest = null;
    },
  };
}

/** Opens the writing end that a worker was given. */
export function openTransferWriter(handle: TransferHandle): WeightWriter {
  const { port, byteLength } = handle;
  const spares: ArrayBuffer[] = [];
  let newest = handle.version;
  let publishing = false;
  port.addEventListener("message", (event: MessageEvent<TransferMessage>) => {
    if (event.data.buffer) spares.push(event.data.buffer);
  });
  port.start();
  const publish = async (version: number, fill: (bytes: Uint8Array) => void | Promise<void>) => {
    if (publishing) throw new TypeError("A version is being published already: await it first");
    if (!Number.isSafeInteger(version) || version <= newest) {
      throw new RangeError(`Cannot publish weight version ${version} after ${newest}: versions must rise`);
    }
    publishing = true;
    try {
      const buffer = spares.pop() ?? new ArrayBuffer(byteLength);
      const bytes = new Uint8Array(buffer);
      await fill(bytes);
      const published = { version, fingerprint: fingerprint(bytes) };
      newest = version;
      const message: VersionMessage = { kind: "version", buffer, ...published };
      port.postMessage(message, [buffer]);
      return published;
    } finally {
      publishing = false;
    }
  };
  return { byteLength, newestVersion: () => newest, publish, close: () => port.close() };
}

/** Opens a reading end that a worker was given. */
export function openTransferReader(handle: TransferHandle, options: { verify?: boolean } = {}): WeightReader {
  const { port, byteLength } = handle;
  const verify = options.verify ?? true;
  let held: VersionMessage | null = null;
  let closed = false;
  const waiters = new Set<() => void>();
  const wakeAll = () => {
    for (const wake of [...waiters]) wake();
  };
  port.addEventListener("message", (event: MessageEvent<TransferMessage>) => {
    if (event.data.kind !== "version") return;
    const spare = held?.buffer ?? null;
    held = event.data;
    const reply: TakenMessage = { kind: "taken", buffer: spare };
    port.postMessage(reply, spare ? [spare] : []);
    wakeAll();
  });
  port.start();
  const newestVersion = () => held?.version ?? -1;
  const read = (copy: (bytes: Uint8Array, version: number) => void): PublishedVersion | null => {
    if (closed) throw new TypeError("This reader of the weights is closed");
    if (held === null) return null;
    const bytes = new Uint8Array(held.buffer);
    const { version } = held;
    const found = verify ? fingerprint(bytes) : held.fingerprint;
    if (found !== held.fingerprint) {
      throw new WorkerError(
        "weights/fingerprint",
        `Read weight version ${version}: its fingerprint is ${found}, published was ${held.fingerprint}`,
        { hint: "Restart the generator; report this if it comes again" },
      );
    }
    copy(bytes, version);
    return { version, fingerprint: found };
  };
  const waitForNewer = (version: number, timeoutMs: number) =>
    new Promise<number | null>((resolve) => {
      if (newestVersion() > version) return resolve(newestVersion());
      const finish = (found: number | null) => {
        clearTimeout(timer);
        waiters.delete(wake);
        resolve(found);
      };
      const wake = () => {
        if (closed) finish(null);
        else if (newestVersion() > version) finish(newestVersion());
      };
      const timer = setTimeout(() => finish(null), timeoutMs);
      waiters.add(wake);
    });
  const close = () => {
    closed = true;
    port.close();
    wakeAll();
  };
  return { byteLength, newestVersion, read, waitForNewer, close };
}
