import { describe, expect, it } from "vitest";
import { ADAPTER_MODULES, type AdapterSettings } from "../../../src/model/adapters/config.ts";
import { adapterBlocks, adapterPlaces, layoutAdapters } from "../../../src/model/adapters/layout.ts";
import { tensorNames } from "../../../src/model/config.ts";
import { ALIGNMENT } from "../../../src/model/layout.ts";
import { groupedLlama } from "./grouped_llama.ts";

const all: AdapterSettings = { rank: 3, alpha: 6, targets: ADAPTER_MODULES };
const some: AdapterSettings = { rank: 5, alpha: 5, targets: ["up_proj", "v_proj", "q_proj"] };

describe("adapterBlocks()", () => {
  it("places every module in its fused layer's columns", () => {
    expect(Object.fromEntries(adapterBlocks(groupedLlama, all))).toEqual({
      qkv: [
        { module: "q_proj", start: 0, width: 24 },
        { module: "k_proj", start: 24, width: 8 },
        { module: "v_proj", start: 32, width: 8 },
      ],
      o: [{ module: "o_proj", start: 0, width: 24 }],
      gate_up: [
        { module: "gate_proj", start: 0, width: 40 },
        { module: "up_proj", start: 40, width: 40 },
      ],
      down: [{ module: "down_proj", start: 0, width: 24 }],
    });
  });

  it("leaves out what is not targeted, whatever the order of the targets", () => {
    expect(Object.fromEntries(adapterBlocks(groupedLlama, some))).toEqual({
      qkv: [
        { module: "q_proj", start: 0, width: 24 },
        { module: "v_proj", start: 32, width: 8 },
      ],
      gate_up: [{ module: "up_proj", start: 40, width: 40 }],
    });
  });
});

describe("layoutAdapters()", () => {
  it("stacks the matrices of a block's modules under PEFT's names", () => {
    const { blocks, tensors } = layoutAdapters(groupedLlama, some);
    expect([...blocks.keys()].sort()).toEqual(
      [0, 1].flatMap((layer) => ["gate_up.a", "gate_up.b", "qkv.a", "qkv.b"].map((key) => `${layer}.${key}`)),
    );
    const block = blocks.get("1.qkv.b");
    expect(block).toMatchObject({ width: 5, parts: [{ start: 0, rows: 32, length: 160 }] });
    const prefix = "base_model.model.model.layers.1.self_attn";
    const inside = tensors.filter(({ name }) => name.startsWith(prefix) && name.includes("lora_B"));
    expect(inside.map(({ name, shape }) => [name, shape])).toEqual([
      [`${prefix}.q_proj.lora_B.weight`, [24, 5]],
      [`${prefix}.v_proj.lora_B.weight`, [8, 5]],
    ]);
    const [{ shard, offset }] = block!.parts;
    expect(inside.map(({ spans }) => spans)).toEqual([
      [{ shard, offset, start: 0, length: 120 }],
      [{ shard, offset: offset + 120, start: 0, length: 40 }],
    ]);
    expect(blocks.get("1.qkv.a")).toMatchObject({ width: 24, parts: [{ rows: 10 }] });
  });

  it("aligns every block, decays all of it and counts every parameter", () => {
    const { blocks, shards, count } = layoutAdapters(groupedLlama, all);
    for (const { parts } of blocks.values())
      expect(parts.map(({ offset }) => offset % ALIGNMENT)).toEqual([0]);
    expect(shards.every(({ matrices }) => matrices)).toBe(true);
    // (in + out) of each module, times the rank and the layers.
    expect(count).toBe(2 * 3 * (48 + 32 + 32 + 48 + 64 + 64 + 64));
  });
});

describe("adapterPlaces()", () => {
  it("names tensors that the model has, with their shapes", () => {
    const shapes = new Map(tensorNames(groupedLlama).map(({ name, shape }) => [name, shape]));
    const places = adapterPlaces(groupedLlama, all);
    expect(places).toHaveLength(14);
    for (const { base, outputs, inputs } of places) expect(shapes.get(base), base).toEqual([outputs, inputs]);
  });
});
