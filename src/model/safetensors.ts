/**
 * The safetensors file format, read strictly and written aligned: eight bytes of header length, a JSON header, then
 * one block of little-endian values. Whoever holds a file's bytes calls it; it knows no models and no disks.
 */
import { DataError } from "../errors.ts";
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from "./float16.ts";

/** What a tensor of each dtype is seen through; F16 and BF16 as their bits. */
interface ViewOf {
  F64: Float64Array;
  F32: Float32Array;
  F16: Uint16Array;
  BF16: Uint16Array;
  I64: BigInt64Array;
  I32: Int32Array;
  I16: Int16Array;
  I8: Int8Array;
  U64: BigUint64Array;
  U32: Uint32Array;
  U16: Uint16Array;
  U8: Uint8Array;
  BOOL: Uint8Array;
}
export type SafetensorsDtype = keyof ViewOf;
export type SafetensorsView = ViewOf[SafetensorsDtype];

type ViewClass = {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): SafetensorsView;
};
const viewClasses: Record<SafetensorsDtype, ViewClass> = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

export interface SafetensorsTensor {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** The values in row-major order: a view of the file's bytes where alignment allows, else a copy. */
  data(): SafetensorsView;
}

export interface SafetensorsFile {
  readonly metadata: Record<string, string>;
  readonly tensors: Map<string, SafetensorsTensor>;
}

const largestHeader = 100_000_000;

function damaged(what: string, cause?: unknown): DataError {
  return new DataError("safetensors/damaged", `Cannot read the safetensors file: ${what}`, {
    hint: "Fetch or copy the file again; its length should equal that of the source",
    cause,
  });
}

/**
 * Bytes of the JSON header behind the first eight, which are `head`.
 * @param fileBytes size of the whole file
 * @throws DataError `safetensors/damaged`
 */
export function safetensorsHeaderLength(head: Uint8Array, fileBytes: number): number {
  if (head.byteLength < 8 || fileBytes < 8) {
    throw damaged(`it has ${fileBytes} bytes, at least 8 are needed for the header's length`);
  }
  const length = new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true);
  if (length > largestHeader || Number(length) + 8 > fileBytes) {
    throw damaged(`its header claims ${length} bytes and the file has ${fileBytes - 8} after the length`);
  }
  return Number(length);
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  // Decoders refuse shared memory, and a Node Buffer's slice() is a view: the header is copied out.
  const text = new Uint8Array(bytes);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch (cause) {
    throw damaged("its header is not JSON", cause);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw damaged("its header is not a JSON object");
  }
  return header as Record<string, unknown>;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function parseMetadata(value: unknown): Record<string, string> {
  const isText = (entry: unknown) => typeof entry === "string";
  if (typeof value !== "object" || value === null || !Object.values(value).every(isText)) {
    throw damaged("its __metadata__ is not a map of text to text");
  }
  return { ...value } as Record<string, string>;
}

/** What a header says of a tensor. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  /** Its bytes, counted from the data block's first. */
  readonly start: number;
  readonly end: number;
}

function parseEntry(name: string, value: unknown, blockLength: number): SafetensorsEntry {
  const found = (value ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
  if (typeof found.dtype !== "string" || !Object.hasOwn(viewClasses, found.dtype)) {
    const known = Object.keys(viewClasses).join(", ");
    throw new DataError(
      "safetensors/unknown-dtype",
      `Cannot read tensor ${name}: its dtype is ${JSON.stringify(found.dtype)}, one of ${known} is needed`,
      { hint: "Save the model in F32, BF16 or F16; quantised checkpoints are not read" },
    );
  }
  const dtype = found.dtype as SafetensorsDtype;
  if (!Array.isArray(found.shape) || !found.shape.every(isCount)) {
    throw damaged(
      `tensor ${name} has the shape ${JSON.stringify(found.shape)}, whole numbers ≥ 0 are needed`,
    );
  }
  const offsets: unknown = found.data_offsets;
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[0] > offsets[1]) {
    throw damaged(`tensor ${name} has the offsets ${JSON.stringify(offsets)}, [start, end] is needed`);
  }
  const [start, end] = offsets as [number, number];
  if (end > blockLength) {
    throw damaged(
      `tensor ${name} ends at byte ${end} of a data block of ${blockLength} bytes; it is cut short`,
    );
  }
  const shape = found.shape as number[];
  const needed = shape.reduce((product, size) => product * size, viewClasses[dtype].BYTES_PER_ELEMENT);
  if (needed !== end - start) {
    const shown = `${dtype} of shape [${shape.join(", ")}]`;
    throw damaged(`tensor ${name}, ${shown}, has ${end - start} bytes, ${needed} are needed`);
  }
  return { name, dtype, shape, start, end };
}

