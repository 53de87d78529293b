import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GpuLimitError } from "../../src/errors.ts";
import { smallLlamaConfig } from "../../src/model/init.ts";
import {
  ALIGNMENT,
  layoutBlocks,
  layoutParameters,
  packTensors,
  unpackTensors,
} from "../../src/model/layout.ts";

const config = smallLlamaConfig({
  vocabSize: 301,
  width: 12,
  layers: 2,
  heads: 3,
  kvHeads: 1,
  mlpWidth: 20,
  maxPositions: 64,
  eosId: 1,
  padId: 0,
});

const numbered = (layout: ReturnType<typeof layoutParameters>) =>
  new Map(
    layout.tensors.map(({ name, length }, k) => [
      name,
      { data: Float32Array.from({ length }, (_, i) => 1000 * k + i) },
    ]),
  );

describe("layoutParameters()", () => {
  it("cuts a table that exceeds a binding between rows, and nothing else", () => {
    const layout = layoutParameters(config, 1024);
    const parts = layout.blocks.get("embedding")?.parts ?? [];
    expect(parts.map(({ start, rows }) => [start, rows])).toEqual([
      [0, 64],
      [64, 64],
      [128, 64],
      [192, 64],
      [256, 45],
    ]);
    for (const [key, block] of layout.blocks) if (key !== "embedding") expect(block.parts.length).toBe(1);
    expect(layout.shards.every(({ length }) => length <= 1024)).toBe(true);
    expect(layout.count).toBe(layoutParameters(config).count);
  });

  it("gives back what was packed, wherever the borders lie", () => {
    fc.assert(
      fc.property(fc.integer({ min: 800, max: 5000 }), (maxElements) => {
        const layout = layoutParameters(config, maxElements);
        const tensors = numbered(layout);
        const found = unpackTensors(layout, packTensors(layout, tensors));
        for (const [name, { data }] of tensors) expect(found.get(name)?.data).toEqual(data);
      }),
      { numRuns: 30 },
    );
  });

  it("starts every part where bindings may start, also in f16, and keeps vectors apart from matrices", () => {
    const layout = layoutParameters(config, 2000);
    for (const [key, { parts }] of layout.blocks) {
      for (const part of parts) {
        expect(part.offset % ALIGNMENT).toBe(0);
        expect(layout.shards[part.shard].matrices).toBe(!/norm|bias/.test(key));
      }
    }
  });

  it("refuses a block that cannot be cut", () => {
    const draft = { key: "0.down", matrices: true, tensors: [{ name: "w", shape: [128, 64] }] };
    expect(() => layoutBlocks([draft], 1024)).toThrow(GpuLimitError);
    expect(() => layoutBlocks([{ ...draft, divisible: true }], 1024)).toThrow(/0\.down of 8192 elements/);
    expect(layoutBlocks([{ ...draft, divisible: true }], 4096).shards.length).toBe(2);
  });
});
