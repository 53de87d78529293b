/** A hub on this machine: the answers of the real one that a download needs, and faults on demand. Node only. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ServedRepo {
  files: Record<string, Uint8Array>;
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

const hex = (kind: "sha256" | "sha1", ...parts: (string | Uint8Array)[]) => {
  const hash = createHash(kind);
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

function treeEntry(path: string, bytes: Uint8Array) {
  const large = bytes.byteLength > LARGE;
  const git = hex("sha1", `blob ${bytes.byteLength}\0`, bytes);
  return {
    type: "file",
    path,
    size: bytes.byteLength,
    oid: large ? hex("sha1", `blob 130\0${path}`) : git,
    ...(large ? { lfs: { oid: hex("sha256", bytes), size: bytes.byteLength, pointerSize: 130 } } : {}),
  };
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

  const contents = (request: IncomingMessage, response: ServerResponse, path: string, all: Uint8Array) => {
    const { faults } = hub;
    if (faults.refuse && faults.refuse.times > 0) {
      faults.refuse.times--;
      return response.writeHead(faults.refuse.status).end();
    }
    const range = faults.ignoreRanges ? null : /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const from = range ? Number(range[1]) : 0;
    const to = range ? Math.min(Number(range[2]) + 1, all.byteLength) : all.byteLength;
    const bytes = all.slice(from, to);
    if (faults.corrupt === path && bytes.byteLength > 0) bytes[0] ^= 1;
    response.writeHead(range ? 206 : 200, {
      "Content-Length": bytes.byteLength,
      ETag: `"${hex("sha1", all)}"`,
      ...(range ? { "Content-Range": `bytes ${from}-${to - 1}/${all.byteLength}` } : {}),
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
      const entries = paths.flatMap((name) => {
        if (repo.files[name]) return [treeEntry(name, repo.files[name])];
        const isFolder = Object.keys(repo.files).some((known) => known.startsWith(`${name}/`));
        return isFolder ? [{ type: "directory", path: name, size: 0, oid: hex("sha1", name) }] : [];
      });
      return json(response, 200, entries);
    }
    if (action === "tree")
      return json(
        response,
        200,
        Object.entries(repo.files).map(([name, bytes]) => treeEntry(name, bytes)),
      );
    const bytes = repo.files[file ?? ""];
    return bytes
      ? contents(request, response, file ?? "", bytes)
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
