import { describe, expect, it } from "vitest";
import { Recorder } from "../../../src/gpu/recorder.ts";
import { decodeAdvance, endTokens } from "../../../src/kernels/sampling/decode_advance.ts";
import { samplingUniform } from "../../../src/kernels/sampling/philox.ts";
import { sample } from "../../../src/kernels/sampling/sample.ts";
import { asWords, normals, runKernel, testGpu } from "../../gpu_harness.ts";
import { filteredDistribution, invert } from "../../reference/sampling.ts";

const NONE = 0xffffffff;
const bitsOf = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0];

interface Row {
  /** What was drawn, or null for an idle row. */
  drawn: { token: number; flags: number } | null;
  position: number;
  remaining: number;
}

/** Runs one step over rows whose slots are 10, 11, … and whose rollouts are 100, 101, …, all at completion index 4. */
async function advance(rows: readonly Row[], { step = 0, capacity = 50, ends = [2] } = {}) {
  const B = rows.length;
  const words = (perRow: (row: Row, b: number) => number[]) => Uint32Array.from(rows.flatMap(perRow));
  const got = await runKernel(
    decodeAdvance,
    {
      sampled: words(({ drawn }) =>
        drawn ? [drawn.token, bitsOf(-0.5), bitsOf(1.5), drawn.flags] : [NONE, 0, 0, 0],
      ),
      token: words(() => [9]),
      position: words(({ position }) => [position]),
      entries: words(({ position }, b) => [b, 10 + b, position]),
      draws: words((_, b) => [B + 3, 100 + b, 7, 4]),
      progress: words(({ remaining }) => [remaining, 0]),
      ring: new Uint32Array(4 * B * (step + 2)).fill(5),
    },
    { rows: B, step, capacity, ...endTokens(ends) },
  );
  const part = (values: Float32Array, width: number, b: number) => [
    ...asWords(values).subarray(width * b, width * (b + 1)),
  ];
  return {
    ring: asWords(got.ring),
    rows: rows.map((_, b) => ({
      token: part(got.token, 1, b)[0],
      position: part(got.position, 1, b)[0],
      entry: part(got.entries, 3, b),
      draw: part(got.draws, 4, b),
      progress: part(got.progress, 2, b),
      record: part(got.ring, 4, step * B + b),
    })),
  };
}

