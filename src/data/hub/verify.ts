/** Whether a stored file is what the hub said it would be. */
import { sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { FileStore } from "../file_store.ts";
import type { HubFile } from "./listing.ts";

/** Bytes hashed at a time. */
const STRIDE = 8 * 2 ** 20;

/** The hash of a stored file, of the kind that the hub gave for it; null where there is no such file. */
export async function hashStored(
  store: FileStore,
  path: string,
  kind: HubFile["hash"]["kind"],
  onBytes: (bytes: number) => void = () => undefined,
): Promise<string | null> {
  const file = await store.open(path);
  if (file === null) return null;
  try {
    const size = await file.size();
    const hash = kind === "sha256" ? sha256.create() : sha1.create();
    // Git hashes a file under a header of its own.
    if (kind === "git") hash.update(new TextEncoder().encode(`blob ${size}\0`));
    for (let at = 0; at < size; at += STRIDE) {
      const bytes = await file.read(at, STRIDE);
      hash.update(bytes);
      onBytes(bytes.byteLength);
    }
    return bytesToHex(hash.digest());
  } finally {
    await file.close();
  }
}
