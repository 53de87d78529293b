import { describe, expect, it } from "vitest";
import { ADAPTER_MODULES, type AdapterSettings, adapterScale } from "../../../src/model/adapters/config.ts";
import { freshAdapters } from "../../../src/model/adapters/init.ts";
import {
  type AdapterFiles,
  type AdapterFolder,
  adapterFolderFiles,
  adapterPairs,
  mergeInto,
  parseAdapterFiles,
} from "../../../src/model/adapters/peft.ts";
import { freshWeights } from "../../../src/model/init.ts";
import { parseSafetensors } from "../../../src/model/safetensors.ts";
import { normals } from "../../gpu_harness.ts";
import { linearReference } from "../../reference/linear.ts";
import { loraExpandReference } from "../../reference/lora.ts";
import { groupedLlama } from "./grouped_llama.ts";

const settings: AdapterSettings = { rank: 3, alpha: 4.5, targets: ["k_proj", "o_proj", "gate_proj"] };

/** Adapters whose B is not zero. */
function trained(of: AdapterSettings): AdapterFiles {
  const tensors = freshAdapters(groupedLlama, of, 1);
  [...tensors.values()].forEach(({ data }, i) => {
    data.set(normals(data.length, i, 0.1));
  });
  return { settings: of, baseModel: "some/llama", revision: "abc", tensors };
}

