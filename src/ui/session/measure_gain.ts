/** Measures how long a run will take to its first visible gain here; the session worker asks before one is started. */
import type { Recipe } from "../../config/schema.ts";
import type { Gpu } from "../../gpu/device.ts";
import type { ModelConfig } from "../../model/config.ts";
import { measureOverheads, measurePace } from "../../planner/measure_pace.ts";
import { planWork } from "../../planner/work.ts";
import { type GainTime, gainSeconds, stepsToGain } from "./gain_time.ts";

/** Milliseconds that measuring may take; the sample that has begun is finished. */
const BUDGET_MS = { software: 2000, hardware: 800 };

export interface GainQuestion {
  recipe: Recipe;
  config: ModelConfig;
  /** Longest prompt and completion together, in tokens. */
  maxSequence: number;
  downloadBytes: number | null;
  /** Whether a processor acts as the GPU. */
  software: boolean;
  /** Of an earlier run like this one, where there is one. */
  stepSeconds: readonly number[];
}

/** @throws GpuLimitError, GpuLostError, ShaderError */
export async function measureGain(gpu: Gpu, question: GainQuestion): Promise<GainTime> {
  const { recipe, config, maxSequence, software, downloadBytes, stepSeconds } = question;
  const until = performance.now() + BUDGET_MS[software ? "software" : "hardware"];
  const overheads = await measureOverheads(gpu);
  const work = await planWork(recipe, config, { maxSequence, limits: gpu.device.limits, like: gpu });
  const pace = await measurePace(gpu, overheads, work, { until, batches: stepsToGain(recipe) });
  return gainSeconds(recipe, work, pace, { downloadBytes, stepSeconds });
}
