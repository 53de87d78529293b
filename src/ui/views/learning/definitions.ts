/** The eight charts: what each shows, how it is read, in which colours and ranges. */
import type { Column } from "../../parts/chart_columns.ts";
import type { ChartLimit } from "../../parts/chart_draw.ts";
import type { NumberKind } from "./format.ts";
import { decades, fromZero, fromZeroWithoutSpikes, unitAndBeyond, upToLimit } from "./ranges.ts";
import { numberField } from "./recipe_fields.ts";

export type ChartId =
  | "reward"
  | "dead_groups"
  | "length"
  | "entropy"
  | "mismatch"
  | "gradient"
  | "staleness"
  | "speed";

/** `line`: smoothed, with the raw values as a ghost. `ceiling`: the raw values as steps. `dots`: an evaluation's. */
export type SeriesStyle = "line" | "ceiling" | "dots";

export interface SeriesDefinition {
  /** A name of the table of metrics; an evaluation's for `dots`. */
  metric: string;
  label: string;
  /** A CSS variable: a stage's colour. */
  color: string;
  style: SeriesStyle;
  /** The metric that is drawn as a band of ± itself around this one. */
  spread?: string;
}

export interface PanelDefinition {
  /** What its y axis counts. */
  caption: string;
  kind: NumberKind;
  logarithmic?: boolean;
  /** Of the values drawn, bands aside. */
  range(columns: readonly Column[], recipe: Record<string, unknown>): [number, number];
  limit?(recipe: Record<string, unknown>): ChartLimit | null;
  series: readonly SeriesDefinition[];
}

export interface ChartDefinition {
  id: ChartId;
  title: string;
  /** One line on how to read it. */
  reading: string;
  /** The uppermost panel's first series is the chart's headline. */
  panels: readonly PanelDefinition[];
}

/** Values below are rounding in single precision, not a difference between two policies. */
export const MISMATCH_FLOOR = 1e-6;

const line = (metric: string, label: string, color: string, spread?: string): SeriesDefinition => ({
  metric,
  label,
  color,
  style: "line",
  spread,
});

export const CHARTS: readonly ChartDefinition[] = [
  {
    id: "reward",
    title: "Reward",
    reading:
      "Should rise and level off. Dots are problems never trained on: if they fall behind, it learns by heart.",
    panels: [
      {
        caption: "reward, share solved",
        kind: "score",
        range: unitAndBeyond,
        series: [
          line("reward", "reward ± std", "--verifier", "reward_std"),
          { metric: "pass@1", label: "held-out pass@1", color: "--ink", style: "dots" },
        ],
      },
    ],
  },
  {
    id: "dead_groups",
    title: "Dead groups",
    reading:
      "Completions whose whole group got one reward: they teach nothing. Near 100 %, the task is too easy or too hard.",
    panels: [
      {
        caption: "share of completions",
        kind: "share",
        range: () => [0, 1],
        series: [line("frac_reward_zero_std", "without signal", "--verifier")],
      },
    ],
  },
  {
    id: "length",
    title: "Completion length",
    reading:
      "Growing length is thinking, or rambling: look at the reward beside it. Cut completions rarely earn any.",
    panels: [
      {
        caption: "tokens",
        kind: "length",
        range: (columns, recipe) =>
          upToLimit(fromZero(columns, 1), numberField(recipe, "generator.maxTokens")),
        limit: (recipe) => {
          const longest = numberField(recipe, "generator.maxTokens");
          return longest === null ? null : { y: longest, label: `maxTokens ${longest}` };
        },
        series: [line("completions/mean_length", "mean length", "--generator")],
      },
      {
        caption: "share cut",
        kind: "share",
        range: (columns) => fromZero(columns, 0.1),
        series: [line("completions/clipped_ratio", "truncated", "--generator")],
      },
    ],
  },
  {
    id: "entropy",
    title: "Entropy",
    reading:
      "How undecided each token is. A slow fall is learning; a drop to zero early on means it has stopped trying.",
    panels: [
      {
        caption: "nats per token",
        kind: "score",
        range: (columns) => fromZero(columns, 0.01),
        series: [line("entropy", "entropy", "--generator")],
      },
    ],
  },
  {
    id: "mismatch",
    title: "Mismatch",
    reading:
      "How far the trainer's policy is from the one that sampled. Under 0.01 is sound; clipped tokens are left out.",
    panels: [
      {
        caption: "KL in nats, logarithmic",
        kind: "scientific",
        logarithmic: true,
        range: (columns) => decades(columns, MISMATCH_FLOOR),
        series: [line("trainer/mismatch_kl", "mismatch KL", "--trainer")],
      },
      {
        caption: "share clipped",
        kind: "share",
        range: (columns) => fromZero(columns, 0.02),
        series: [line("clip_ratio/region_mean", "clipped", "--trainer")],
      },
    ],
  },
  {
    id: "gradient",
    title: "Gradient norm",
    reading:
      "Should stay level. Above the dotted line gradients are scaled down; lone spikes come before trouble.",
    panels: [
      {
        caption: "global norm",
        kind: "norm",
        range: (columns, recipe) =>
          upToLimit(fromZeroWithoutSpikes(columns, 0.01), numberField(recipe, "trainer.maxGradNorm")),
        limit: (recipe) => {
          const norm = numberField(recipe, "trainer.maxGradNorm");
          return norm === null || norm === 0 ? null : { y: norm, label: `maxGradNorm ${norm}` };
        },
        series: [line("grad_norm", "norm", "--trainer")],
      },
    ],
  },
  {
    id: "staleness",
    title: "Staleness",
    reading:
      "How many weight versions old the completions are when trained on. Async runs live between 0 and the bound.",
    panels: [
      {
        caption: "versions behind",
        kind: "age",
        range: (columns, recipe) =>
          fromZero(columns, (numberField(recipe, "trainer.maxStaleness") ?? 1) + 0.5),
        limit: (recipe) => {
          const bound = numberField(recipe, "trainer.maxStaleness");
          return bound === null ? null : { y: bound, label: `maxStaleness ${bound}` };
        },
        series: [
          line("sample/staleness_mean", "mean", "--weights"),
          { metric: "sample/staleness_max", label: "max", color: "--weights", style: "ceiling" },
        ],
      },
    ],
  },
  {
    id: "speed",
    title: "Speed",
    reading:
      "Whoever idles waits for the other: an idle trainer wants more rollouts, an idle generator fresher weights.",
    panels: [
      {
        caption: "tokens per second",
        kind: "rate",
        range: (columns) => fromZero(columns, 10),
        series: [
          line("rollout/generated_tok_s", "generated", "--generator"),
          line("perf/trained_tok_s_wall_clock", "trained", "--trainer"),
        ],
      },
      {
        caption: "share idle",
        kind: "share",
        range: () => [0, 1],
        series: [
          line("generator/idle_ratio", "generator idle", "--generator"),
          line("trainer/idle_ratio", "trainer idle", "--trainer"),
        ],
      },
    ],
  },
];
