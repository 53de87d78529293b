import { describe, expect, it } from "vitest";
import { loadModelFiles, type ModelSource, openModelMemory } from "../../src/data/source.ts";
import { openTensors } from "../../src/data/tensor_stream.ts";
import { narrowValues } from "../../src/data/tensor_values.ts";
import { tensorNames } from "../../src/model/config.ts";
import { float16Bits, float16Value, fromBfloat16 } from "../../src/model/float16.ts";
import { parseSafetensors, toFloat32, type WritableTensor } from "../../src/model/safetensors.ts";
import {
  config,
  jsonBytes,
  randomTensors,
  type StoredDtype,
  shardedFolder,
  wholeFolder,
} from "./checkpoint_files.ts";

const EMBEDDING = "model.embed_tokens.weight";
const NORM = "model.norm.weight";

/** What the format's eager reader makes of every tensor, whatever file it lies in. */
function eagerly(files: Record<string, Uint8Array>): Map<string, Float32Array> {
  const all = new Map<string, Float32Array>();
  for (const [name, bytes] of Object.entries(files)) {
    if (!name.endsWith(".safetensors")) continue;
    for (const [tensor, stored] of parseSafetensors(bytes).tensors) all.set(tensor, toFloat32(stored));
  }
  return all;
}

const bitsOf = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);

/** All chunks of a tensor in one array; fails where they do not follow each other. */
async function gather(
  stream: (onChunk: (values: Float32Array | Uint16Array, start: number) => void) => Promise<void>,
): Promise<{ values: number[]; starts: number[] }> {
  const values: number[] = [];
  const starts: number[] = [];
  await stream((chunk, start) => {
    expect(start).toBe(values.length);
    starts.push(start);
    values.push(...chunk);
    // It is ours to spoil: the source must not be seen through it.
    chunk.fill(7);
  });
  return { values, starts };
}

async function refusal(files: Record<string, Uint8Array>) {
  return openTensors(openModelMemory(files), config).then(
    () => ({ code: "none", message: "nothing was refused" }),
    (error: { code: string; message: string }) => error,
  );
}

const dtypes: StoredDtype[] = ["F32", "F16", "BF16", "F64"];
const layouts: [string, (tensors: Record<string, WritableTensor>) => Record<string, Uint8Array>][] = [
  ["one file", wholeFolder],
  ["three shards", (tensors) => shardedFolder(tensors, 3)],
];

