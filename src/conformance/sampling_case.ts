/**
 * The sampler against filtered distributions: the log-probabilities and entropies that it reports, which must be exact,
 * and the frequencies of many draws. A tensor's name says how its distribution was filtered.
 */
import type { Gpu } from "../gpu/device.ts";
import { sample } from "../kernels/sampling/sample.ts";
import { chiSquareP } from "./chi_square.ts";
import { type CaseResult, type Check, failedCase, judge, onePlus } from "./compare.ts";
import { KernelRun } from "./kernel_run.ts";
import type { Vectors } from "./vectors.ts";

/** The whole file passes a right sampler with this probability left out, shared out over its distributions. */
const SIGNIFICANCE = 1e-3;
/** Softmax over the vocabulary: relative and absolute. */
const SOFTMAX = 1e-5;
const SEED = 20_250_612;
const DRAWN = 1;

export interface FilterSettings {
  temperature: number;
  top_k: number;
  top_p: number;
  min_p: number;
}

/** Reads `t0.7-top_p0.95`: the temperature, then filters in any order; null where it is not of that form. */
export function filterSettings(name: string): FilterSettings | null {
  const [first, ...filters] = name.split("-");
  const settings: FilterSettings = { temperature: Number(first.slice(1)), top_k: 0, top_p: 1, min_p: 0 };
  if (!/^t\d+(\.\d+)?$/.test(first) || settings.temperature === 0) return null;
  for (const filter of filters) {
    const found = /^(top_k|top_p|min_p)(\d+(?:\.\d+)?)$/.exec(filter);
    if (!found) return null;
    settings[found[1] as "top_k"] = Number(found[2]);
  }
  return settings;
}

/** Two cases a tensor: what the sampler reports, and how often it draws what in `total` draws over all rows. */
export async function* runSamplingCases(
  gpu: Gpu,
  path: string,
  vectors: Vectors,
  total: number,
): AsyncGenerator<CaseResult> {
  const names = vectors.names.filter((name) => name !== "logits");
  const [rows, vocab] = vectors.shape("logits", 2);
  const kernel = sample.with({ WORKGROUP_SIZE: vocab <= 1024 ? 8 : 64 });
  await gpu.compile([kernel]);
  const least = SIGNIFICANCE / (rows * names.length);
  using run = new KernelRun(gpu, "sampling");
  const logits = run.put("logits", vectors.floats("logits"));
  const share = Math.ceil(total / rows);
  const draws = run.blank("draws", 4 * share);
  const sampled = run.blank("sampled", 4 * share);
  const counters = new Uint32Array(4 * share);
  for (const name of names) {
    const settings = filterSettings(name);
    if (settings === null) {
      yield failedCase(`${path} ${name}`, "the name does not say how the distribution was filtered");
      continue;
    }
    const { temperature, ...filters } = settings;
    const want = vectors.exact(name);
    const checks: Check[] = [];
    const chances: number[] = [];
    for (let row = 0; row < rows; row++) {
      // Logits row, rollout id low and high, completion index: every draw has a counter of its own.
      for (let draw = 0; draw < share; draw++) counters.set([row, draw, row, 0], 4 * draw);
      draws.write(counters);
      kernel.encode(
        run.recorder,
        { logits, draws, sampled },
        {
          rows: share,
          logit_rows: rows,
          vocab,
          seed_low: SEED,
          seed_high: 0,
          inverse_temperature: 1 / temperature,
          ...filters,
        },
      );
      const [words] = await run.read(sampled);
      const wanted = Float64Array.from({ length: vocab }, (_, v) => want[row * vocab + v]);
      const { counts, reports } = countDraws(words, vocab);
      chances.push(chiSquareP(counts, wanted));
      checks.push(...reportChecks(row, reports, wanted));
    }
    yield judge(`${path} ${name} reported`, checks);
    yield frequencyCase(`${path} ${name} frequencies`, chances, least, total);
  }
}

interface Drawn {
  token: number;
  logprob: number;
  entropy: number;
}

/** How often each token was drawn, and every different report; broken draws are reports of token −1. */
function countDraws(floats: Float32Array, vocab: number) {
  const words = new Uint32Array(floats.buffer);
  const counts = new Float64Array(vocab);
  const reports: Drawn[] = [];
  // Index into `words` of what each token reported last: the same bits again are not another report.
  const last = new Int32Array(vocab + 1).fill(-1);
  for (let at = 0; at < words.length; at += 4) {
    const broken = words[at + 3] !== DRAWN || words[at] >= vocab;
    const token = broken ? -1 : words[at];
    if (!broken) counts[token]++;
    const before = last[token + 1];
    last[token + 1] = at;
    if (before >= 0 && words[before + 1] === words[at + 1] && words[before + 2] === words[at + 2]) continue;
    reports.push({ token, logprob: floats[at + 1], entropy: floats[at + 2] });
  }
  return { counts, reports };
}

/** A token without probability has the log-probability −∞: drawing it is an infinite error, as is a broken draw. */
function reportChecks(row: number, reports: readonly Drawn[], probabilities: Float64Array): Check[] {
  const wantLogprobs = reports.map(({ token }) => Math.log(token < 0 ? Number.NaN : probabilities[token]));
  const entropy = probabilities.reduce((sum, p) => sum - (p > 0 ? p * Math.log(p) : 0), 0);
  const wantEntropies = reports.map(() => entropy);
  return [
    {
      name: `row ${row} logprob`,
      got: reports.map(({ logprob }) => logprob),
      want: wantLogprobs,
      scale: onePlus(wantLogprobs),
      tolerance: SOFTMAX,
    },
    {
      name: `row ${row} entropy`,
      got: reports.map((report) => report.entropy),
      want: wantEntropies,
      scale: onePlus(wantEntropies),
      tolerance: SOFTMAX,
    },
  ];
}

/** Error and tolerance are negative decimal logarithms of p: 3 means that one right sampler in a thousand is as far off. */
function frequencyCase(name: string, chances: readonly number[], least: number, total: number): CaseResult {
  const p = Math.min(...chances);
  return {
    name,
    error: Math.max(0, -Math.log10(p)),
    tolerance: -Math.log10(least),
    pass: p > least,
    detail: `smallest p ${p.toPrecision(3)} of ${chances.length} rows, ${total} draws in all (-log10 p)`,
  };
}
