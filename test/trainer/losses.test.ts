import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { computeAdvantages } from "../../src/trainer/advantages.ts";
import type { LossName, LossSettings } from "../../src/trainer/losses/policy_loss.ts";
import { lossSettings, POLICY_LOSSES, policyLoss } from "../../src/trainer/losses/registry.ts";
import { tokenWeights } from "../../src/trainer/token_weights.ts";
import {
  importanceReference,
  type LossCase,
  lossDifferences,
  lossReference,
  referenceKlReference,
} from "../reference/losses.ts";
import {
  NEMO_ROWS,
  publishedCase,
  runPublished,
  SEQUENCE_ADVANTAGES,
  TOKEN_ADVANTAGES,
  TRL_ROWS,
  UNFILTERED,
} from "./published_losses.ts";

// Broken on purpose once, in the twin: clip bounds swapped, max for min, CISPO's ratio uncapped, mean for sum in the
// sequence weights, the sign of d in k3. Each fails 3 to 37 tests below.
describe("published losses and gradients", () => {
  // NeMo divides by the count plus 1e-8, TRL's rows are printed with ten digits.
  for (const { tolerance, rows, source } of [
    { source: "NeMo-RL", rows: NEMO_ROWS, tolerance: 1e-8 },
    { source: "TRL", rows: TRL_ROWS, tolerance: 1e-10 },
  ]) {
    for (const { row, name, advantage, rule, changes, inputs, loss, grad } of rows) {
      it(`${source}: ${row}`, () => {
        const got = runPublished(name, { ...publishedCase(advantage, rule), ...inputs }, changes);
        expect(Math.abs(got.loss - loss)).toBeLessThan(tolerance);
        if (grad) for (let m = 0; m < 5; m++) expect(Math.abs(got.grad[m] - grad[m])).toBeLessThan(2e-8);
      });
    }
  }

  // Skipped: NeMo's "PPO + 0.3 × NLL" (no likelihood term here), TRL's sapo, vespo, entropy mask, entropy bonus, OPSM
  // and the gradient-accumulation factor (none of these losses or options exists here; weights replace the factor).
  it("NeMo-RL: PPO + 0.17·k3 of the unfiltered current, weighted by exp(unfiltered − sampler)", () => {
    const c = publishedCase(TOKEN_ADVANTAGES, "token_mean");
    const { kl } = referenceKlReference({ ...c, logprob: UNFILTERED }, false);
    const sampler = c.sampler as number[];
    const penalty = kl.reduce(
      (sum, k3, m) => sum + (0.17 / 5) * k3 * Math.exp(UNFILTERED[m] - sampler[m]),
      0,
    );
    expect(runPublished("dapo", c).loss + penalty).toBeCloseTo(0.198519186, 8);
  });

  it("NeMo-RL: metrics", () => {
    const c = publishedCase(TOKEN_ADVANTAGES, "token_mean");
    const { ratio } = runPublished("dapo", c);
    const average = (values: Iterable<number>) => [...values].reduce((sum, x) => sum + x, 0) / 5;
    expect(average(ratio)).toBeCloseTo(0.90624229, 8);
    expect(Math.min(...ratio)).toBeCloseTo(0.54881164, 8);
    expect(Math.max(...ratio)).toBeCloseTo(1.34985881, 8);
    expect(average(importanceReference(c, "token_truncate", 0, Infinity))).toBeCloseTo(1.20152087, 8);
    const k3 = (to: ArrayLike<number>, from: ArrayLike<number>) =>
      average(referenceKlReference({ ...c, ref: to, logprob: from }, false).kl);
    expect(k3(c.old, c.sampler as number[])).toBeCloseTo(0.06152087, 8);
    expect(k3(c.sampler as number[], c.old)).toBeCloseTo(0.05012224, 8);
    const { ratio: sequences } = runPublished("gspo", c);
    expect([sequences[0], sequences[3]].map((s) => s.toFixed(8))).toEqual(["0.81873075", "0.90483742"]);
  });

  it("TRL: the kl metric with and without bias correction", () => {
    const c = publishedCase(SEQUENCE_ADVANTAGES, "token_mean");
    const average = (corrected: boolean) =>
      referenceKlReference(c, corrected).kl.reduce((sum, x) => sum + x / 5, 0);
    expect(average(true)).toBeCloseTo(0.0898977, 7);
    expect(average(false)).toBeCloseTo(0.11312817, 8);
  });

  it("NeMo-RL: hand-worked ratios .5, 1, 1.5", () => {
    const c: LossCase = {
      offsets: [0, 3],
      logprob: [0.5, 1, 1.5].map(Math.log),
      old: [0, 0, 0],
      advantage: [1, -1, 2],
      weight: [1 / 3, 1 / 3, 1 / 3],
    };
    expect([...runPublished("dapo", c).terms].map((x) => 3 * x)).toEqual([-0.5, 1, -2.4]);
    const reinforce = { ratioFloor: 1, ratioCap: 1 };
    const logprob = [-0.5, -1, -1.5];
    expect(runPublished("tis_reinforce", { ...c, logprob, old: logprob }, reinforce).loss).toBeCloseTo(
      0.8333,
      4,
    );
    expect(runPublished("dapo", { ...c, logprob, old: logprob }).loss).toBeCloseTo(-0.6667, 4);
  });
});