describe("openTensors()", () => {
  for (const dtype of dtypes) {
    it.each(layouts)(`streams ${dtype} of %s to the bits of the eager reader`, async (_, folder) => {
      const files = folder(randomTensors(dtype, 3));
      const want = eagerly(files);
      const source = openModelMemory(files);
      const tensors = await openTensors(source, config);
      expect(tensors.names).toEqual(tensorNames(config).map(({ name }) => name));
      for (const { name, shape } of tensorNames(config)) {
        expect(tensors.shape(name)).toEqual(shape);
        expect(tensors.dtype(name)).toBe(dtype);
        // 1 byte: a row at a time; 100 and 333: odd numbers of rows; else all at once.
        for (const chunkBytes of [1, 100, 333, undefined]) {
          const { values, starts } = await gather((take) => tensors.stream(name, take, { chunkBytes }));
          expect(bitsOf(Float32Array.from(values)), `${name} by ${chunkBytes}`).toEqual(
            bitsOf(want.get(name)!),
          );
          const row = shape.length > 1 ? shape[1] : 1;
          expect(starts.every((start) => start % row === 0)).toBe(true);
          if (chunkBytes === 1) expect(starts.length).toBe(shape[0]);
        }
      }
      const { tensors: loaded } = await loadModelFiles(source);
      expect([...loaded.keys()]).toEqual(tensors.names);
      for (const [name, { data }] of loaded) expect(bitsOf(data), name).toEqual(bitsOf(want.get(name)!));
    });
  }

  it("keeps every pattern of 16 bits, wherever the file's header ends", async () => {
    const every = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
    for (const dtype of ["F16", "BF16"] as const) {
      const tensors = randomTensors(dtype, 4);
      const [rows, width] = [37, 12];
      for (const first of [0, 2 ** 15, 2 ** 16 - rows * width]) {
        const data = every.slice(first, first + rows * width);
        const files = wholeFolder({ ...tensors, [EMBEDDING]: { dtype, shape: [rows, width], data } });
        const index = await openTensors(openModelMemory(files), config);
        const { values } = await gather((take) => index.stream(EMBEDDING, take, { chunkBytes: 50 }));
        expect(Float32Array.from(values)).toEqual(
          dtype === "F16" ? Float32Array.from(data, float16Value) : fromBfloat16(data),
        );
      }
    }
  });

  it("reads headers alone, and of a tensor no more than its bytes", async () => {
    const files = shardedFolder(randomTensors("BF16", 5), 2);
    const memory = openModelMemory(files);
    const read: [string, number, number][] = [];
    const source: ModelSource = {
      ...memory,
      async readRange(name, at, length) {
        read.push([name, at, length]);
        return memory.readRange(name, at, length);
      },
    };
    const tensors = await openTensors(source, config);
    const shards = Object.keys(files).filter((name) => name.startsWith("model-"));
    const ends = shards.map((name) => 8 + Number(new DataView(files[name].buffer).getBigUint64(0, true)));
    expect(read).toEqual(
      shards.flatMap((name, i) => [
        [name, 0, 8],
        [name, 8, ends[i] - 8],
      ]),
    );
    read.length = 0;
    await tensors.stream(EMBEDDING, () => undefined, { chunkBytes: 100 });
    expect(read.every(([, , length]) => length <= 100)).toBe(true);
    expect(read.reduce((sum, [, , length]) => sum + length, 0)).toBe(37 * 12 * 2);
  });

  it("lets each chunk be adjusted, and waits for it", async () => {
    const files = wholeFolder(randomTensors("F16", 6));
    const want = eagerly(files);
    const seen: [string, number][] = [];
    const tensors = await openTensors(openModelMemory(files), config, {
      async adjust(name, values, start) {
        await Promise.resolve();
        seen.push([name, start]);
        for (let i = 0; i < values.length; i++) values[i] += start + i;
      },
    });
    const wanted = want.get(EMBEDDING)!.map((value, i) => value + i);
    const { values } = await gather((take) => tensors.stream(EMBEDDING, take, { chunkBytes: 240 }));
    expect(values).toEqual([...wanted]);
    expect(seen).toEqual([0, 120, 240, 360].map((start) => [EMBEDDING, start]));
    const { values: bits } = await gather((take) => tensors.streamFloat16(EMBEDDING, take));
    expect(bits).toEqual([...wanted].map(float16Bits));
  });

  it("streams two tensors at a time without mixing them", async () => {
    const files = wholeFolder(randomTensors("F32", 7));
    const want = eagerly(files);
    const tensors = await openTensors(openModelMemory(files), config);
    const names = tensors.names.slice(0, 6);
    const got = await Promise.all(
      names.map(async (name) => {
        const values: number[] = [];
        await tensors.stream(
          name,
          async (chunk) => {
            await new Promise((resolve) => setTimeout(resolve, 0));
            values.push(...chunk);
          },
          { chunkBytes: 64 },
        );
        return values;
      }),
    );
    expect(got).toEqual(names.map((name) => [...want.get(name)!]));
  });

  it("stops where the receiver fails or it is told to, and can be asked again", async () => {
    const tensors = await openTensors(openModelMemory(wholeFolder(randomTensors("F32", 8))), config);
    const failing = () => {
      throw new Error("no room");
    };
    await expect(tensors.stream(EMBEDDING, failing)).rejects.toThrow("no room");
    const stop = new AbortController();
    let chunks = 0;
    const streaming = tensors.stream(
      EMBEDDING,
      () => {
        if (++chunks === 2) stop.abort(new Error("enough"));
      },
      { chunkBytes: 1, signal: stop.signal },
    );
    await expect(streaming).rejects.toThrow("enough");
    expect(chunks).toBe(2);
    const { values } = await gather((take) => tensors.stream(EMBEDDING, take));
    expect(values.length).toBe(37 * 12);
    await expect(tensors.stream("model.nothing", failing)).rejects.toThrow(RangeError);
  });
});

describe("streamFloat16()", () => {
  it("leaves F16 as it is and rounds the others once, to nearest even", async () => {
    for (const dtype of dtypes) {
      const files = wholeFolder(randomTensors(dtype, 9));
      const tensors = await openTensors(openModelMemory(files), config);
      for (const name of [EMBEDDING, NORM]) {
        const { values } = await gather((take) => tensors.streamFloat16(name, take, { chunkBytes: 100 }));
        const stored = parseSafetensors(files["model.safetensors"]).tensors.get(name)!.data();
        const want =
          dtype === "F16" ? [...(stored as Uint16Array)] : [...eagerly(files).get(name)!].map(float16Bits);
        if (dtype !== "F64") expect(values, `${dtype} ${name}`).toEqual(want);
        else
          [...(stored as Float64Array)].forEach((value, i) => {
            const error = Math.abs(float16Value(values[i]) - value);
            for (const step of [-1, 1])
              expect(error).toBeLessThanOrEqual(Math.abs(float16Value(values[i] + step) - value));
          });
      }
    }
  });

  it("rounds doubles near a tie by what they are", () => {
    const tie = 1 + 2 ** -11;
    const values = [
      tie,
      tie + 2 ** -40,
      tie - 2 ** -40,
      -tie - 2 ** -40,
      65519.9999999999,
      2 ** -25 + 2 ** -60,
      0,
    ];
    const bits = new Uint16Array(values.length);
    expect(narrowValues(Float64Array.from(values), bits)).toBe(-1);
    // One f32 rounding before would make ties of all but the first, and zero of 2^-25 and a little.
    expect([...bits]).toEqual([0x3c00, 0x3c01, 0x3c00, 0xbc01, 0x7bff, 1, 0]);
  });

  it("keeps infinities and NaN, and refuses finite values beyond f16 by tensor and place", async () => {
    for (const dtype of ["F32", "BF16", "F64"] as const) {
      const stored = randomTensors(dtype, 10);
      const values = stored[EMBEDDING].data as Float64Array;
      values.set([Infinity, -Infinity, NaN], 0);
      const open = () => openTensors(openModelMemory(wholeFolder(stored)), config);
      const { values: bits } = await gather(async (take) => (await open()).streamFloat16(EMBEDDING, take));
      expect(bits.slice(0, 2)).toEqual([0x7c00, 0xfc00]);
      expect(float16Value(bits[2])).toBeNaN();
      values[12 * 20 + 5] = -131072;
      for (const chunkBytes of [100, undefined]) {
        const refused = open().then((index) =>
          index.streamFloat16(EMBEDDING, () => undefined, { chunkBytes }),
        );
        await expect(refused, dtype).rejects.toMatchObject({
          code: "model/beyond-f16",
          message: expect.stringMatching(/embed_tokens.weight.*-131072 at \[20, 5\]/),
        });
      }
      const adjusted = await openTensors(openModelMemory(wholeFolder(stored)), config, {
        adjust: (_, chunk) => chunk.set(chunk.map((value) => value * 2)),
      });
      await expect(adjusted.streamFloat16(EMBEDDING, () => undefined)).rejects.toMatchObject({
        message: expect.stringContaining("-262144 at [20, 5]"),
      });
    }
  });
});

