/** A hub on this machine: the answers of the real one that a download needs, and faults on demand. Node only. */
import { createHash } from "node:crypto";
import { type FileHandle, open, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** In memory, or on disk and then never read whole. */
export type ServedFile = Uint8Array | { path: string };

export interface ServedRepo {
  files: Record<string, ServedFile>;
  commit?: string;
  /** Further names of the commit. */
  revisions?: string[];
  /** Needs this token, as gated models do. */
  token?: string;
}

export interface Faults {
  /** Ends the connection after so many bytes of file contents in all. */
  cutAfter?: number;
  /** Sends the whole file whatever range is asked for. */
  ignoreRanges?: boolean;
  /** Changes a byte of this file on its way. */
  corrupt?: string;
  /** Milliseconds before contents are sent. */
  delayMs?: number;
  /** Answers this status this many times to requests for contents. */
  refuse?: { status: number; times: number };
}

/** Files over this size are stored apart and known by their SHA-256. */
const LARGE = 4096;

export interface HubServer {
  url: string;
  faults: Faults;
  /** Paths asked for, with the range where there was one. */
  requests: string[];
  /** Bytes of contents sent since the start. */
  sentBytes: number;
  close(): Promise<void>;
}

const ANY_ORIGIN = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Headers": "authorization, content-type, range",
  "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
  "Access-Control-Expose-Headers": "Content-Range, ETag, Link, X-Error-Code, X-Error-Message",
};

/** Bytes read from disk at a time. */
const STRIDE = 8 * 2 ** 20;

const hex = (kind: "sha256" | "sha1", ...parts: (string | Uint8Array)[]) => {
  const hash = createHash(kind);
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

async function sizeOf(file: ServedFile): Promise<number> {
  return file instanceof Uint8Array ? file.byteLength : (await stat(file.path)).size;
}

async function readRange(handle: FileHandle, from: number, to: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(to - from);
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesRead } = await handle.read(bytes, done, bytes.byteLength - done, from + done);
    if (bytesRead === 0) throw new Error(`the file ends at byte ${from + done}`);
    done += bytesRead;
  }
  return bytes;
}

/** A copy of the bytes `from` to `to`. */
async function rangeOf(file: ServedFile, from: number, to: number): Promise<Uint8Array> {
  if (file instanceof Uint8Array) return file.slice(from, to);
  const handle = await open(file.path);
  try {
    return await readRange(handle, from, to);
  } finally {
    await handle.close();
  }
}

const sums = new WeakMap<object, Promise<string>>();

/** SHA-256 of a file on disk, computed once. */
function sumOf(file: { path: string }): Promise<string> {
  const found = sums.get(file) ?? sumOfDisk(file.path);
  sums.set(file, found);
  return found;
}

async function sumOfDisk(path: string): Promise<string> {
  const hash = createHash("sha256");
  const { size } = await stat(path);
  const handle = await open(path);
  try {
    for (let at = 0; at < size; at += STRIDE)
      hash.update(await readRange(handle, at, Math.min(size, at + STRIDE)));
  } finally {
    await handle.close();
  }
  return hash.digest("hex");
}

async function treeEntry(path: string, file: ServedFile) {
  const size = await sizeOf(file);
  const large = size > LARGE;
  const bytes = large ? null : await rangeOf(file, 0, size);
  const entry = { type: "file", path, size };
  if (bytes) return { ...entry, oid: hex("sha1", `blob ${size}\0`, bytes) };
  const oid = file instanceof Uint8Array ? hex("sha256", file) : await sumOf(file);
  return { ...entry, oid: hex("sha1", `blob 130\0${path}`), lfs: { oid, size, pointerSize: 130 } };
}

/** The text that was sent with a request. */
async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}

