/**
 * Chooses how weights travel: the board where memory may be shared, transferred buffers elsewhere. The thread that starts
 * the workers makes one exchange and posts each worker its handle.
 */
import type { WeightReader, WeightWriter } from "./api.ts";
import {
  canShareMemory,
  createBoard,
  openReader,
  openWriter,
  releaseReader,
  type WeightBoardHandle,
} from "./board.ts";
import {
  createTransferHub,
  openTransferReader,
  openTransferWriter,
  type TransferHandle,
} from "./transfer.ts";

/** What a worker needs to open its end; post it with `weightTransferables(handle)` as transfer list. */
export type WeightHandle = { kind: "board"; board: WeightBoardHandle; reader: number } | TransferHandle;

export interface WeightExchange {
  /** False where the page is not cross-origin isolated: versions are then copied, and the page should say so. */
  readonly shared: boolean;
  /** For the writer, also for one that takes over after a death. */
  writerHandle(): WeightHandle;
  /** For reader `index`, also for one that takes over after a death: a lease left behind is freed. */
  readerHandle(index: number): WeightHandle;
  close(): void;
}

/** Makes the exchange for payloads of `byteLength` bytes; `shared` overrides the choice in tests. */
export function createWeightExchange(options: {
  byteLength: number;
  readers: number;
  shared?: boolean;
}): WeightExchange {
  const { byteLength, readers, shared = canShareMemory() } = options;
  if (!shared) return { shared, ...createTransferHub({ byteLength, readers }) };
  const board = createBoard({ byteLength, readers });
  return {
    shared,
    writerHandle: () => ({ kind: "board", board, reader: -1 }),
    readerHandle: (reader) => {
      releaseReader(board, reader);
      return { kind: "board", board, reader };
    },
    close: () => undefined,
  };
}

/** The ports a handle must take along when it is posted. */
export function weightTransferables(handle: WeightHandle): Transferable[] {
  return handle.kind === "transfer" ? [handle.port] : [];
}

export function openWeightWriter(handle: WeightHandle): WeightWriter {
  return handle.kind === "board" ? openWriter(handle.board) : openTransferWriter(handle);
}

export function openWeightReader(handle: WeightHandle, options: { verify?: boolean } = {}): WeightReader {
  return handle.kind === "board"
    ? openReader(handle.board, handle.reader, options)
    : openTransferReader(handle, options);
}
