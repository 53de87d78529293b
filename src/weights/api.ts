/**
 * How weight versions travel from the trainer to the generators: what other stages may use of it. Versions are whole numbers
 * from 0 up that only rise, also across restarts of the trainer; -1 stands for "none yet".
 */

export interface PublishedVersion {
  version: number;
  /** Sixteen hexadecimal digits over the payload's bytes: equal at the trainer and at every generator. */
  fingerprint: string;
}

export interface WeightWriter {
  /** Bytes of every version's payload. */
  readonly byteLength: number;
  newestVersion(): number;
  /**
   * Has a version's payload filled in and publishes it; waits at most for one reader's copy.
   * @throws RangeError if the version does not rise; whatever `fill` throws (nothing is published then)
   */
  publish(version: number, fill: (bytes: Uint8Array) => void | Promise<void>): Promise<PublishedVersion>;
  close(): void;
}

export interface WeightReader {
  readonly byteLength: number;
  newestVersion(): number;
  /**
   * Shows the newest whole version to `copy`, which must take it before it returns; null if there is none yet.
   * @throws WorkerError `weights/fingerprint` if the bytes are not those that were published
   */
  read(copy: (bytes: Uint8Array, version: number) => void): PublishedVersion | null;
  /** Waits for a version above `version`; the newest one, or null if the time passed without any. */
  waitForNewer(version: number, timeoutMs: number): Promise<number | null>;
  close(): void;
}

export {
  createWeightExchange,
  openWeightReader,
  openWeightWriter,
  type WeightExchange,
  type WeightHandle,
} from "./exchange.ts";
export {
  type PayloadFormat,
  type PayloadLayout,
  packShard,
  shardPayload,
  unpackShards,
} from "./payload.ts";
