import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, inject, it } from "vitest";

const built = inject("built");
const html = readFileSync(join(built, "index.html"), "utf8");

/** Files that the browser must have before the page is usable: what index.html names and what that imports statically. */
function firstFiles(): string[] {
  const files = [...html.matchAll(/(?:src|href)="\.\/([^"]+\.(?:js|css))"/g)].map(([, file]) => file);
  for (const file of files) {
    if (!file.endsWith(".js")) continue;
    const text = readFileSync(join(built, file), "utf8");
    for (const [, name] of text.matchAll(
      /(?:^|[;}\s])(?:import|export)(?:[^"'();]*?from)?\s*["'](\.[^"']+)["']/g,
    )) {
      const imported = posix.join(dirname(file), name);
      if (!files.includes(imported)) files.push(imported);
    }
  }
  return files;
}

describe("the built page", () => {
  it("needs less than 60 kB gzipped before anything lazy", () => {
    const sizes = ["index.html", ...firstFiles()].map((file) => ({
      file,
      gzipped: gzipSync(readFileSync(join(built, file))).byteLength,
    }));
    const total = sizes.reduce((sum, { gzipped }) => sum + gzipped, 0);
    expect(sizes.length).toBeGreaterThan(2);
    expect(total, JSON.stringify(sizes)).toBeLessThan(60_000);
  });

  it("names no address of another origin in its page", () => {
    const addresses = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
    expect(addresses.length).toBeGreaterThan(1);
    for (const address of addresses) expect(address).toMatch(/^(\.\/|data:)/);
  });

  it("ships the built-in policy, the recipes, the recorded run and the service worker", () => {
    for (const file of [
      "models/chain-sum/model.safetensors",
      "recipes/default.json",
      "demo/run.json",
      "service_worker.js",
    ])
      expect(readdirSync(join(built, dirname(file)))).toContain(posix.basename(file));
  });
});
