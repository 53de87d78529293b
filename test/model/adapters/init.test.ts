import { describe, expect, it } from "vitest";
import { ADAPTER_MODULES } from "../../../src/model/adapters/config.ts";
import { freshAdapters } from "../../../src/model/adapters/init.ts";
import { layoutAdapters } from "../../../src/model/adapters/layout.ts";
import { groupedLlama } from "./grouped_llama.ts";

const settings = { rank: 16, alpha: 16, targets: ADAPTER_MODULES };

describe("freshAdapters()", () => {
  it("draws A evenly within one over the root of its inputs, and leaves B zero", () => {
    for (const [name, { shape, data }] of freshAdapters(groupedLlama, settings, 5)) {
      if (name.includes("lora_B")) {
        expect(data.every((value) => value === 0)).toBe(true);
        continue;
      }
      const bound = 1 / Math.sqrt(shape[1]);
      const share = (test: (value: number) => boolean) => data.filter(test).length / data.length;
      expect(Math.max(...data)).toBeLessThanOrEqual(bound);
      expect(Math.min(...data)).toBeGreaterThanOrEqual(-bound);
      // Quarters of the range hold a quarter each, within 4.5 deviations of the count.
      const allowed = 4.5 * Math.sqrt((0.25 * 0.75) / data.length);
      for (const low of [-bound, -bound / 2, 0, bound / 2]) {
        const quarter = share((value) => value >= low && value < low + bound / 2);
        expect(Math.abs(quarter - 0.25), `${name} from ${low}`).toBeLessThan(allowed);
      }
    }
  });

  it("fills the layout, alike for a seed, differently for another and for each tensor", () => {
    const names = layoutAdapters(groupedLlama, settings).tensors.map(({ name, shape }) => [name, shape]);
    const fresh = freshAdapters(groupedLlama, settings, 5);
    expect([...fresh].map(([name, { shape }]) => [name, shape])).toEqual(names);
    expect(freshAdapters(groupedLlama, settings, 5)).toEqual(fresh);
    const seeds = [5, 6].map((seed) => freshAdapters(groupedLlama, settings, seed));
    const firsts = seeds.flatMap((tensors) =>
      [...tensors].filter(([name]) => name.includes("lora_A")).map(([, { data }]) => data[0]),
    );
    const scaled = new Set(firsts);
    expect(scaled.size).toBe(2 * 14);
  });
});
