import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { computeAdvantages } from "../../src/trainer/advantages.ts";
import type { LossName, LossSettings } from "../../src/trainer/losses/policy_loss.ts";
import { lossSettings, policyLoss } from "../../src/trainer/losses/registry.ts";
import {
  importanceReference,
  type LossCase,
  lossReference,
  referenceKlReference,
} from "../reference/losses.ts";

const file = fileURLToPath(new URL("../../../shared/material/rl/rl-cases.json", import.meta.url));
const found = existsSync(file);

interface PeerCase {
  id: string;
  inputs: Record<string, never>;
  expected: Record<string, never>;
}

/** Cases of what this project does not have, each with the reason. */
const SKIPPED: Record<string, string> = {
  "skyrl-sapo": "no SAPO loss",
  "skyrl-rpp-returns": "no discounted returns: one reward per completion",
  "skyrl-rpp-gamma": "no discounted returns: one reward per completion",
  "skyrl-rloo": "no leave-one-out advantages",
  "skyrl-maxrl": "no MaxRL advantages",
  "prime-maxrl": "no MaxRL advantages",
  "prime-maxrl-zero": "no MaxRL advantages",
  "prime-maxrl-all": "no MaxRL advantages",
  "skyrl-gae": "no critic, so no generalised advantage estimate",
  "skyrl-gae-gamma": "no critic, so no generalised advantage estimate",
  "skyrl-gae-lam": "no critic, so no generalised advantage estimate",
  "skyrl-gae-mask": "no critic, so no generalised advantage estimate",
  "skyrl-adaptive-kl": "no adaptive KL coefficient",
  "trl-compute_entropy_mask_0": "no top-entropy token mask",
  "trl-compute_entropy_mask_1": "no top-entropy token mask",
  "trl-compute_entropy_mask_lower_threshold": "no top-entropy token mask",
  "trl-compute_entropy_threshold_0": "no top-entropy token mask",
  "trl-compute_entropy_threshold_1": "no top-entropy token mask",
  "trl-compute_entropy_all_masked": "no top-entropy token mask",
  "trl-off-policy-mask": "no off-policy sequence mask; staleness is bounded by admission",
};

type Rows = number[][];

/** Rows side by side; weight 1, or the mask. */
function flat(inputs: Record<string, unknown>): LossCase {
  const rows = (key: string) => inputs[key] as Rows;
  const lengths = rows("log_probs").map((row) => row.length);
  const offsets = [0];
  for (const length of lengths) offsets.push((offsets.at(-1) as number) + length);
  const of = (key: string, otherwise: number) =>
    inputs[key] ? rows(key).flat().map(Number) : Array<number>(offsets.at(-1) as number).fill(otherwise);
  return {
    offsets,
    logprob: of("log_probs", 0),
    old: of("old_log_probs", 0),
    ref: of("ref_log_probs", 0),
    advantage: of("advantages", 1),
    weight: of("mask", 1),
  };
}

function run(name: LossName, c: LossCase, changes: Partial<LossSettings>) {
  return lossReference(name, lossSettings(policyLoss(name), { klBeta: 0, ...changes }), c);
}

function clip(inputs: Record<string, unknown>): Partial<LossSettings> {
  return { epsilonLow: inputs.eps_low as number, epsilonHigh: inputs.eps_high as number };
}

function expectAll(got: ArrayLike<number>, want: readonly number[], tolerance: number): void {
  expect(got.length).toBe(want.length);
  for (let i = 0; i < want.length; i++) expect(Math.abs(got[i] - want[i])).toBeLessThanOrEqual(tolerance);
}

/** Ratios as log-probabilities over an old log-probability of 0. */
function fromRatios(inputs: Record<string, unknown>): LossCase {
  const ratios = inputs.ratios as number[];
  return flat({ log_probs: [ratios.map(Math.log)], advantages: [inputs.advantages] });
}

function centred({
  inputs,
  expected,
}: {
  inputs: Record<string, unknown>;
  expected: Record<string, unknown>;
}): void {
  const groups: Rows = [];
  (inputs.group as number[]).forEach((group, i) => {
    groups[group] ??= [];
    groups[group].push((inputs.scores as number[])[i]);
  });
  const got = computeAdvantages(groups, "group_center");
  if (expected.advantages) expectAll(got, expected.advantages as number[], 1e-6);
  else expect(Math.abs(got.reduce((sum, a) => sum + a, 0) - (expected.sum as number))).toBeLessThan(1e-6);
}

function slimeCispo({ inputs, expected }: PeerCase): void {
  const logprob = inputs.log_probs as number[];
  const ratios = inputs.ratios as number[];
  const c = flat({
    log_probs: [logprob],
    old_log_probs: [logprob.map((x, i) => x - Math.log(ratios[i]))],
    advantages: [inputs.advantages],
  });
  const got = run("cispo", c, {
    ratioFloor: 1 - (inputs.eps_low as number),
    ratioCap: 1 + (inputs.eps_high as number),
  });
  expectAll(got.terms, expected.per_token, 1e-6);
  expectAll(got.grad, expected.grad_log_probs, 1e-6);
  expectAll(got.clipped.map(Math.abs), expected.clipped, 0);
}