// Broken on purpose once: position not moved in entries, eight end tokens seen as seven, no end at the last token, the
// ring laid out (B, steps). Each fails below.
describe("decodeAdvance()", () => {
  const [logprob, entropy] = [bitsOf(-0.5), bitsOf(1.5)];

  it("moves a running row on", async () => {
    const { rows } = await advance([{ drawn: { token: 6, flags: 1 }, position: 12, remaining: 8 }]);
    expect(rows[0]).toEqual({
      token: 6,
      position: 13,
      entry: [0, 10, 13],
      draw: [0, 100, 7, 5],
      progress: [7, 0],
      record: [6, logprob, entropy, 0],
    });
  });

  it("ends rows on an end token, the last token, a full cache and broken logits; leaves idle rows alone", async () => {
    const { rows } = await advance([
      { drawn: { token: 2, flags: 1 }, position: 12, remaining: 1 },
      { drawn: { token: 6, flags: 1 }, position: 12, remaining: 1 },
      { drawn: { token: 6, flags: 1 }, position: 49, remaining: 8 },
      { drawn: { token: 0, flags: 3 }, position: 12, remaining: 8 },
      { drawn: null, position: 12, remaining: 8 },
    ]);
    expect(rows.map(({ record }) => record)).toEqual([
      [2, logprob, entropy, 1],
      [6, logprob, entropy, 2],
      [6, logprob, entropy, 2],
      [NONE, 0, 0, 3],
      [NONE, 0, 0, 0],
    ]);
    expect(rows.map(({ progress }) => progress)).toEqual([
      [0, 1],
      [0, 2],
      [7, 2],
      [7, 3],
      [8, 0],
    ]);
    for (const [b, { token, position, entry, draw }] of rows.entries()) {
      expect([token, position]).toEqual([9, b === 2 ? 49 : 12]);
      expect(entry[1], "slot").toBe(b < 4 ? NONE : 14);
      expect(draw[0], "logits row").toBe(b < 4 ? NONE : 8);
    }
  });

  it("knows up to eight end tokens and no others", async () => {
    const ends = [3, 5, 7, 11, 13, 17, 19, 23];
    const tokens = [...ends, 0, 1, 2, 24];
    const rows = tokens.map((token) => ({ drawn: { token, flags: 1 }, position: 1, remaining: 9 }));
    for (const count of [0, 1, 4, 8]) {
      const { rows: after } = await advance(rows, { ends: ends.slice(0, count) });
      expect(after.map(({ progress }) => progress[1])).toEqual(tokens.map((_, i) => (i < count ? 1 : 0)));
    }
    expect(() => endTokens([1, 2, 3, 4, 5, 6, 7, 8, 9])).toThrow(RangeError);
  });

  it("writes its own step of the ring, over more rows than one workgroup has", async () => {
    const rows = Array.from({ length: 131 }, (_, b) => ({
      drawn: { token: 10 + b, flags: 1 },
      position: b % 40,
      remaining: 9,
    }));
    const { ring } = await advance(rows, { step: 2, capacity: 64 });
    expect([...ring.filter((_, i) => i % 4 === 0)].slice(2 * 131, 3 * 131)).toEqual(
      rows.map((_, b) => 10 + b),
    );
    expect(new Set([...ring.slice(0, 8 * 131), ...ring.slice(12 * 131)])).toEqual(new Set([5]));
  });

  it("runs sampling steps in one submit that replay alone", async () => {
    const gpu = await testGpu();
    await gpu.compile([sample, decodeAdvance]);
    const [vocab, steps, seed] = [19, 12, 42];
    const logits = normals(vocab, 5, 1.2);
    /** Completions of rollouts, all from the same logits: what each row of the ring says. */
    const generate = async (rollouts: readonly number[]) => {
      const B = rollouts.length;
      using logitBuffer = gpu.bufferFrom(
        "logits",
        Float32Array.from({ length: B * vocab }, (_, i) => logits[i % vocab]),
      );
      using draws = gpu.bufferFrom("draws", Uint32Array.from(rollouts.flatMap((id, b) => [b, id, 0, 0])));
      using sampled = gpu.buffer("sampled", 4 * B);
      using token = gpu.buffer("token", B);
      using position = gpu.buffer("position", B);
      using entries = gpu.bufferFrom("entries", Uint32Array.from(rollouts.flatMap((_, b) => [b, b, 0])));
      using progress = gpu.bufferFrom("progress", Uint32Array.from(rollouts.flatMap(() => [9, 0])));
      using ring = gpu.buffer("ring", 4 * B * steps);
      const recorder = new Recorder(gpu, "decode");
      for (let step = 0; step < steps; step++) {
        sample.encode(
          recorder,
          { logits: logitBuffer, draws, sampled },
          {
            rows: B,
            logit_rows: B,
            vocab,
            seed_low: seed,
            seed_high: 0,
            top_k: 0,
            top_p: 1,
            min_p: 0,
            inverse_temperature: 1,
          },
        );
        decodeAdvance.encode(
          recorder,
          { sampled, token, position, entries, draws, progress, ring },
          { rows: B, step, capacity: 64, ...endTokens([0]) },
        );
      }
      recorder.submit();
      const words = await ring.readWords();
      return rollouts.map((_, b) => {
        const tokens: number[] = [];
        let reason = 0;
        for (let step = 0; step < steps; step++) {
          const [id, , , ended] = words.subarray(4 * (step * B + b));
          if (reason === 0) tokens.push(id);
          else expect(id).toBe(NONE);
          reason ||= ended;
        }
        return { tokens, reason };
      });
    };
    const rollouts = [7, 3, 1000, 4, 5, 6];
    const together = await generate(rollouts);
    const distribution = filteredDistribution(logits, { temperature: 1 });
    for (const [b, { tokens, reason }] of together.entries()) {
      expect(reason).toBe(tokens.at(-1) === 0 ? 1 : 2);
      if (reason === 2) expect(tokens.length).toBe(9);
      const want = tokens.map((_, i) => invert(distribution, samplingUniform(seed, rollouts[b], i)).token);
      expect(tokens).toEqual(want);
      expect((await generate([rollouts[b]]))[0]).toEqual(together[b]);
    }
  });
});
