/**
 * A model's folder by its address: range requests, each file whole from servers that ignore ranges. Small parts are read
 * ahead, so that a model of many small tensors needs few requests.
 */
import { DataError } from "../errors.ts";
import type { ModelSource } from "./model_source.ts";

/** Bytes fetched at least, where the file has them. */
const READ_AHEAD = 2 ** 20;

/** Bytes of a file that were fetched, from `at` on; `size` is that of the file. */
interface Fetched {
  name: string;
  at: number;
  bytes: Uint8Array;
  size: number;
}

/** Opens a folder by its address; the web server need not list it. */
export function openModelUrl(address: string): ModelSource {
  const base = address.endsWith("/") ? address : `${address}/`;
  const known = new Set<string>();
  const sizes = new Map<string, number>();
  /** The part fetched last: what was read ahead, or the whole file where the server ignores ranges. */
  let last: Fetched | null = null;

  const unreadable = (name: string, found: string, cause?: unknown) =>
    new DataError("model/unreadable", `Cannot fetch ${base}${name}: ${found}`, {
      hint: "Try again, or download the model and name its folder",
      cause,
    });

  /** The answer and its body; null where there is no such file. A range beyond the end answers 416. */
  const ask = async (name: string, part?: { at: number; room: Uint8Array }) => {
    let response: Response;
    const range = part && { Range: `bytes=${part.at}-${part.at + part.room.byteLength - 1}` };
    try {
      response = await fetch(base + name, { headers: range });
    } catch (cause) {
      throw unreadable(name, "the server cannot be reached", cause);
    }
    // A development server answers unknown paths with its page.
    const isPage = response.headers.get("content-type")?.startsWith("text/html") ?? false;
    const isAbsent = response.status === 404 || (response.ok && isPage);
    const isBeyond = part !== undefined && response.status === 416;
    if (isAbsent || !(response.ok || isBeyond)) {
      await response.body?.cancel();
      if (isAbsent) return null;
      throw unreadable(name, `the server answered ${response.status}`);
    }
    try {
      const bytes =
        part && response.status === 206
          ? await readBody(response, part.room)
          : new Uint8Array(await response.arrayBuffer());
      known.add(name);
      return { response, bytes };
    } catch (cause) {
      throw unreadable(name, cause instanceof RangeError ? cause.message : "the connection was cut", cause);
    }
  };

  /** Fetches what `room` holds, from `at` on. */
  const fetchPart = async (name: string, at: number, room: Uint8Array): Promise<Fetched | null> => {
    const answer = await ask(name, { at, room });
    if (answer === null) return null;
    const { response, bytes } = answer;
    if (response.status === 200) return { name, at: 0, bytes, size: bytes.byteLength };
    const told = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
    if (told?.[1] !== undefined && Number(told[1]) !== at) {
      throw unreadable(name, `byte ${at} was asked for and the server sent from byte ${told[1]} on`);
    }
    // Another origin may hide the header: then the size is asked for apart.
    const size = told ? Number(told[2]) : (sizes.get(name) ?? (await askSize(name)));
    return { name, at, bytes: response.status === 416 ? new Uint8Array(0) : bytes, size };
  };

  /** Fetches from `at` on, and keeps what was not asked for. */
  const readOn = async (name: string, at: number, length: number, room?: Uint8Array) => {
    // Given up first, so that not two are held.
    last = null;
    const isRoom = room !== undefined && length >= READ_AHEAD && room.byteLength >= length;
    const target = isRoom ? room.subarray(0, length) : new Uint8Array(Math.max(length, READ_AHEAD));
    const part = await fetchPart(name, at, target);
    if (part === null) return null;
    sizes.set(name, part.size);
    // The room is the caller's, who writes to it again.
    if (part.bytes.buffer !== room?.buffer) last = part;
    return part;
  };

  const askSize = async (name: string): Promise<number> => {
    const response = await fetch(base + name, { method: "HEAD" }).catch((cause: unknown) => {
      throw unreadable(name, "the server cannot be reached", cause);
    });
    const length = response.headers.get("content-length");
    if (!response.ok || length === null) throw unreadable(name, "the server does not tell its size");
    return Number(length);
  };

  return {
    where: address,
    list: async () => [...known].sort(),
    async read(name) {
      return (await ask(name))?.bytes ?? null;
    },
    size: async (name) => sizes.get(name) ?? (await readOn(name, 0, READ_AHEAD))?.size ?? null,
    async readRange(name, at, length, room) {
      // What was read ahead may hold the whole part, or its beginning.
      const had = last?.name === name && at >= last.at ? last.bytes.subarray(at - last.at) : null;
      const end = Math.min(at + length, sizes.get(name) ?? Number.POSITIVE_INFINITY);
      if (had !== null && had.byteLength >= end - at) return had.subarray(0, Math.max(0, end - at));
      const begun = had?.byteLength ?? 0;
      if (had === null || begun === 0) return within(await readOn(name, at, length, room), at, length);
      const both = room && room.byteLength >= length ? room : new Uint8Array(length);
      both.set(had);
      const rest = within(
        await readOn(name, at + begun, length - begun, both.subarray(begun)),
        at + begun,
        length - begun,
      );
      if (rest === null) return null;
      both.set(rest, begun);
      return both.subarray(0, begun + rest.byteLength);
    },
    handle: { kind: "address", address },
  };
}

/** The fetched bytes from place `at` of the file on. */
const within = (part: Fetched | null, at: number, length: number): Uint8Array | null =>
  part?.bytes.subarray(at - part.at, at + length - part.at) ?? null;

/** Reads a body as it comes, so that no second array of its size is made. @throws RangeError where it is longer */
async function readBody({ body }: Response, room: Uint8Array): Promise<Uint8Array> {
  let done = 0;
  for (const reader = body?.getReader(); reader; ) {
    const { value } = await reader.read();
    if (value === undefined) break;
    if (done + value.byteLength > room.byteLength) {
      await reader.cancel();
      throw new RangeError("more bytes came than were asked for");
    }
    room.set(value, done);
    done += value.byteLength;
  }
  return room.subarray(0, done);
}