/** Serves models, by id, and data sets, by `datasets/` and id, until closed. */
export async function serveHub(repos: Record<string, ServedRepo>): Promise<HubServer> {
  const hub: HubServer = { url: "", faults: {}, requests: [], sentBytes: 0, close: async () => undefined };
  const json = (response: ServerResponse, status: number, body: unknown) =>
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));

  const contents = async (
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    file: ServedFile,
  ) => {
    const { faults } = hub;
    if (faults.delayMs) await new Promise((resolve) => setTimeout(resolve, faults.delayMs));
    if (faults.refuse && faults.refuse.times > 0) {
      faults.refuse.times--;
      return response.writeHead(faults.refuse.status).end();
    }
    const range = faults.ignoreRanges ? null : /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const from = range ? Number(range[1]) : 0;
    const size = await sizeOf(file);
    const to = range ? Math.min(Number(range[2]) + 1, size) : size;
    const bytes = await rangeOf(file, from, to);
    if (faults.corrupt === path && bytes.byteLength > 0) bytes[0] ^= 1;
    response.writeHead(range ? 206 : 200, {
      "Content-Length": bytes.byteLength,
      ETag: `"${file instanceof Uint8Array ? hex("sha1", file) : await sumOf(file)}"`,
      ...(range ? { "Content-Range": `bytes ${from}-${to - 1}/${size}` } : {}),
    });
    const left = (faults.cutAfter ?? Number.POSITIVE_INFINITY) - hub.sentBytes;
    if (left < bytes.byteLength) {
      hub.sentBytes += Math.max(0, left);
      response.write(bytes.subarray(0, Math.max(0, left)), () => response.destroy());
      return response;
    }
    hub.sentBytes += bytes.byteLength;
    return response.end(bytes);
  };

  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://hub");
    // As the hub does: pages of other origins may ask.
    for (const [name, value] of Object.entries(ANY_ORIGIN)) response.setHeader(name, value);
    if (request.method === "OPTIONS") return response.writeHead(204).end();
    const path = decodeURIComponent(pathname);
    hub.requests.push(request.headers.range ? `${path} ${request.headers.range}` : path);
    const parts =
      /^(?:\/api\/models|\/api(?=\/datasets\/))?\/((?:datasets\/)?[^/]+\/[^/]+)\/(revision|tree|resolve|paths-info)\/(refs\/convert\/\w+|[^/]+)(?:\/(.+))?$/.exec(
        path,
      );
    const repo = parts && repos[parts[1]];
    if (!parts || !repo) return json(response, 404, { error: "Repository not found" });
    const [, id, action, revision, file] = parts;
    const commit = repo.commit ?? hex("sha1", id);
    if (![...(repo.revisions ?? []), "main", "HEAD", commit].includes(revision))
      return json(response, 404, { error: "Invalid rev id" });
    if (repo.token && request.headers.authorization !== `Bearer ${repo.token}`)
      return json(response, request.headers.authorization ? 403 : 401, { error: "Access is restricted" });
    if (action === "revision")
      return json(response, 200, { _id: "1", id, sha: commit, private: false, gated: Boolean(repo.token) });
    if (action === "paths-info") {
      const { paths } = JSON.parse(await bodyOf(request)) as { paths: string[] };
      const entries = paths.map(async (name) => {
        if (repo.files[name]) return [await treeEntry(name, repo.files[name])];
        const isFolder = Object.keys(repo.files).some((known) => known.startsWith(`${name}/`));
        return isFolder ? [{ type: "directory", path: name, size: 0, oid: hex("sha1", name) }] : [];
      });
      return json(response, 200, (await Promise.all(entries)).flat());
    }
    if (action === "tree") {
      const entries = Object.entries(repo.files).map(([name, served]) => treeEntry(name, served));
      return json(response, 200, await Promise.all(entries));
    }
    const served = repo.files[file ?? ""];
    return served
      ? contents(request, response, file ?? "", served)
      : json(response, 404, { error: "Entry not found" });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  hub.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  hub.close = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return hub;
}