/**
 * Reads the JSON header alone.
 *
 * Offsets must tile the data block of `blockLength` bytes without gap or overlap, as the format demands.
 * @throws DataError `safetensors/damaged` or `safetensors/unknown-dtype`, naming the tensor
 */
export function parseSafetensorsHeader(
  bytes: Uint8Array,
  blockLength: number,
): { metadata: Record<string, string>; entries: SafetensorsEntry[] } {
  let metadata: Record<string, string> = {};
  const entries: SafetensorsEntry[] = [];
  for (const [name, value] of Object.entries(parseHeader(bytes))) {
    if (name === "__metadata__") metadata = parseMetadata(value);
    else entries.push(parseEntry(name, value, blockLength));
  }
  let covered = 0;
  for (const entry of [...entries].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (entry.start < covered) throw damaged(`tensor ${entry.name} overlaps the one before it`);
    if (entry.start > covered)
      throw damaged(`${entry.start - covered} bytes before tensor ${entry.name} belong to none`);
    covered = entry.end;
  }
  if (covered !== blockLength) throw damaged(`its last ${blockLength - covered} bytes belong to no tensor`);
  return { metadata, entries };
}

/**
 * Reads a safetensors file held in memory.
 * @throws DataError as `parseSafetensorsHeader` does
 */
export function parseSafetensors(file: Uint8Array): SafetensorsFile {
  // A Node Buffer's slice() is a view, not a copy: what follows wants a plain array.
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  const dataStart = 8 + safetensorsHeaderLength(bytes, bytes.byteLength);
  const { metadata, entries } = parseSafetensorsHeader(
    bytes.subarray(8, dataStart),
    bytes.byteLength - dataStart,
  );
  const tensors = new Map<string, SafetensorsTensor>();
  for (const { name, dtype, shape, start, end } of entries) {
    const view = viewClasses[dtype];
    const length = (end - start) / view.BYTES_PER_ELEMENT;
    const byteOffset = bytes.byteOffset + dataStart + start;
    const data = () => {
      if (byteOffset % view.BYTES_PER_ELEMENT === 0) return new view(bytes.buffer, byteOffset, length);
      return new view(bytes.slice(dataStart + start, dataStart + end).buffer, 0, length);
    };
    tensors.set(name, { name, dtype, shape, data });
  }
  return { metadata, tensors };
}

export type FloatDtype = "F64" | "F32" | "F16" | "BF16";

const isFloat = (dtype: SafetensorsDtype): dtype is FloatDtype =>
  ["F64", "F32", "F16", "BF16"].includes(dtype);

/** The tensor's dtype. @throws DataError `safetensors/not-float` if it holds integers */
export function floatDtype({ name, dtype }: Pick<SafetensorsEntry, "name" | "dtype">): FloatDtype {
  if (isFloat(dtype)) return dtype;
  throw new DataError(
    "safetensors/not-float",
    `Cannot read tensor ${name} as floats: its dtype is ${dtype}, F32, F16, BF16 or F64 is needed`,
  );
}

/** Bytes of one value. */
export const dtypeBytes = (dtype: SafetensorsDtype): number => viewClasses[dtype].BYTES_PER_ELEMENT;

