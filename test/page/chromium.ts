/** Chromium for the page's tests: WebGPU on the software adapter, every request and error of the page noted. */
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const args = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** Starts Chromium; `webgpu: false` gives a browser without it. */
export function launchChromium({ webgpu = true }: { webgpu?: boolean } = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROME_PATH ?? "/usr/bin/chromium",
    args: webgpu ? args : ["--no-sandbox", "--disable-features=WebGPU", "--disable-gpu"],
  });
}

export interface OpenedPage {
  page: Page;
  context: BrowserContext;
  /** Uncaught errors and console errors, in order. */
  errors: string[];
  /** Addresses asked for outside the page's own origin. */
  foreign: string[];
  close(): Promise<void>;
}

export interface PageOptions {
  width?: number;
  height?: number;
  colorScheme?: "light" | "dark";
  reducedMotion?: "reduce" | "no-preference";
  /** Runs in the page before anything else. */
  before?: () => void;
}

/** Opens an address in a fresh profile. */
export async function openPage(
  browser: Browser,
  address: string,
  { width = 1280, height = 720, before, ...options }: PageOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({
    viewport: { width, height },
    acceptDownloads: true,
    ...options,
  });
  const page = await context.newPage();
  const errors: string[] = [];
  const foreign: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error.stack ?? error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  const { origin } = new URL(address);
  context.on("request", (request) => {
    const url = request.url();
    if (/^https?:/.test(url) && new URL(url).origin !== origin) foreign.push(url);
  });
  if (before) await page.addInitScript(before);
  await page.goto(address);
  return { page, context, errors, foreign, close: () => context.close() };
}
