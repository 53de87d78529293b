/**
 * Parquet files as rows of plain values: 64-bit integers as numbers, byte columns as text, times as ISO text. The reader
 * and the decompressors are loaded on first use. Takes bytes, so it runs in the browser.
 */
import type { AsyncBuffer, Compressors, FileMetaData } from "hyparquet";
import { DataError } from "../errors.ts";
import type { NumberedRow, RowsRead } from "./rows.ts";

/** A whole file in memory, or one of which pieces can be read. */
export type FileContent = Uint8Array | ArrayBuffer | Blob;

const MAGIC = "PAR1";
/** Codecs that the reader itself decompresses. */
const OWN_CODECS = ["UNCOMPRESSED", "SNAPPY"];

/** Tells a Parquet file from text by its first bytes. */
export async function isParquet(content: FileContent): Promise<boolean> {
  return new TextDecoder("latin1").decode(await sliceOf(content, 0, MAGIC.length)) === MAGIC;
}

async function sliceOf(content: FileContent, from: number, to?: number): Promise<ArrayBuffer> {
  if (content instanceof Blob) return content.slice(from, to).arrayBuffer();
  if (content instanceof ArrayBuffer) return content.slice(from, to);
  // Node's Buffer is a Uint8Array whose own `slice` copies nothing.
  return new Uint8Array(content.subarray(from, to)).buffer;
}

function refuse(file: string | undefined, found: string, cause: unknown): DataError {
  return new DataError("data/bad-file", `Cannot read ${file ?? "the data"} as Parquet: ${found}`, {
    hint: "Fetch or write the file again; it is cut, damaged or not a Parquet file.",
    cause,
  });
}

const reasonOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause));

/** Decompressors for what the file was compressed with, where the reader lacks them. */
async function compressorsFor(metadata: FileMetaData): Promise<Compressors | undefined> {
  const chunks = metadata.row_groups.flatMap(({ columns }) => columns);
  if (chunks.every(({ meta_data: chunk }) => OWN_CODECS.includes(chunk?.codec ?? OWN_CODECS[0])))
    return undefined;
  const { compressors } = await import("hyparquet-compressors");
  return compressors;
}

/** Bytes as text where they are text; else as they are, so that only a row that needs them is refused. */
function textOrBytes(bytes: Uint8Array): string {
  if (!bytes) return bytes;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes as unknown as string; // The reader's type promises text, the column may hold a picture.
  }
}

/** A value as JSON would have it. Integers beyond 2⁵³ become their digits, since a number would round them. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as Iterable<unknown>, plain);
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
}

/**
 * Reads all rows, one row group after another.
 * @throws DataError `data/bad-file` for a file that is no Parquet file, is cut or damaged; it names the rows
 */
export async function readParquet(content: FileContent, file?: string): Promise<RowsRead> {
  const { parquetMetadataAsync, parquetReadObjects } = await import("hyparquet");
  const byteLength = content instanceof Blob ? content.size : content.byteLength;
  const buffer: AsyncBuffer = { byteLength, slice: (from, to) => sliceOf(content, from, to) };
  const options = { geoparquet: false, parsers: { stringFromBytes: textOrBytes } };
  let metadata: FileMetaData;
  let compressors: Compressors | undefined;
  try {
    metadata = await parquetMetadataAsync(buffer, options);
    compressors = await compressorsFor(metadata);
  } catch (cause) {
    throw refuse(file, reasonOf(cause), cause);
  }
  const rows: NumberedRow[] = [];
  for (const group of metadata.row_groups) {
    const rowStart = rows.length;
    const rowEnd = rowStart + Number(group.num_rows);
    try {
      const read = await parquetReadObjects({
        file: buffer,
        metadata,
        compressors,
        rowStart,
        rowEnd,
        ...options,
      });
      if (read.length !== rowEnd - rowStart)
        throw new TypeError(`${read.length} of ${rowEnd - rowStart} rows are there`);
      for (const row of read) rows.push({ at: rows.length + 1, row: plain(row) as NumberedRow["row"] });
    } catch (cause) {
      throw refuse(file, `rows ${rowStart + 1} to ${rowEnd} are damaged (${reasonOf(cause)})`, cause);
    }
  }
  return { unit: "row", rows, bad: [] };
}
