/** What a token's colour can tell: which values, on which scale, and why a choice may be missing. */
import type { RolloutRow } from "../../state/records.ts";
import { cssOf, type ThemedColour, tint } from "./colour.ts";
import { fixed, signed } from "./format.ts";

export const HEATS = ["logprob", "ratio", "advantage", "entropy", "version"] as const;
export type HeatKind = (typeof HEATS)[number];

export interface HeatScale {
  label: string;
  /** What it is, in a sentence. */
  meaning: string;
  /** sequential: one hue grows from `from` to `to`. diverging: two hues grow away from `centre`. bands: a hue a value. */
  shape: "sequential" | "diverging" | "bands";
  from: number;
  to: number;
  centre: number;
  /** Ratios lie evenly by their logarithm: half is as far from 1 as double. */
  logarithmic: boolean;
  ticks: readonly number[];
  /** Words at the two ends. */
  ends: readonly [string, string];
  digits: number;
}

/** Hues far enough apart for the usual kinds of colour blindness. */
const BLUE = 250;
const ORANGE = 58;
const AMBER = 75;
const VIOLET = 300;
const BANDS = [145, 300, 75, 230] as const;

const HUES: Record<HeatKind, readonly [below: number, above: number]> = {
  logprob: [AMBER, AMBER],
  ratio: [ORANGE, BLUE],
  advantage: [ORANGE, BLUE],
  entropy: [VIOLET, VIOLET],
  version: [0, 0],
};

const linear = { centre: 0, logarithmic: false, digits: 2 } as const;

export const SCALES: Record<HeatKind, HeatScale> = {
  logprob: {
    ...linear,
    label: "Log-probability",
    meaning: "Natural log of the probability the token was sampled with: the deeper, the more surprising",
    shape: "sequential",
    from: 0,
    to: -4,
    ticks: [0, -1, -2, -3, -4],
    ends: ["certain", "surprising"],
  },
  ratio: {
    ...linear,
    label: "Ratio",
    meaning:
      "The trainer's probability over the generator's, before the step's first update: 1 where both agree",
    shape: "diverging",
    from: 2 / 3,
    to: 1.5,
    centre: 1,
    logarithmic: true,
    ticks: [2 / 3, 0.8, 1, 1.25, 1.5],
    ends: ["less likely now", "more likely now"],
  },
  advantage: {
    ...linear,
    label: "Advantage",
    meaning: "How far the completion's reward lies above or below its group, the same for all its tokens",
    shape: "diverging",
    from: -2,
    to: 2,
    ticks: [-2, -1, 0, 1, 2],
    ends: ["discouraged", "encouraged"],
  },
  entropy: {
    ...linear,
    label: "Entropy",
    meaning: "Entropy, in nats, of the distribution the token was drawn from: 0 where there was no choice",
    shape: "sequential",
    from: 0,
    to: 2,
    ticks: [0, 0.5, 1, 1.5, 2],
    ends: ["no choice", "wide open"],
  },
  version: {
    ...linear,
    label: "Policy version",
    meaning: "The weights that sampled the token: a new band where the generator took up newer ones",
    shape: "bands",
    from: 0,
    to: 0,
    ticks: [],
    ends: ["", ""],
    digits: 0,
  },
};

/** One value a token; null where the run did not record them. */
export function heatValues(kind: HeatKind, row: RolloutRow): readonly number[] | null {
  if (kind === "advantage")
    return typeof row.advantage === "number"
      ? new Array<number>(row.token_texts.length).fill(row.advantage)
      : null;
  const values = { logprob: row.logprobs, ratio: row.ratios, entropy: row.entropies, version: row.versions }[
    kind
  ];
  return values && values.length > 0 ? values : null;
}

const MISSING: Record<HeatKind, string> = {
  logprob: "No log-probabilities were recorded for this completion",
  ratio: "No ratios were recorded: the trainer computes them when a step takes the completion up",
  advantage: "No advantage was recorded: it is known once a step took the completion up",
  entropy: "No entropies were recorded for this completion",
  version: "No versions were recorded for each token of this completion",
};

