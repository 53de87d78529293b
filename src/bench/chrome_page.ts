/**
 * Runs the browser entry in a headless Chrome, served by Vite: the same figures on the browser's adapter. For the
 * command line alone (Node and Deno); needs the development packages vite and playwright-core.
 */
import { type Browser, chromium } from "playwright-core";
import { createServer, type Plugin } from "vite";
import { WebgrpoError } from "../errors.ts";
import type { BenchEvent, BenchOptions } from "./bench.ts";
import type { BrowserOutcome } from "./browser.ts";

export interface ChromeOptions {
  /** The project's root folder. */
  root: string;
  /** The browser's program. */
  chrome: string;
  bench: Omit<BenchOptions, "signal">;
  signal: AbortSignal;
  onEvent(event: BenchEvent): void;
}

const FLAGS = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  // Timestamps to the nanosecond instead of to a tenth of a millisecond.
  "--enable-webgpu-developer-features",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];
/** Without a GPU: Chrome's own software adapter. */
const SOFTWARE = "--use-webgpu-adapter=swiftshader";

const PAGE = "bench";
/** A page of this origin to run the module in; before Vite's own answers, which know no such page. */
const emptyPage: Plugin = {
  name: "bench page",
  configureServer({ middlewares }) {
    middlewares.use(`/${PAGE}`, (_request, response) => {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>bench</title>");
    });
  },
};

/** Benchmarks in Chrome, on its GPU where it has one. @throws WebgrpoError with the page's code */
export async function benchInChrome(options: ChromeOptions): Promise<void> {
  const server = await createServer({
    root: options.root,
    logLevel: "error",
    plugins: [emptyPage],
    server: { host: "127.0.0.1", hmr: false, watch: null },
    // Found before the page loads: Vite reloads a page for what it finds later.
    optimizeDeps: { noDiscovery: true, include: ["valibot"] },
  });
  try {
    await server.listen();
    const address = server.resolvedUrls?.local[0];
    if (!address)
      throw new WebgrpoError("bench/no-server", "Cannot benchmark in Chrome: Vite gave no address");
    let outcome = await runPage(options, `${address}${PAGE}`, FLAGS);
    if (outcome.failure?.code === "gpu/no-adapter")
      outcome = await runPage(options, `${address}${PAGE}`, [...FLAGS, SOFTWARE]);
    if (outcome.failure && !options.signal.aborted)
      throw new WebgrpoError(outcome.failure.code, `Cannot benchmark in Chrome: ${outcome.failure.text}`);
  } finally {
    await server.close();
  }
}

async function runPage(options: ChromeOptions, address: string, args: string[]): Promise<BrowserOutcome> {
  const browser = await chromium.launch({ executablePath: options.chrome, args, handleSIGINT: false });
  const close = () => void browser.close();
  options.signal.addEventListener("abort", close);
  try {
    return await askPage(browser, options, address);
  } catch (error) {
    if (options.signal.aborted) return { failure: null };
    throw error;
  } finally {
    options.signal.removeEventListener("abort", close);
    await browser.close();
  }
}

async function askPage(browser: Browser, options: ChromeOptions, address: string): Promise<BrowserOutcome> {
  const page = await browser.newPage();
  await page.exposeFunction("onBenchEvent", options.onEvent);
  await page.goto(address);
  return page.evaluate(
    async ({ entry, bench }) => {
      const { benchInBrowser } = (await import(/* @vite-ignore */ entry)) as typeof import("./browser.ts");
      const { onBenchEvent } = globalThis as unknown as { onBenchEvent(event: BenchEvent): Promise<void> };
      const sent: Promise<void>[] = [];
      const result = await benchInBrowser(bench, (event) => sent.push(onBenchEvent(event)));
      await Promise.all(sent);
      return result;
    },
    { entry: "/src/bench/browser.ts", bench: options.bench },
  );
}