describe("recipe vectors", () => {
  it("clip .2/.28: value and whether the gradient flows", () => {
    for (const [ratio, a, value, flows] of [
      [1.5, 1, 1.28, 0],
      [1.27, 1, 1.27, 1],
      [0.5, 1, 0.5, 1],
      [1.5, -1, -1.5, 1],
      [0.5, -1, -0.8, 0],
      [0.79, -1, -0.8, 0],
    ]) {
      const c: LossCase = {
        offsets: [0, 1],
        logprob: [Math.log(ratio)],
        old: [0],
        advantage: [a],
        weight: [1],
      };
      const { loss, grad } = lossReference("magistral", lossSettings(policyLoss("magistral")), c);
      expect(-loss).toBeCloseTo(value, 12);
      expect(grad[0]).toBeCloseTo(flows ? -a * ratio : 0, 12);
    }
  });
});

const vectors = new URL("../../../shared/reference/vectors/models/", import.meta.url);

/** The float tensors of a safetensors file as plain arrays. */
function readTensors(file: URL): Record<string, number[]> {
  const bytes = readFileSync(file);
  const size = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + size)) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >;
  const tensors: Record<string, number[]> = {};
  for (const [name, { dtype, data_offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const part = bytes.buffer.slice(
      bytes.byteOffset + 8 + size + data_offsets[0],
      bytes.byteOffset + 8 + size + data_offsets[1],
    );
    const view = { F64: Float64Array, F32: Float32Array, I32: Int32Array }[dtype];
    if (!view) throw new Error(`${name} has the type ${dtype}`);
    tensors[name] = [...new view(part)];
  }
  return tensors;
}

describe.skipIf(!existsSync(fileURLToPath(vectors)))("reference models", () => {
  const models = existsSync(fileURLToPath(vectors)) ? readdirSync(fileURLToPath(vectors)) : [];
  for (const model of models) {
    it(`${model}: every loss`, () => {
      const t = readTensors(new URL(`${model}/forward.safetensors`, vectors));
      const published = JSON.parse(readFileSync(new URL(`${model}/losses.json`, vectors), "utf8")) as {
        loss: Record<string, number>;
        clip: { low: number; high: number };
        dr_grpo_max_len: number;
      };
      const byGroup: number[][] = [];
      t.group.forEach((group, i) => {
        byGroup[group] ??= [];
        byGroup[group].push(t.rewards[i]);
      });
      const kept = byGroup.filter((rewards) => new Set(rewards).size > 1);
      const advantages = computeAdvantages(kept, "magistral");
      const sequences = kept.flat().length;
      for (let i = 0; i < sequences; i++)
        expect(Math.abs(advantages[i] - t.advantages[i])).toBeLessThan(1e-6);
      const lengths = t.lengths.map((length, i) => length - t.prompt_lengths[i]).slice(0, sequences);
      const offsets = [0];
      for (const length of lengths) offsets.push((offsets.at(-1) as number) + length);
      const starts = t.lengths.map((_, i) =>
        t.lengths.slice(0, i).reduce((sum, length) => sum + length - 1, 0),
      );
      const logprob = lengths.flatMap((length, i) => {
        const from = starts[i] + t.prompt_lengths[i] - 1;
        return t.token_logprobs.slice(from, from + length);
      });
      const tokens = offsets[sequences];
      const expand = (values: ArrayLike<number>) =>
        lengths.flatMap((length, i) => Array(length).fill(values[i]));
      const { low: epsilonLow, high: epsilonHigh } = published.clip;
      const clip = { epsilonLow, epsilonHigh };
      const runs: [string, LossName, Partial<LossSettings>][] = [
        ["magistral", "magistral", clip],
        ["dapo", "dapo", clip],
        ["grpo_beta0.04", "grpo", { ...clip, klBeta: 0.04 }],
        ["dr_grpo", "dr_grpo", clip],
        ["gspo", "gspo", clip],
        ["cispo", "cispo", { ratioCap: 1 + epsilonHigh }],
        ["tis2_reinforce", "tis_reinforce", {}],
      ];
      for (const [key, name, changes] of runs) {
        const loss = policyLoss(name);
        const weights = tokenWeights(
          lengths,
          t.group.slice(0, sequences),
          loss.weight,
          published.dr_grpo_max_len,
        );
        const got = lossReference(name, lossSettings(loss, changes), {
          offsets,
          logprob,
          old: t.old_logprobs.slice(0, tokens),
          ref: t.ref_logprobs.slice(0, tokens),
          advantage: expand(t.advantages),
          weight: expand(weights),
        });
        // Advantages are stored in f32, all else in f64.
        expect(Math.abs(got.loss - published.loss[key]), key).toBeLessThan(2e-7);
      }
    });
  }
});

describe("lossReference()", () => {
  const numbers = (min: number, max: number, length: number) =>
    fc.array(fc.double({ min, max, noNaN: true }), { minLength: length, maxLength: length });
  const cases = fc
    .record({
      logprob: numbers(-3, -0.1, 6),
      old: numbers(-3, -0.1, 6),
      sampler: numbers(-3, -0.1, 6),
      ref: numbers(-3, -0.1, 6),
      advantage: numbers(-2, 2, 6),
      weight: numbers(0.01, 1, 6),
    })
    .map((c): LossCase => ({ ...c, offsets: [0, 1, 4, 6] }));

  for (const name of Object.keys(POLICY_LOSSES) as LossName[]) {
    it(`${name}: the gradient equals finite differences`, () => {
      const settings = lossSettings(policyLoss(name), {
        epsilonLow: 0.2,
        epsilonHigh: 0.28,
        klBeta: 0.3,
        klBiasCorrection: true,
        importance: { mode: "token_truncate", low: 0.5, high: 2 },
      });
      fc.assert(
        fc.property(cases, (c) => {
          // Within a step of a kink both one-sided slopes are right.
          const { ratio } = lossReference(name, settings, c);
          fc.pre([0.8, 1.28].every((kink) => ratio.every((r) => Math.abs(r - kink) > 1e-3)));
          const { grad } = lossReference(name, settings, c);
          const differences = lossDifferences(name, settings, c);
          for (let m = 0; m < 6; m++) {
            expect(Math.abs(grad[m] - differences[m])).toBeLessThan(1e-6 * Math.max(1, Math.abs(grad[m])));
          }
        }),
        { numRuns: 40 },
      );
    });
  }

  it("at lag 0 every ratio is 1, nothing is clipped and the gradient is −weight·A", () => {
    for (const name of Object.keys(POLICY_LOSSES) as LossName[]) {
      const c = publishedCase(SEQUENCE_ADVANTAGES, "token_mean");
      const { grad, clipped, ratio } = runPublished(name, { ...c, old: c.logprob });
      expect([...ratio]).toEqual([1, 1, 1, 1, 1]);
      expect([...clipped]).toEqual([0, 0, 0, 0, 0]);
      for (let m = 0; m < 5; m++) expect(grad[m]).toBeCloseTo(-c.weight[m] * c.advantage[m], 15);
    }
  });

  it("tokens of weight 0 leave loss and gradient alone, whatever they hold", () => {
    const c = publishedCase(SEQUENCE_ADVANTAGES, "token_mean");
    const poison = (values: ArrayLike<number>) => [...Array.from(values), Number.NaN, 1e4];
    const poisoned: LossCase = {
      offsets: [0, 3, 7],
      logprob: poison(c.logprob),
      old: poison(c.old),
      sampler: poison(c.sampler as number[]),
      ref: poison(c.ref as number[]),
      advantage: poison(c.advantage),
      weight: [...Array.from(c.weight), 0, 0],
    };
    const changes: Partial<LossSettings> = {
      klBeta: 0.04,
      importance: { mode: "sequence_truncate", low: 0, high: 1.5 },
    };
    for (const name of Object.keys(POLICY_LOSSES) as LossName[]) {
      const clean = runPublished(name, c, changes);
      const got = runPublished(name, poisoned, changes);
      expect(got.loss).toBe(clean.loss);
      expect([...got.grad]).toEqual([...clean.grad, 0, 0]);
    }
  });

  it("constant rewards give no gradient; shuffled advantages give another", () => {
    const flat = computeAdvantages(
      [
        [1, 1],
        [0.3, 0.3],
      ],
      "magistral",
    );
    expect([...flat]).toEqual([0, 0, 0, 0]);
    const onPolicy = (advantage: number[]) => {
      const c = publishedCase(advantage, "group_mean");
      return runPublished("magistral", { ...c, old: c.logprob }).grad;
    };
    const right = onPolicy(SEQUENCE_ADVANTAGES);
    const wrong = onPolicy([-1.1, -1.1, -1.1, 0.8, 0.8]);
    for (let m = 0; m < 5; m++) expect(right[m] * wrong[m]).toBeLessThan(0);
  });
});

describe("policyLoss()", () => {
  it("names the losses when it does not know one", () => {
    expect(() => policyLoss("ppo2")).toThrow(/the losses are magistral, grpo/);
    expect(() => policyLoss("toString")).toThrow(/the losses are/);
  });

  it("refuses bounds that cross", () => {
    expect(() => lossSettings(policyLoss("cispo"), { ratioFloor: 2, ratioCap: 1 })).toThrow(RangeError);
    expect(() => lossSettings(policyLoss("dapo"), { epsilonLow: Number.NaN })).toThrow(RangeError);
  });
});