/** Why a heat cannot be shown, or null. */
export function missingHeat(kind: HeatKind, row: RolloutRow): string | null {
  return heatValues(kind, row) ? null : MISSING[kind];
}

/** The chosen heat where it can be shown, else the first that can; null where none can. */
export function usableHeat(chosen: HeatKind, row: RolloutRow): HeatKind | null {
  return [chosen, ...HEATS].find((kind) => heatValues(kind, row)) ?? null;
}

/** Where a value lies: 0 to 1 on a sequential scale, −1 to 1 on a diverging one; beyond the ends it is the end. */
export function positionOn(scale: HeatScale, value: number): number {
  const at = (x: number) => (scale.logarithmic ? Math.log(Math.max(x, 1e-9)) : x);
  if (scale.shape === "diverging") {
    const end = value < scale.centre ? scale.from : scale.to;
    const share = (at(value) - at(scale.centre)) / Math.abs(at(end) - at(scale.centre));
    return Math.max(-1, Math.min(1, share));
  }
  const share = (at(value) - at(scale.from)) / (at(scale.to) - at(scale.from));
  return Math.max(0, Math.min(1, share));
}

/** Where a value lies along the legend, from 0 (left) to 1. */
export function alongLegend(scale: HeatScale, value: number): number {
  const position = positionOn(scale, value);
  return scale.shape === "diverging" ? (position + 1) / 2 : position;
}

const STEPS = 32;

/** A token's colour in both themes. Versions take turns among four hues, neighbours always apart. */
export function heatColour(kind: HeatKind, value: number): ThemedColour {
  if (kind === "version") {
    const turn = ((Math.round(value) % BANDS.length) + BANDS.length) % BANDS.length;
    return tint(BANDS[turn], 0.55);
  }
  if (!Number.isFinite(value)) return tint(0, 0);
  const position = positionOn(SCALES[kind], value);
  return tint(HUES[kind][position < 0 ? 0 : 1], Math.round(Math.abs(position) * STEPS) / STEPS);
}

const painted = new Map<string, string>();

/** The same as CSS, remembered by shade. */
export function heatCss(kind: HeatKind, value: number): string {
  const shade = kind === "version" ? Math.round(value) % BANDS.length : positionOn(SCALES[kind], value);
  const key = `${kind}${Math.round(shade * STEPS)}`;
  let css = painted.get(key);
  if (!css) {
    css = cssOf(heatColour(kind, value));
    painted.set(key, css);
  }
  return css;
}

/** The legend's colours from left to right. */
export function legendColours(kind: HeatKind, samples = 9): string[] {
  const { shape } = SCALES[kind];
  return Array.from({ length: samples }, (_, i) => {
    const along = i / (samples - 1);
    const position = shape === "diverging" ? along * 2 - 1 : along;
    return cssOf(tint(HUES[kind][position < 0 ? 0 : 1], Math.abs(position)));
  });
}

/** A value as the legend writes it: no digits that say nothing. */
export function tickText(kind: HeatKind, value: number): string {
  return heatText(kind, value).replace(/\.?0+$/, "") || "0";
}

/** A value as the tokens write it. */
export function heatText(kind: HeatKind, value: number): string {
  if (kind === "version") return `v${value}`;
  return kind === "advantage" ? signed(value) : fixed(value, SCALES[kind].digits);
}

/** A run of tokens that one policy version sampled. */
export interface VersionRun {
  version: number;
  from: number;
  /** Exclusive. */
  to: number;
}

export function versionRuns(versions: readonly number[]): VersionRun[] {
  const runs: VersionRun[] = [];
  versions.forEach((version, i) => {
    const open = runs.at(-1);
    if (open?.version === version) open.to = i + 1;
    else runs.push({ version, from: i, to: i + 1 });
  });
  return runs;
}

/** Label of each token before which the weights changed, by its position. */
export function versionChanges(versions: readonly number[]): Map<number, string> {
  const runs = versionRuns(versions);
  return new Map(runs.slice(1).map(({ version, from }, i) => [from, `v${runs[i].version}→v${version}`]));
}