/**
 * Widens a tensor of floats to f32 (F64 is rounded); the result is the caller's own to write to.
 * @throws DataError `safetensors/not-float` if it holds integers
 */
export function toFloat32(tensor: SafetensorsTensor): Float32Array {
  const values = tensor.data();
  switch (floatDtype(tensor)) {
    case "F32":
    case "F64":
      return Float32Array.from(values as Float32Array | Float64Array);
    case "F16":
      return fromFloat16(values as Uint16Array);
    case "BF16":
      return fromBfloat16(values as Uint16Array);
  }
}

/**
 * Reads a tensor of integers or booleans as i32.
 * @throws DataError `safetensors/not-integer` if it holds floats or a value that does not fit
 */
export function toInt32(tensor: SafetensorsTensor): Int32Array {
  const refuse = (what: string) =>
    new DataError("safetensors/not-integer", `Cannot read tensor ${tensor.name} as 32-bit integers: ${what}`);
  if (isFloat(tensor.dtype)) throw refuse(`its dtype is ${tensor.dtype}`);
  const values = tensor.data();
  const result = new Int32Array(values.length);
  for (let index = 0; index < values.length; index += 1) {
    const value = Number(values[index]);
    result[index] = value;
    if (result[index] !== value) throw refuse(`entry ${index} is ${values[index]}`);
  }
  return result;
}

export interface WritableTensor {
  dtype: "F32" | "F16" | "BF16" | "I32" | "F64";
  shape: readonly number[];
  /** Values; for F16 and BF16 either values to round or a Uint16Array of bits. */
  data: Float32Array | Float64Array | Int32Array | Uint16Array | readonly number[];
}

function encode(name: string, tensor: WritableTensor): Uint8Array {
  const { dtype, shape, data } = tensor;
  const count = shape.reduce((product, size) => product * size, 1);
  if (data.length !== count) {
    throw new RangeError(
      `Tensor ${name} of shape [${shape.join(", ")}] needs ${count} values and got ${data.length}`,
    );
  }
  const isHalf = dtype === "F16" || dtype === "BF16";
  if (data instanceof Uint16Array && !isHalf)
    throw new TypeError(`Tensor ${name}: bits of 16 cannot fill a ${dtype}`);
  let values: Float32Array | Float64Array | Int32Array | Uint16Array;
  if (isHalf && data instanceof Uint16Array) values = data;
  else if (isHalf) {
    const floats = data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number>);
    values = dtype === "F16" ? toFloat16(floats) : toBfloat16(floats);
  } else if (dtype === "F32") values = data instanceof Float32Array ? data : Float32Array.from(data);
  else if (dtype === "F64") values = data instanceof Float64Array ? data : Float64Array.from(data);
  else values = data instanceof Int32Array ? data : Int32Array.from(data);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/**
 * Writes tensors as a safetensors file: widest dtype first, then by name, so that every tensor is aligned and the same
 * tensors always give the same bytes.
 * @throws RangeError if a tensor's values do not fill its shape
 */
export function writeSafetensors(
  tensors: Record<string, WritableTensor>,
  metadata: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  const widthOf = (name: string) => dtypeBytes(tensors[name].dtype);
  const names = Object.keys(tensors).sort((a, b) => widthOf(b) - widthOf(a) || (a < b ? -1 : 1));
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [["__metadata__", metadata]] : [];
  const blocks: Uint8Array[] = [];
  let end = 0;
  for (const name of names) {
    const block = encode(name, tensors[name]);
    const { dtype, shape } = tensors[name];
    header.push([name, { dtype, shape: [...shape], data_offsets: [end, end + block.byteLength] }]);
    blocks.push(block);
    end += block.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerLength = Math.ceil(text.byteLength / 8) * 8;
  const file = new Uint8Array(8 + headerLength + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.fill(0x20, 8, 8 + headerLength);
  file.set(text, 8);
  let offset = 8 + headerLength;
  for (const block of blocks) {
    file.set(block, offset);
    offset += block.byteLength;
  }
  return file;
}
