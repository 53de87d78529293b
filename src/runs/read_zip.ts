/**
 * Reads a zip by its table of contents, one entry at a time, and checks every entry's length and checksum: what comes from
 * elsewhere may be cut or damaged.
 */
import { DataError } from "../errors.ts";

export interface ZipEntry {
  name: string;
  bytes: number;
  /** @throws DataError `zip/damaged` */
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

const END_BYTES = 22;
const LONGEST_COMMENT = 2 ** 16;
const END_MARK = 0x06054b50;
const DIRECTORY_MARK = 0x02014b50;
const LOCAL_MARK = 0x04034b50;
/** An entry that claims to grow by more than deflate can is not unpacked. */
const MOST_GROWTH = 1100;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let word = byte;
  for (let bit = 0; bit < 8; bit++) word = word & 1 ? (word >>> 1) ^ 0xedb88320 : word >>> 1;
  return word;
});

function checksum(bytes: Uint8Array): number {
  let word = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) word = (word >>> 8) ^ CRC_TABLE[(word ^ bytes[i]) & 0xff];
  return ~word >>> 0;
}

async function viewOf(blob: Blob, from: number, to: number): Promise<DataView<ArrayBuffer>> {
  return new DataView(await blob.slice(from, to).arrayBuffer());
}

function damaged(what: string, cause?: unknown): DataError {
  return new DataError("zip/damaged", `Cannot read the zip: ${what}`, {
    hint: "Download or copy it again",
    cause,
  });
}

async function findEnd(zip: Blob): Promise<{ count: number; size: number; offset: number }> {
  const from = Math.max(0, zip.size - END_BYTES - LONGEST_COMMENT);
  const view = await viewOf(zip, from, zip.size);
  for (let at = view.byteLength - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== END_MARK) continue;
    const count = view.getUint16(at + 10, true);
    const size = view.getUint32(at + 12, true);
    const offset = view.getUint32(at + 16, true);
    if (count === 0xffff || offset === 0xffffffff) {
      throw new DataError(
        "zip/too-large",
        "Cannot read the zip: it is larger than 4 GiB or has too many files",
        {
          hint: "Pack the run's folder or the checkpoint alone",
        },
      );
    }
    if (offset + size > from + at) throw damaged("its table of contents is cut");
    return { count, size, offset };
  }
  throw new DataError("zip/not-a-zip", "Cannot read the file: it is no zip, or its end is missing", {
    hint: "Choose the zip of a run or of a model's folder; download it again if it was cut",
  });
}

async function inflate(packed: Uint8Array, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const { inflateSync } = await import("fflate");
  return inflateSync(packed, { out: new Uint8Array(bytes) }) as Uint8Array<ArrayBuffer>;
}

/** The files of a zip, folders left out. @throws DataError `zip/not-a-zip`, `zip/damaged`, `zip/too-large`, `zip/unsupported` */
export async function readZip(zip: Blob): Promise<ZipEntry[]> {
  const end = await findEnd(zip);
  const view = await viewOf(zip, end.offset, end.offset + end.size);
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let k = 0; k < end.count; k++) {
    if (at + 46 > view.byteLength || view.getUint32(at, true) !== DIRECTORY_MARK)
      throw damaged("its table of contents is damaged");
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    const crc = view.getUint32(at + 16, true);
    const packedBytes = view.getUint32(at + 20, true);
    const bytes = view.getUint32(at + 24, true);
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    const offset = view.getUint32(at + 42, true);
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, at + 46, nameLength));
    at += 46 + nameLength + extraLength;
    if (name.endsWith("/")) continue;
    if (flags & 1 || (method !== 0 && method !== 8)) {
      throw new DataError(
        "zip/unsupported",
        `Cannot unpack ${name}: it is encrypted or packed in an unusual way`,
        {
          hint: "Pack the folder again as a plain zip",
        },
      );
    }
    if (bytes > MOST_GROWTH * Math.max(1, packedBytes)) throw damaged(`${name} claims an impossible length`);
    const read = async () => {
      const header = await viewOf(zip, offset, offset + 30);
      if (header.byteLength < 30 || header.getUint32(0, true) !== LOCAL_MARK)
        throw damaged(`${name} is not where it should be`);
      const start = offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
      const packed = new Uint8Array(await zip.slice(start, start + packedBytes).arrayBuffer());
      let unpacked: Uint8Array<ArrayBuffer>;
      try {
        unpacked = method === 0 ? packed : await inflate(packed, bytes);
      } catch (cause) {
        throw damaged(`${name} cannot be unpacked`, cause);
      }
      if (unpacked.length !== bytes || checksum(unpacked) !== crc)
        throw damaged(`${name} does not match its checksum`);
      return unpacked;
    };
    entries.push({ name, bytes, read });
  }
  return entries;
}
