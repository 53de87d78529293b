/** A web server on this machine that serves files with ranges or without, and fails on demand. Node and Deno. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface FileServer {
  address: string;
  /** What was asked for: method, name and range. */
  requests: string[];
  /** Bytes of bodies sent. */
  sent: number;
  /** "none": ranges are ignored. "hidden": their answers do not tell the file's size. */
  ranges: "served" | "none" | "hidden";
  /** Answers a range with more bytes than it has, or with bytes from elsewhere. */
  wrong?: "longer" | "elsewhere";
  /** Answers this status to all. */
  refuse?: number;
  /** Ends each body this many bytes too soon. */
  cut?: number;
  close(): Promise<void>;
}

export async function serveFiles(files: Readonly<Record<string, Uint8Array>>): Promise<FileServer> {
  const http = createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url ?? "/", "http://files").pathname).slice(1);
    const { range } = request.headers;
    served.requests.push([request.method, name, range].filter(Boolean).join(" "));
    const all = files[name];
    if (served.refuse !== undefined) return response.writeHead(served.refuse).end();
    if (all === undefined) return response.writeHead(404).end("none");
    const asked = served.ranges === "none" ? null : /^bytes=(\d+)-(\d+)$/.exec(range ?? "");
    const told = served.ranges === "served";
    if (asked && Number(asked[1]) >= all.byteLength) {
      return response.writeHead(416, told ? { "Content-Range": `bytes */${all.byteLength}` } : {}).end();
    }
    const from = asked ? Number(asked[1]) + (served.wrong === "elsewhere" ? 1 : 0) : 0;
    const last = asked ? Number(asked[2]) + (served.wrong === "longer" ? 1 : 0) : all.byteLength;
    const to = Math.min(last + 1, all.byteLength);
    const type = name.endsWith(".html") ? { "Content-Type": "text/html" } : {};
    const part = asked && told ? { "Content-Range": `bytes ${from}-${to - 1}/${all.byteLength}` } : {};
    response.writeHead(asked ? 206 : 200, { "Content-Length": to - from, ...type, ...part });
    if (request.method === "HEAD") return response.end();
    const body = all.subarray(from, to - (served.cut ?? 0));
    served.sent += body.byteLength;
    if (served.cut) return response.write(body, () => response.destroy());
    return response.end(body);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const served: FileServer = {
    address: `http://127.0.0.1:${(http.address() as AddressInfo).port}/`,
    requests: [],
    sent: 0,
    ranges: "served",
    close: () =>
      new Promise((resolve) => {
        http.closeAllConnections();
        http.close(() => resolve());
      }),
  };
  return served;
}
