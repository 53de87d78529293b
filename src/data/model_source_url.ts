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
  const ask = async (name: string, range?: string) => {
    let response: Response;
    try {
      response = await fetch(base + name, range === undefined ? undefined : { headers: { Range: range } });
    } catch (cause) {
      throw unreadable(name, "the server cannot be reached", cause);
    }
    // A development server answers unknown paths with its page.
    const isPage = response.headers.get("content-type")?.startsWith("text/html") ?? false;
    const isAbsent = response.status === 404 || (response.ok && isPage);
    const isBeyond = range !== undefined && response.status === 416;
    if (isAbsent || !(response.ok || isBeyond)) {
      await response.body?.cancel();
      if (isAbsent) return null;
      throw unreadable(name, `the server answered ${response.status}`);
    }
    try {
      const bytes = new Uint8Array(await response.arrayBuffer());
      known.add(name);
      return { response, bytes };
    } catch (cause) {
      throw unreadable(name, "the connection was cut", cause);
    }
  };

  /** Fetches from `at` on and keeps it. */
  const fetchPart = async (name: string, at: number, length: number): Promise<Fetched | null> => {
    // Given up first, so that not two are held.
    last = null;
    const answer = await ask(name, `bytes=${at}-${at + Math.max(length, READ_AHEAD) - 1}`);
    if (answer === null) return null;
    const { response, bytes } = answer;
    if (response.status === 200) last = { name, at: 0, bytes, size: bytes.byteLength };
    else {
      const told = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
      if (told?.[1] !== undefined && Number(told[1]) !== at) {
        throw unreadable(name, `byte ${at} was asked for and the server sent from byte ${told[1]} on`);
      }
      // Another origin may hide the header: then the size is asked for apart.
      const size = told ? Number(told[2]) : await askSize(name);
      last = { name, at, bytes: response.status === 416 ? new Uint8Array(0) : bytes, size };
    }
    sizes.set(name, last.size);
    return last;
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
    size: async (name) => sizes.get(name) ?? (await fetchPart(name, 0, READ_AHEAD))?.size ?? null,
    async readRange(name, at, length) {
      // What was read ahead may hold the whole part, or its beginning.
      const had = last?.name === name && at >= last.at ? last.bytes.subarray(at - last.at) : null;
      const end = Math.min(at + length, sizes.get(name) ?? Number.POSITIVE_INFINITY);
      if (had !== null && had.byteLength >= end - at) return had.subarray(0, Math.max(0, end - at));
      const begun = had?.byteLength ?? 0;
      const part = await fetchPart(name, at + begun, length - begun);
      if (part === null) return null;
      const rest = part.bytes.subarray(at + begun - part.at, at + length - part.at);
      if (begun === 0 || had === null) return rest;
      const both = new Uint8Array(begun + rest.byteLength);
      both.set(had);
      both.set(rest, begun);
      return both;
    },
    handle: { kind: "address", address },
  };
}
