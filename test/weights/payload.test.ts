import { describe, expect, it } from "vitest";
import { bfloat16Bits, bfloat16Value, float16Bits, float16Value } from "../../src/model/float16.ts";
import { fingerprint, fingerprintLanes } from "../../src/weights/fingerprint.ts";
import { packShard, shardPayload, unpackShards } from "../../src/weights/payload.ts";

const shards = [Float32Array.of(1, -2.3, 3e-5, 4, 5), Float32Array.of(0.1, 70000, 1e-9)];
const layout = { shards: shards.map(({ length }) => ({ length, matrices: true })) };

describe("payload", () => {
  it.each([
    ["f32", (value: number) => value],
    ["bf16", (value: number) => bfloat16Value(bfloat16Bits(value))],
    ["f16", (value: number) => float16Value(float16Bits(value))],
  ] as const)("packs and unpacks %s, also in shared memory", (format, rounded) => {
    const payload = shardPayload(layout, format);
    expect(payload.byteLength).toBe(format === "f32" ? 32 : 20);
    for (const buffer of [new ArrayBuffer(payload.byteLength), new SharedArrayBuffer(payload.byteLength)]) {
      const bytes = new Uint8Array(buffer);
      shards.forEach((values, i) => void packShard(payload, i, values, bytes));
      const found = [...unpackShards(payload, bytes)];
      expect(found.map((values) => values.buffer instanceof ArrayBuffer)).toEqual([true, true]);
      const wide = found.map((values) =>
        values instanceof Uint16Array ? Float32Array.from(values, float16Value) : values,
      );
      expect(wide).toEqual(shards.map((values) => values.map(rounded)));
    }
  });

  it("refuses other sizes", () => {
    const payload = shardPayload(layout, "f32");
    const bytes = new Uint8Array(payload.byteLength);
    expect(() => packShard(payload, 1, shards[0], bytes)).toThrow(/shard 1: 3 values are needed, got 5/);
    expect(() => [...unpackShards(payload, bytes.subarray(4))]).toThrow(RangeError);
  });
});

describe("fingerprint()", () => {
  const bytes = Uint8Array.from({ length: 1003 }, (_, index) => (index * 31 + (index >> 3)) & 0xff);

  it("changes in both lanes with any single bit, any swap and any length", () => {
    const seen = new Set([fingerprint(bytes)]);
    const whole = fingerprintLanes(bytes);
    const changed = bytes.slice();
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      changed[bit >> 3] ^= 1 << (bit & 7);
      const lanes = fingerprintLanes(changed);
      if (lanes.low === whole.low || lanes.high === whole.high) expect.unreachable(`bit ${bit}`);
      seen.add(fingerprint(changed));
      changed[bit >> 3] ^= 1 << (bit & 7);
    }
    expect(seen.size).toBe(1 + bytes.length * 8);
    const words = Int32Array.from({ length: 64 }, (_, index) => index);
    const original = fingerprint(new Uint8Array(words.buffer));
    for (let index = 1; index < 64; index += 1) {
      const swapped = words.slice();
      [swapped[0], swapped[index]] = [swapped[index], swapped[0]];
      expect(fingerprint(new Uint8Array(swapped.buffer))).not.toBe(original);
    }
    const zeros = new Set(Array.from({ length: 64 }, (_, length) => fingerprint(new Uint8Array(length))));
    expect(zeros.size).toBe(64);
  });

  it("does not depend on where the bytes lie", () => {
    for (const shift of [1, 2, 3, 4]) {
      const moved = new Uint8Array(new SharedArrayBuffer(bytes.length + shift), shift);
      moved.set(bytes);
      expect(fingerprint(moved)).toBe(fingerprint(bytes));
    }
    expect(fingerprint(bytes)).toMatch(/^[0-9a-f]{16}$/);
  });
});
