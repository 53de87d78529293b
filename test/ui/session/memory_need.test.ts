import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseRecipe } from "../../../src/config/parse.ts";
import { parseModelConfig } from "../../../src/model/config.ts";
import { memoryNeed } from "../../../src/ui/session/memory_need.ts";

const builtIn = new URL("../../../public/models/chain-sum/config.json", import.meta.url);
const config = parseModelConfig(JSON.parse(readFileSync(builtIn, "utf8")));
const recipe = (gpu: Record<string, unknown> = {}) => parseRecipe({ gpu });

describe("memoryNeed()", () => {
  it("plans what fits, and proposes nothing", () => {
    const { plan, reason, fit } = memoryNeed(recipe(), config);
    expect(plan?.totalBytes).toBe((plan?.trainerBytes ?? 0) + (plan?.generatorBytes ?? 0));
    expect([reason, fit]).toEqual([null, null]);
  });

  it("holds it to what the recipe allows, and proposes settings that keep to it", () => {
    const needed = memoryNeed(recipe(), config).plan?.totalBytes ?? 0;
    const maxMemoryMiB = Math.floor((0.7 * needed) / 2 ** 20);
    const { plan, reason, fit } = memoryNeed(recipe({ maxMemoryMiB }), config);
    expect(plan?.totalBytes).toBe(needed);
    expect(reason).toMatch(new RegExp(`^\`gpu.maxMemoryMiB\` allows ${maxMemoryMiB}\\sMiB$`));
    expect(Object.keys(fit?.changes ?? {}).length).toBeGreaterThan(0);
    expect(fit?.bytes).toBeLessThanOrEqual(maxMemoryMiB * 2 ** 20);
  });

  it("names the buffer that the adapter would refuse", () => {
    const limits = { maxBufferSize: 2 ** 20, maxStorageBufferBindingSize: 2 ** 20 };
    const { plan, reason } = memoryNeed(recipe(), config, { limits });
    expect(plan).not.toBeNull();
    expect(reason).toMatch(/1(\.0)? MiB/);
  });
});