describe("openTensors() refuses", () => {
  const tensors = () => randomTensors("F32", 11);

  it("missing, extra, wrong-shaped and whole-numbered tensors by name", async () => {
    const { [NORM]: _, ...missing } = tensors();
    expect(await refusal(wholeFolder(missing))).toMatchObject({
      code: "model/missing-tensor",
      message: expect.stringContaining(NORM),
    });
    const extra = { ...tensors(), "model.layers.9.mlp.up_proj.weight": tensors()[NORM] };
    expect(await refusal(wholeFolder(extra))).toMatchObject({
      code: "model/extra-tensor",
      message: expect.stringContaining("model.layers.9"),
    });
    const bent = { ...tensors(), [NORM]: { ...tensors()[NORM], shape: [3, 4] } };
    expect(await refusal(wholeFolder(bent))).toMatchObject({
      code: "model/wrong-shape",
      message: expect.stringMatching(/model\.norm\.weight.*\[3, 4\].*\[12\]/),
    });
    const whole = { ...tensors(), [NORM]: { dtype: "I32" as const, shape: [12], data: new Int32Array(12) } };
    expect(await refusal(wholeFolder(whole))).toMatchObject({
      code: "safetensors/not-float",
      message: expect.stringContaining(NORM),
    });
  });

  it("missing shards, false promises and an index that leads elsewhere", async () => {
    const files = shardedFolder(tensors(), 2);
    const { "model-00002-of-00002.safetensors": _, ...withoutSecond } = files;
    expect(await refusal(withoutSecond)).toMatchObject({
      code: "model/missing-file",
      message: expect.stringContaining("found model-00001-of-00002.safetensors"),
    });
    const first = files["model-00001-of-00002.safetensors"];
    expect(await refusal({ ...files, "model-00002-of-00002.safetensors": first })).toMatchObject({
      code: "model/missing-tensor",
      message: expect.stringContaining("promises"),
    });
    for (const index of [{ weight_map: { x: "../secret.safetensors" } }, {}]) {
      expect(await refusal({ ...files, "model.safetensors.index.json": jsonBytes(index) })).toMatchObject({
        code: "model/bad-index",
      });
    }
    const { "model.safetensors": __, ...none } = wholeFolder(tensors());
    expect(await refusal(none)).toMatchObject({ code: "model/missing-file" });
  });

  it("every truncation, naming the file, and a file that shrinks while it is read", async () => {
    const files = wholeFolder(tensors());
    const whole = files["model.safetensors"];
    const header = 8 + Number(new DataView(whole.buffer).getBigUint64(0, true));
    for (const length of [0, 7, 8, 9, header - 1, header, header + 1, whole.byteLength - 1]) {
      const cut = { ...files, "model.safetensors": whole.slice(0, length) };
      const error = await refusal(cut);
      expect(error.code, `${length} bytes`).toBe("safetensors/damaged");
      expect(error.message).toContain("(model.safetensors in memory)");
      expect(error.message).toBe(
        (await loadModelFiles(openModelMemory(cut)).catch((other) => other)).message,
      );
    }
    const memory = openModelMemory(files);
    const shrinking = await openTensors(memory, config);
    files["model.safetensors"] = whole.slice(0, header + 100);
    await expect(shrinking.stream(EMBEDDING, () => undefined)).rejects.toMatchObject({
      code: "safetensors/damaged",
      message: expect.stringContaining("model.safetensors"),
    });
  });
});
