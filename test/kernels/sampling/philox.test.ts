import { describe, expect, it } from "vitest";
import philoxCode from "../../../shaders/sampling/philox.wgsl" with { type: "text" };
import sampleCode from "../../../shaders/sampling/sample.wgsl" with { type: "text" };
import { philox, philox4x32, samplingUniform, splitWords } from "../../../src/kernels/sampling/philox.ts";
import { asWords, runKernel, uniform } from "../../gpu_harness.ts";

// The known answers that Random123 publishes: zeros, all ones, digits of pi.
const answers = [
  {
    counter: [0, 0, 0, 0],
    key: [0, 0],
    words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
] as const;

/** The text of a WGSL function. */
function functionText(code: string, name: string): string {
  return code.match(new RegExp(`^fn ${name}\\([\\s\\S]*?^}`, "m"))?.[0] ?? `no ${name}`;
}

async function run(counters: Uint32Array, key: readonly [number, number]): Promise<Uint32Array> {
  const got = await runKernel(
    philox,
    { counters, words: new Uint32Array(counters.length) },
    { rows: counters.length / 4, key_low: key[0], key_high: key[1] },
  );
  return asWords(got.words);
}

// Broken on purpose once: nine rounds, no carry between the halves. Each fails below.
describe("philox", () => {
  for (const { counter, key, words } of answers) {
    it(`gives the published words for the counter ${counter[0].toString(16)}`, async () => {
      expect(philox4x32(counter, key)).toEqual([...words]);
      expect([...(await run(Uint32Array.from(counter), key))]).toEqual([...words]);
    });
  }

  it("gives the same words on the GPU and in TypeScript", async () => {
    const next = uniform(11);
    const counters = Uint32Array.from({ length: 4 * 259 }, () => next() * 2 ** 32);
    const want = Uint32Array.from({ length: 259 }, (_, i) => i).reduce<number[]>((words, i) => {
      const [a, b, c, d] = counters.subarray(4 * i, 4 * i + 4);
      words.push(...philox4x32([a, b, c, d], [12345, 0xdeadbeef]));
      return words;
    }, []);
    expect([...(await run(counters, [12345, 0xdeadbeef]))]).toEqual(want);
  });

  it("is the function that sample.wgsl draws with", () => {
    for (const name of ["philox4x32", "multiply_high"]) {
      expect(functionText(philoxCode, name)).toContain(`fn ${name}(`);
      expect(functionText(sampleCode, name)).toBe(functionText(philoxCode, name));
    }
  });

  it("splits whole numbers into words and keys the uniform number by all of them", () => {
    expect(splitWords(2 ** 40 + 7)).toEqual([7, 256]);
    const base = samplingUniform(1, 2, 3);
    expect(base).toBeGreaterThanOrEqual(0);
    expect(base).toBeLessThan(1);
    const others = [
      samplingUniform(1 + 2 ** 32, 2, 3),
      samplingUniform(1, 2 + 2 ** 32, 3),
      samplingUniform(1, 2, 4),
    ];
    expect(new Set([base, ...others]).size).toBe(4);
  });
});