const CHECKS: Record<string, (peer: PeerCase) => void> = {
  "skyrl-dual-clip": ({ inputs, expected }) => {
    const got = run("dapo", flat(inputs), { ...clip(inputs), dualClip: inputs.clip_c });
    expectAll(got.terms, (expected.per_token as Rows)[0], 1e-3);
    expect(run("dapo", flat(inputs), clip(inputs)).loss).toBeCloseTo(40.5, 1);
  },
  "skyrl-cispo": ({ inputs, expected }) => {
    const got = run("cispo", flat(inputs), { ratioFloor: 0.8, ratioCap: 1.2 });
    expect(Math.abs(got.loss - expected.loss)).toBeLessThan(1e-4);
  },
  "skyrl-gspo": ({ inputs, expected }) => {
    const c = flat(inputs);
    const got = run("gspo", c, clip(inputs));
    expect(Math.abs(got.loss / expected.gspo_loss - 1)).toBeLessThan(1e-5);
    expectAll(
      [0, 8, 16].map((m) => got.ratio[m]),
      expected.sequence_ratio,
      1e-5,
    );
    expect(Math.abs(run("dapo", c, clip(inputs)).loss / expected.token_level_loss - 1)).toBeLessThan(1e-5);
  },
  "skyrl-kl": ({ inputs, expected }) => {
    expectAll(referenceKlReference(flat(inputs), false).kl, (expected.k3 as Rows)[0], 1e-4);
  },
  "skyrl-kl-nan-mask": ({ inputs }) => {
    const { kl, slope } = referenceKlReference(flat(inputs), false);
    expect(kl[3]).toBe(0);
    expect([...kl, ...slope].every(Number.isFinite)).toBe(true);
  },
  "skyrl-grpo-nostd": centred,
  "prime-grpo-single": centred,
  "prime-grpo-sumzero": centred,
  "prime-masked-nll": ({ inputs, expected }) => {
    const weight = (inputs.mask as number[]).map((m) => m / (inputs.scale as number));
    const c = { ...flat({ log_probs: [inputs.log_probs] }), weight };
    expect(run("tis_reinforce", c, { ratioFloor: 1, ratioCap: 1 }).loss).toBeCloseTo(expected.loss, 12);
  },
  "skyrl-reduce": ({ inputs, expected }) => {
    const sum = (mask: unknown) => {
      const c = flat({ log_probs: inputs.loss, mask });
      return -run("tis_reinforce", c, { ratioFloor: 1, ratioCap: 1 }).loss;
    };
    expect(sum(inputs.mask)).toBe(expected.masked_sum);
    expect(sum(undefined)).toBe(expected.unmasked_sum);
  },
  "slime-dual-clip": ({ inputs, expected }) => {
    const got = run("dapo", fromRatios(inputs), { ...clip(inputs), dualClip: inputs.clip_c });
    expectAll(got.terms, expected.per_token, 1e-5);
  },
  "slime-cispo-ppo_band": slimeCispo,
  "slime-cispo-wide": slimeCispo,
  "forge-grpo-unit": ({ inputs, expected }) => {
    expect(run("grpo", flat(inputs), { klBeta: inputs.beta }).loss).toBe(expected.loss);
  },
  "verl-is-mask": ({ inputs, expected }) => {
    const c = { ...flat({ log_probs: inputs.old_log_prob }), old: (inputs.old_log_prob as Rows).flat() };
    const off = { ...c, sampler: (inputs.rollout_log_prob as Rows).flat() };
    const got = importanceReference(off, "token_truncate", 0, inputs.is_threshold);
    expectAll(got, (expected.weights as Rows).flat(), 0.01);
    const kept = importanceReference(off, "token_mask", inputs.reject_low, inputs.reject_high);
    expectAll(kept.map(Math.sign), (expected.mask as Rows).flat(), 0);
  },
};

describe.skipIf(!found)("peers' cases", () => {
  const peers = found ? (JSON.parse(readFileSync(file, "utf8")) as { cases: PeerCase[] }).cases : [];

  it("are each checked or left out for a reason", () => {
    expect(Object.values(SKIPPED).every((reason) => reason.length > 10)).toBe(true);
    const known = [...Object.keys(CHECKS), ...Object.keys(SKIPPED)];
    expect(known.sort()).toEqual(peers.map((peer) => peer.id).sort());
  });

  for (const peer of peers) {
    // Those of SKIPPED concern losses that are not ours; each says why.
    if (peer.id in CHECKS) it(peer.id, () => CHECKS[peer.id](peer));
  }
});
