/**
 * Builds the page and serves it twice for the tests: `isolated` with the headers that `npm run preview` sends, `plain` as
 * a static host below a path does that cannot send headers. Called by vitest once, before and after all of them.
 */
import { createReadStream, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { build, preview } from "vite";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Address of the page where it is cross-origin isolated. */
    isolated: string;
    /** Address of the page where it is not. */
    plain: string;
    /** Folder of the built page. */
    built: string;
  }
}

const root = fileURLToPath(new URL("../..", import.meta.url));
/** The path below which a project's page lies on GitHub Pages. */
const PLAIN_PATH = "/webgrpo/";

const contentTypes: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** A static host without any headers of its own. */
function servePlainly(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const name = pathname.startsWith(PLAIN_PATH) ? normalize(pathname.slice(PLAIN_PATH.length)) : "..";
    const file = join(folder, name === "." ? "index.html" : name);
    const found = !name.startsWith("..") && statSync(file, { throwIfNoEntry: false })?.isFile();
    if (!found) {
      response.writeHead(404).end("not here");
      return;
    }
    response.writeHead(200, { "Content-Type": contentTypes[extname(file)] ?? "application/octet-stream" });
    if (request.method === "HEAD") response.end();
    else createReadStream(file).pipe(response);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

export default async function serve(project: TestProject): Promise<() => Promise<void>> {
  const outDir = await mkdtemp(join(tmpdir(), "webgrpo-page-"));
  const settings = { root, configFile: join(root, "vite.config.ts"), logLevel: "warn" as const };
  await build({ ...settings, build: { outDir, emptyOutDir: true } });
  const isolated = await preview({ ...settings, build: { outDir }, preview: { port: 0, host: "127.0.0.1" } });
  const plain = await servePlainly(outDir);
  const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
  project.provide("isolated", `http://127.0.0.1:${portOf(isolated.httpServer)}/`);
  project.provide("plain", `http://127.0.0.1:${portOf(plain)}${PLAIN_PATH}`);
  project.provide("built", outDir);
  return async () => {
    plain.close();
    await isolated.close();
    await rm(outDir, { recursive: true, force: true });
  };
}
