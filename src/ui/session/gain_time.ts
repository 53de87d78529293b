/** How long until the reward is seen to rise, roughly: operations over what the adapter does, and what waiting costs. */
import type { Recipe } from "../../config/schema.ts";
import type { NeedFacts } from "./preflight.ts";

/** In the recorded default run the reward has risen by half after so many steps. */
const STEPS_TO_GAIN = 6;
/** Share of the measured peak that small models reach: measured on SwiftShader; cautious for GPUs. */
const REACHED = { software: 0.18, hardware: 0.05 };
/** Seconds for workers, self-test and shaders. */
const START_SECONDS = { software: 15, hardware: 5 };
/** A decode step and a micro-batch each cost a way to the GPU and back, however small they are. */
const DECODE_SECONDS = 0.003;
const MICRO_BATCH_SECONDS = 0.02;

/**
 * Seconds until training begins, and from there to the first visible gain. Prompts and completions together are taken as
 * `maxTokens` long, which holds for the recipes that come with the page.
 * @param flopsPerSecond measured in registers
 */
export function gainSeconds(
  recipe: Recipe,
  { parameters, downloadBytes }: Pick<NeedFacts, "parameters" | "downloadBytes">,
  flopsPerSecond: number,
  software: boolean,
): { start: number; gain: number } {
  const kind = software ? "software" : "hardware";
  const { generator, trainer, evaluation, steps } = recipe;
  const rate = flopsPerSecond * REACHED[kind];
  const generated = (completions: number, tokens: number) => {
    const waves = Math.ceil(completions / (generator.concurrency * generator.workers));
    return (
      (2 * parameters * completions * tokens) / rate / generator.workers + waves * tokens * DECODE_SECONDS
    );
  };
  const tokens = trainer.batchSize * generator.maxTokens;
  const trained =
    (6 * parameters * tokens) / rate + Math.ceil(tokens / trainer.microBatchTokens) * MICRO_BATCH_SECONDS;
  // Generators and trainer share one GPU, so the two add up also where they run side by side.
  const step = trained + generated(trainer.batchSize, generator.maxTokens);
  const answered = generated(evaluation.problems * evaluation.samples, evaluation.maxTokens);
  // Ten megabits a second.
  const download = (downloadBytes ?? 0) / 1.25e6;
  return { start: START_SECONDS[kind] + download + answered, gain: Math.min(steps, STEPS_TO_GAIN) * step };
}
