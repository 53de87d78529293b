/** Writes files as a zip, part by part, so that neither a large run nor its zip lies in memory as a whole. */
import type { Zip } from "fflate";
import { DataError } from "../errors.ts";

export interface FileToZip {
  /** Path within the zip. */
  name: string;
  bytes: number;
  /** Milliseconds since 1970. */
  modified: number;
  /** Null: it is gone meanwhile and left out. */
  read(): Promise<Uint8Array | null>;
}

/** Beyond it the format needs an extension that is not written here. */
const LARGEST = 2 ** 32 - 2 ** 24;
/** Bytes that are packed without letting other work of the thread through. */
const PIECE = 2 ** 20;
/** Weights are noise to a packer. */
const isDense = (name: string) => name.endsWith(".safetensors");

const pause = () => new Promise<void>((go) => setTimeout(go));

/** @throws DataError `zip/too-large` */
export async function zipFiles(files: readonly FileToZip[]): Promise<Blob> {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > LARGEST) {
    throw new DataError(
      "zip/too-large",
      `Cannot pack ${(total / 2 ** 30).toFixed(1)} GiB as one zip: 4 GiB are possible`,
      {
        hint: "Download the checkpoint alone",
      },
    );
  }
  const { Zip: ZipStream, ZipDeflate, ZipPassThrough } = await import("fflate");
  const parts: BlobPart[] = [];
  let failure: Error | null = null;
  const zip: Zip = new ZipStream((error, part) => {
    failure ??= error;
    parts.push(part as Uint8Array<ArrayBuffer>);
  });
  for (const { name, modified, read } of files) {
    const bytes = await read();
    if (bytes === null) continue;
    const entry = isDense(name) ? new ZipPassThrough(name) : new ZipDeflate(name, { level: 6 });
    entry.mtime = modified;
    zip.add(entry);
    for (let at = 0; at === 0 || at < bytes.length; at += PIECE) {
      // A copy: what is passed through is kept until the zip is whole, and must not keep shared memory.
      entry.push(bytes.slice(at, at + PIECE), at + PIECE >= bytes.length);
      await pause();
    }
  }
  zip.end();
  if (failure) throw failure;
  return new Blob(parts, { type: "application/zip" });
}
