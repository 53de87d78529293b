import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { playwright } from "@vitest/browser-playwright";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Imports WGSL as text, which Deno does natively. */
const wgsl: Plugin = {
  name: "wgsl",
  enforce: "pre",
  load: (id) =>
    id.split("?")[0].endsWith(".wgsl")
      ? `export default ${JSON.stringify(readFileSync(id.split("?")[0], "utf8"))}`
      : null,
};

const gpuTests = ["test/gpu/**/*.test.ts", "test/kernels/**/*.test.ts"];
const denoTests = [...gpuTests, "test/model/**/*.test.ts", "test/**/*.gpu.test.ts"];
const pageTests = ["test/page/**/*.test.ts"];
const timeouts = { testTimeout: 120_000, hookTimeout: 120_000 };

/** Shared memory is for pages that are isolated from other origins. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  plugins: [wgsl],
  // Relative addresses: the built folder works at any path of any static host.
  base: "./",
  worker: {
    plugins: () => [wgsl],
    format: "es",
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  server: { fs: { allow: [fileURLToPath(new URL("..", import.meta.url))] }, headers: isolation },
  preview: { headers: isolation },
  build: {
    target: "es2023",
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "logic",
          include: ["test/**/*.test.ts"],
          exclude: [...denoTests, ...pageTests],
          environment: "node",
          ...timeouts,
        },
      },
      {
        extends: true,
        test: {
          name: "gpu",
          include: denoTests,
          environment: "node",
          pool: "forks",
          fileParallelism: false,
          ...timeouts,
        },
      },
      {
        extends: true,
        test: {
          name: "page",
          include: pageTests,
          environment: "node",
          globalSetup: "test/page/serve.ts",
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: gpuTests,
          exclude: ["test/**/*.gpu.test.ts"],
          fileParallelism: false,
          ...timeouts,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            instances: [{ browser: "chromium" }],
            provider: playwright({
              launchOptions: {
                executablePath: process.env.CHROME_PATH ?? "/usr/bin/chromium",
                args: [
                  "--no-sandbox",
                  "--enable-unsafe-webgpu",
                  "--use-webgpu-adapter=swiftshader",
                  "--enable-features=SharedArrayBuffer",
                  "--disable-background-networking",
                  "--disable-component-update",
                  "--disable-sync",
                  "--no-first-run",
                ],
              },
            }),
          },
        },
      },
    ],
  },
});
