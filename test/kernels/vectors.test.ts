/**
 * Every kernel's float64 vectors, on whatever adapter the runner has: llvmpipe under Deno, SwiftShader in Chromium. The
 * development server hands the files to the browser; Deno reads them from disk.
 */
import { describe, expect, it } from "vitest";
import { runKernelCase } from "../../src/conformance/kernel_cases.ts";
import { Vectors } from "../../src/conformance/vectors.ts";
import { testGpu } from "../gpu_harness.ts";

declare global {
  interface ImportMeta {
    /** What Vite replaces by the paths that match. */
    glob(pattern: string, options: object): Record<string, string>;
  }
}

/** Addresses by path, found when the test is compiled; empty where the vectors are absent. */
const files: Record<string, string> = import.meta.glob(
  "../../../shared/reference/vectors/kernels/*.safetensors",
  { query: "?url", import: "default", eager: true },
);

async function readBytes(path: string, address: string): Promise<Uint8Array> {
  if ("document" in globalThis) {
    const response = await fetch(address);
    expect(response.ok, address).toBe(true);
    return new Uint8Array(await response.arrayBuffer());
  }
  const { readFile } = await import("node:fs/promises");
  return readFile(new URL(path, import.meta.url));
}

describe.skipIf(Object.keys(files).length === 0)("the kernels' float64 vectors", () => {
  for (const [path, address] of Object.entries(files)) {
    const name = path.slice(path.lastIndexOf("/") + 1, -".safetensors".length);
    it(name, async () => {
      const result = await runKernelCase(await testGpu(), name, new Vectors(await readBytes(path, address)));
      expect(result.pass, `${result.detail}: ${result.error} against ${result.tolerance}`).toBe(true);
    });
  }
});
