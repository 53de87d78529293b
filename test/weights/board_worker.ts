/** A writer or a reader of the weight board under stress, driven by stress.gpu.test.ts. */
import { serve } from "../../src/rpc/connect.ts";
import { openReader, openWriter, type WeightBoardHandle } from "../../src/weights/board.ts";

export interface WriterReport {
  fingerprints: string[];
  longestWaitMs: number;
  totalMs: number;
}
export interface ReaderReport {
  reads: { version: number; fingerprint: string }[];
  /** Reads whose words were not all of one version, or whose version did not rise. */
  broken: string[];
}
export interface BoardApi {
  write(handle: WeightBoardHandle, from: number, to: number): Promise<WriterReport>;
  readUntil(handle: WeightBoardHandle, index: number, last: number): Promise<ReaderReport>;
  /** Takes a lease and never returns. */
  dieHolding(handle: WeightBoardHandle, index: number, leased: Int32Array): void;
}

const api: BoardApi = {
  write: async (handle, from, to) => {
    const writer = openWriter(handle);
    const fingerprints: string[] = [];
    let longestWaitMs = 0;
    const start = performance.now();
    for (let version = from; version <= to; version += 1) {
      const before = performance.now();
      const published = await writer.publish(version, (bytes) => {
        longestWaitMs = Math.max(longestWaitMs, performance.now() - before);
        const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
        for (let index = 0; index < words.length; index += 1) words[index] = version * 7919 + index;
      });
      fingerprints.push(published.fingerprint);
    }
    return { fingerprints, longestWaitMs, totalMs: performance.now() - start };
  },
  readUntil: async (handle, index, last) => {
    const reader = openReader(handle, index);
    const reads: ReaderReport["reads"] = [];
    const broken: string[] = [];
    const copied = new Int32Array(handle.byteLength / 4);
    for (let version = -1; version < last; ) {
      if ((await reader.waitForNewer(version, 10_000)) === null) {
        broken.push(`no version after ${version} for 10 s`);
        break;
      }
      const read = reader.read((bytes) => {
        copied.set(new Int32Array(bytes.buffer, bytes.byteOffset, copied.length));
      });
      if (read === null || read.version <= version) {
        broken.push(`read ${read?.version} after ${version}`);
        break;
      }
      const torn = copied.findIndex((word, at) => word !== read.version * 7919 + at);
      if (torn >= 0) broken.push(`version ${read.version} is torn at word ${torn}`);
      reads.push(read);
      version = read.version;
    }
    reader.close();
    return { reads, broken };
  },
  dieHolding: (handle, index, leased) => {
    openReader(handle, index).read(() => {
      Atomics.add(leased, 0, 1);
      Atomics.notify(leased, 0);
      for (;;) Atomics.wait(leased, 0, 1);
    });
  },
};

serve(api);