/** A safetensors file by hand: zeros in f32 under the given names and shapes. */
function zerosFile(tensors: [string, number[]][]): Uint8Array {
  let end = 0;
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  for (const [name, shape] of tensors) {
    const begin = end;
    end += 4 * shape[0] * shape[1];
    header[name] = { dtype: "F32", shape, data_offsets: [begin, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

const PREFIX = "base_model.model.model.layers";

/** What PEFT writes for rank 2 on o_proj of the two layers, but for the changes. */
function folderOf(change: (tensors: [string, number[]][]) => [string, number[]][]): AdapterFolder {
  const config = { peft_type: "LORA", r: 2, lora_alpha: 8, target_modules: ["o_proj"], bias: "none" };
  const tensors = [0, 1].flatMap((layer): [string, number[]][] => [
    [`${PREFIX}.${layer}.self_attn.o_proj.lora_A.weight`, [2, 24]],
    [`${PREFIX}.${layer}.self_attn.o_proj.lora_B.weight`, [24, 2]],
  ]);
  return {
    "adapter_config.json": new TextEncoder().encode(JSON.stringify(config)),
    "adapter_model.safetensors": zerosFile(change(tensors)),
  };
}

describe("parseAdapterFiles()", () => {
  it("reads back what adapterFolderFiles() wrote, bit by bit in F32", () => {
    for (const of of [settings, { rank: 2, alpha: 1, targets: ADAPTER_MODULES, rankStabilised: true }]) {
      const adapter = trained(of);
      const read = parseAdapterFiles(adapterFolderFiles(adapter), groupedLlama);
      expect(read.tensors).toEqual(adapter.tensors);
      expect(read).toMatchObject({ settings: of, baseModel: "some/llama", revision: "abc" });
    }
  });

  it("reads half floats back within their rounding", () => {
    const adapter = trained(settings);
    for (const [dtype, rounding] of [
      ["BF16", 2 ** -8],
      ["F16", 2 ** -11],
    ] as const) {
      const read = parseAdapterFiles(adapterFolderFiles(adapter, dtype), groupedLlama);
      let largest = 0;
      for (const [name, { data }] of read.tensors) {
        const want = adapter.tensors.get(name)!.data;
        // Below 2^-14 the steps of f16 no longer shrink.
        data.forEach((value, i) => {
          largest = Math.max(largest, Math.abs(value - want[i]) / Math.max(Math.abs(want[i]), 2 ** -14));
        });
      }
      expect(largest).toBeLessThanOrEqual(rounding);
      expect(largest).toBeGreaterThan(0);
    }
  });

  it("reads a file that PEFT could have written", () => {
    const { settings, tensors } = parseAdapterFiles(
      folderOf((all) => all.reverse()),
      groupedLlama,
    );
    expect(settings).toEqual({ rank: 2, alpha: 8, targets: ["o_proj"] });
    expect([...tensors.keys()][0]).toBe(`${PREFIX}.0.self_attn.o_proj.lora_A.weight`);
    expect(tensors.get(`${PREFIX}.1.self_attn.o_proj.lora_B.weight`)?.shape).toEqual([24, 2]);
  });

  it.each([
    ["a missing matrix", (all: [string, number[]][]) => all.slice(0, 3), "lora_B.weight is missing"],
    [
      "a matrix of another module",
      (all: [string, number[]][]) => [
        ...all,
        [`${PREFIX}.0.mlp.up_proj.lora_A.weight`, [2, 24]] as [string, number[]],
      ],
      "mlp.up_proj.lora_A.weight",
    ],
    [
      "a layer too many",
      (all: [string, number[]][]) => [
        ...all,
        [`${PREFIX}.2.self_attn.o_proj.lora_A.weight`, [2, 24]] as [string, number[]],
      ],
      "layers.2.self_attn.o_proj.lora_A.weight",
    ],
    [
      "a vector of DoRA",
      (all: [string, number[]][]) => [
        ...all,
        [`${PREFIX}.0.self_attn.o_proj.lora_magnitude_vector`, [24, 1]] as [string, number[]],
      ],
      "lora_magnitude_vector",
    ],
    [
      "a matrix of another width",
      (all: [string, number[]][]) =>
        all.map(([name, shape]): [string, number[]] => [name, name.includes("lora_A") ? [2, 32] : shape]),
      "has the shape [2, 32], [2, 24] is needed",
    ],
    [
      "a transposed matrix",
      (all: [string, number[]][]) => all.map(([name, [m, n]]): [string, number[]] => [name, [n, m]]),
      "has the shape [24, 2], [2, 24] is needed",
    ],
  ])("refuses %s", (_, change, message) => {
    const refused = () => parseAdapterFiles(folderOf(change), groupedLlama);
    expect(refused).toThrow(message);
    expect(refused).toThrow(expect.objectContaining({ name: "DataError", code: "adapter/bad-tensors" }));
  });

  it("refuses a damaged file and a config that is not JSON", () => {
    const folder = folderOf((all) => all);
    const cut = { ...folder, "adapter_model.safetensors": folder["adapter_model.safetensors"].slice(0, -1) };
    expect(() => parseAdapterFiles(cut, groupedLlama)).toThrow(
      expect.objectContaining({ code: "safetensors/damaged" }),
    );
    const text = { ...folder, "adapter_config.json": new TextEncoder().encode("{") };
    expect(() => parseAdapterFiles(text, groupedLlama)).toThrow(
      expect.objectContaining({ code: "adapter/bad-config" }),
    );
  });
});

describe("adapterFolderFiles()", () => {
  it("marks the weights as PyTorch's, as PEFT demands", () => {
    const files = adapterFolderFiles(trained(settings));
    expect(Object.keys(files)).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
    expect(parseSafetensors(files["adapter_model.safetensors"]).metadata).toEqual({ format: "pt" });
  });
});

describe("mergeInto()", () => {
  it("adds scale · B·A to every targeted tensor of a model and to no other", () => {
    const { tensors } = trained(settings);
    const { rank } = settings;
    const scale = adapterScale(settings);
    const pairs = adapterPairs(groupedLlama, settings, tensors);
    let merged = 0;
    for (const [name, { data }] of freshWeights(groupedLlama, 3)) {
      const pair = pairs.get(name);
      const targeted = settings.targets.some((module) => name.endsWith(`.${module}.weight`));
      expect(pair !== undefined, name).toBe(targeted);
      if (!pair) continue;
      merged++;
      const adapter = `base_model.model.${name.replace(/\.weight$/, "")}`;
      const a = tensors.get(`${adapter}.lora_A.weight`)!.data;
      const b = tensors.get(`${adapter}.lora_B.weight`)!.data;
      const before = data.slice();
      mergeInto(data, pair, { rank, scale });
      for (let at = 0; at < data.length; at++) {
        const [o, i] = [Math.floor(at / pair.inputs), at % pair.inputs];
        let sum = 0;
        for (let j = 0; j < rank; j++) sum += b[o * rank + j] * a[j * pair.inputs + i];
        expect(data[at]).toBe(Math.fround(before[at] + scale * sum));
      }
    }
    expect(merged).toBe(6);
  });

  it("makes a weight that maps as the weight and its adapters do", () => {
    const [rows, inputs, outputs, rank, scale] = [4, 9, 7, 2, 1.5];
    const [x, a, b] = [normals(rows * inputs, 1), normals(rank * inputs, 2), normals(outputs * rank, 3)];
    const weight = normals(outputs * inputs, 4);
    const frozen = linearReference({ rows, inputs, outputs }, x, weight);
    const hidden = linearReference({ rows, inputs, outputs: rank }, x, a);
    const modules = [{ start: 0, width: outputs }];
    const want = loraExpandReference({ rows, rank, outputs, modules, scale }, hidden, b, frozen);
    mergeInto(weight, { a, b, outputs, inputs }, { rank, scale });
    const got = linearReference({ rows, inputs, outputs }, x, weight);
    // Only the rounding of the merged weights to f32 lies between them.
    got.forEach((value, i) => {
      expect(Math.abs(value - want[i])).toBeLessThan(1e-5);
    });
  });

  it("refuses matrices that do not fit, and adapters with a matrix missing", () => {
    const [a, b, weight] = [new Float32Array(6), new Float32Array(6), new Float32Array(9)];
    const pair = { a, b, outputs: 3, inputs: 3 };
    expect(() => mergeInto(weight, pair, { rank: 3, scale: 1 })).toThrow(RangeError);
    mergeInto(weight, pair, { rank: 2, scale: 1 });
    expect(() => adapterPairs(groupedLlama, settings, new Map())).toThrow(RangeError);
  });
});
