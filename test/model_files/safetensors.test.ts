import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/errors.ts";
import {
  bfloat16Bits,
  bfloat16Value,
  float16Bits,
  float16Value,
  toBfloat16,
} from "../../src/model/float16.ts";
import { parseSafetensors, toFloat32, toInt32, writeSafetensors } from "../../src/model/safetensors.ts";

const sharedFolder = fileURLToPath(new URL("../../../shared/", import.meta.url));
const random = (length: number) => Float32Array.from({ length }, (_, index) => Math.sin(index * 12.9898) * 3);

/** A file from a header and a data block, as a hand could damage it. */
function assemble(header: unknown, block: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + block);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

function refusal(action: () => unknown): DataError {
  try {
    action();
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("float16 and bfloat16", () => {
  it("widen and narrow every pattern without change", () => {
    for (let bits = 0; bits < 65536; bits += 1) {
      const half = float16Value(bits);
      if (!Number.isNaN(half) && float16Bits(half) !== bits) expect(float16Bits(half)).toBe(bits);
      const brain = bfloat16Value(bits);
      if (!Number.isNaN(brain) && bfloat16Bits(brain) !== bits) expect(bfloat16Bits(brain)).toBe(bits);
    }
  });

  it("round to the nearest, ties to even", () => {
    // Searches the neighbours instead of repeating the arithmetic.
    const nearest = (value: number, widen: (bits: number) => number, limit: number) => {
      let best = 0;
      for (let low = 0, high = limit; low <= high; ) {
        const middle = (low + high) >> 1;
        if (widen(middle) <= value) {
          best = middle;
          low = middle + 1;
        } else high = middle - 1;
      }
      const under = value - widen(best);
      const over = widen(best + 1) - value;
      if (under === over) return best % 2 === 0 ? best : best + 1;
      return under < over ? best : best + 1;
    };
    const check = (value: number) => {
      const single = Math.fround(value);
      if (single < 65504) expect(float16Bits(single)).toBe(nearest(single, float16Value, 0x7bff));
      expect(bfloat16Bits(single)).toBe(nearest(single, bfloat16Value, 0x7f7f));
    };
    fc.assert(fc.property(fc.float({ min: 0, max: 65472, noNaN: true }), check), { numRuns: 500 });
    for (const bits of [0, 1, 2, 3, 0x3ff, 0x400, 0x3c00, 0x3c01, 0x7bfe]) {
      check((float16Value(bits) + float16Value(bits + 1)) / 2);
      check((bfloat16Value(bits) + bfloat16Value(bits + 1)) / 2);
    }
  });

  it("keep infinities, NaN and signs", () => {
    expect([65519, 65520, Infinity, -Infinity, -0].map(float16Bits)).toEqual([
      0x7bff, 0x7c00, 0x7c00, 0xfc00, 0x8000,
    ]);
    expect(float16Value(float16Bits(NaN))).toBeNaN();
    const quietPayload = new Float32Array(new Uint32Array([0x7f800001]).buffer);
    expect(bfloat16Value(toBfloat16(quietPayload)[0])).toBeNaN();
    expect([Infinity, -Infinity, -0].map(bfloat16Bits)).toEqual([0x7f80, 0xff80, 0x8000]);
  });
});

describe("safetensors", () => {
  it("reads back what it wrote, in every dtype", () => {
    const floats = random(15);
    const file = parseSafetensors(
      writeSafetensors(
        {
          half: { dtype: "F16", shape: [5, 3], data: floats },
          brain: { dtype: "BF16", shape: [3, 5], data: floats },
          single: { dtype: "F32", shape: [15], data: floats },
          double: { dtype: "F64", shape: [15], data: Float64Array.from(floats) },
          whole: { dtype: "I32", shape: [2, 2], data: [1, -2, 3, 2147483647] },
          scalar: { dtype: "F32", shape: [], data: [7] },
          empty: { dtype: "F32", shape: [0, 4], data: [] },
        },
        { format: "pt" },
      ),
    );
    expect(file.metadata).toEqual({ format: "pt" });
    expect(file.tensors.get("brain")?.shape).toEqual([3, 5]);
    expect(toFloat32(file.tensors.get("single")!)).toEqual(floats);
    expect(toFloat32(file.tensors.get("double")!)).toEqual(floats);
    expect(toFloat32(file.tensors.get("half")!)).toEqual(floats.map((v) => float16Value(float16Bits(v))));
    expect(toFloat32(file.tensors.get("brain")!)).toEqual(floats.map((v) => bfloat16Value(bfloat16Bits(v))));
    expect([...toInt32(file.tensors.get("whole")!)]).toEqual([1, -2, 3, 2147483647]);
    expect([...toFloat32(file.tensors.get("scalar")!)]).toEqual([7]);
    expect(toFloat32(file.tensors.get("empty")!).length).toBe(0);
  });

  it("reads at any alignment of the surrounding buffer", () => {
    const bytes = writeSafetensors({ x: { dtype: "F32", shape: [4], data: [1, 2, 3, 4] } });
    for (const shift of [0, 1, 2, 3, 5]) {
      const moved = new Uint8Array(bytes.length + shift).subarray(shift);
      moved.set(bytes);
      expect([...toFloat32(parseSafetensors(moved).tensors.get("x")!)]).toEqual([1, 2, 3, 4]);
    }
  });

  it("reads a Node Buffer at any alignment: its slice() is a view", () => {
    const bytes = writeSafetensors({ a: { dtype: "F64", shape: [3], data: [1.5, -2, 0.25] } });
    for (let shift = 0; shift < 8; shift++) {
      const padded = Buffer.alloc(bytes.byteLength + shift);
      padded.set(bytes, shift);
      const read = parseSafetensors(padded.subarray(shift)).tensors.get("a")!;
      expect([...toFloat32(read)]).toEqual([1.5, -2, 0.25]);
    }
  });

  it("writes the same bytes whatever the order of the names", () => {
    const a = { dtype: "F32", shape: [1], data: [1] } as const;
    const b = { dtype: "BF16", shape: [2], data: [1, 2] } as const;
    expect(writeSafetensors({ a, b })).toEqual(writeSafetensors({ b, a }));
  });

  it("refuses every truncation of a file", () => {
    const bytes = writeSafetensors({
      "model.norm.weight": { dtype: "F32", shape: [3], data: [1, 2, 3] },
      "model.other": { dtype: "BF16", shape: [1], data: [4] },
    });
    for (let length = 0; length < bytes.length; length += 1) {
      expect(refusal(() => parseSafetensors(bytes.slice(0, length))).code, `${length} bytes`).toBe(
        "safetensors/damaged",
      );
    }
    const last = refusal(() => parseSafetensors(bytes.slice(0, -1)));
    expect(last.message).toContain("model.other");
    expect(last.hint).toBeDefined();
  });

  it("refuses headers that lie, and names the tensor", () => {
    const tensor = (start: number, end: number, shape: unknown = [1], dtype = "F32") => ({
      dtype,
      shape,
      data_offsets: [start, end],
    });
    const cases: [string, unknown, number, RegExp][] = [
      ["not JSON", "{nonsense", 4, /not JSON/],
      ["an array", [], 0, /not a JSON object/],
      ["overlap", { a: tensor(0, 4), b: tensor(2, 6) }, 6, /tensor b overlaps/],
      ["gap", { a: tensor(0, 4), b: tensor(8, 12) }, 12, /before tensor b/],
      ["left over", { a: tensor(0, 4) }, 8, /last 4 bytes/],
      ["past the end", { a: tensor(0, 400, [100]) }, 4, /tensor a ends at byte 400/],
      ["wrong size", { a: tensor(0, 4, [2]) }, 4, /tensor a, F32 of shape \[2\], has 4 bytes, 8 are needed/],
      ["negative", { a: tensor(-4, 0) }, 0, /tensor a has the offsets/],
      ["backwards", { a: tensor(4, 0) }, 4, /tensor a has the offsets/],
      ["fractional", { a: tensor(0, 4, [0.5]) }, 4, /tensor a has the shape/],
      ["no shape", { a: { dtype: "F32", data_offsets: [0, 4] } }, 4, /tensor a has the shape/],
      ["null entry", { a: null }, 0, /tensor a/],
      ["unknown dtype", { a: tensor(0, 1, [1], "F8_E4M3") }, 1, /tensor a: its dtype is "F8_E4M3"/],
      ["prototype dtype", { a: tensor(0, 1, [1], "constructor") }, 1, /tensor a: its dtype/],
      ["metadata", { __metadata__: { format: 3 } }, 0, /__metadata__/],
    ];
    for (const [what, header, block, message] of cases) {
      expect(refusal(() => parseSafetensors(assemble(header, block))).message, what).toMatch(message);
    }
    const huge = new Uint8Array(16).fill(0xff);
    expect(refusal(() => parseSafetensors(huge)).message).toContain("claims");
  });

  it("refuses to read integers as floats and floats as integers", () => {
    const { tensors } = parseSafetensors(
      writeSafetensors({
        whole: { dtype: "I32", shape: [1], data: [3] },
        real: { dtype: "F32", shape: [1], data: [0.5] },
      }),
    );
    expect(refusal(() => toFloat32(tensors.get("whole")!)).message).toContain("whole");
    expect(refusal(() => toInt32(tensors.get("real")!)).code).toBe("safetensors/not-integer");
  });

  it("refuses to write values that do not fill the shape", () => {
    expect(() => writeSafetensors({ x: { dtype: "F32", shape: [2], data: [1] } })).toThrow(RangeError);
  });

  const vectors = `${sharedFolder}reference/vectors/kernels/`;
  describe.skipIf(!existsSync(vectors))("on files that other programs wrote", () => {
    it("reads every kernel vector and writes each tensor back unchanged", () => {
      for (const name of readdirSync(vectors).slice(0, 12)) {
        const { tensors } = parseSafetensors(readFileSync(vectors + name));
        expect(tensors.size, name).toBeGreaterThan(0);
        for (const tensor of tensors.values()) {
          if (!["F32", "F64", "I32"].includes(tensor.dtype)) continue;
          const copy = parseSafetensors(
            writeSafetensors({
              x: { ...tensor, data: tensor.data() as Float32Array, dtype: tensor.dtype as "F32" },
            }),
          ).tensors.get("x")!;
          const [wrote, read] = [tensor.data(), copy.data()].map((view) =>
            Buffer.from(view.buffer, view.byteOffset, view.byteLength),
          );
          expect(wrote.equals(read), `${name} ${tensor.name}`).toBe(true);
        }
      }
    });
  });
});
