/** What a run will need on the GPU, before anything is allocated. */
import type { Recipe } from "./config/schema.ts";
import { countParameters, type ModelConfig } from "./model/config.ts";
import { vocabularyTile } from "./model/head.ts";
import { workspaceElementsPerRow } from "./model/workspace.ts";

/** Bytes for the trainer and for all generators together; sequences are taken as long as completion and as much again. */
export function estimateMemory(recipe: Recipe, config: ModelConfig): { trainer: number; generators: number } {
  const parameters = countParameters(config);
  const { trainer, generator } = recipe;
  const sequence = 2 * generator.maxTokens;
  const rows = Math.max(trainer.microBatchTokens, sequence);
  const copies = trainer.klBeta > 0 ? 5 : 4;
  const gradientsPerRow =
    2 * config.width + 3 * config.mlpWidth + (3 * config.heads + 2 * config.kvHeads) * config.headDim;
  const headPerRow = 4 * config.width + vocabularyTile(config.vocabSize, rows) + 24;
  const trainerElements =
    copies * parameters +
    rows * (workspaceElementsPerRow(config, true) + gradientsPerRow + headPerRow) +
    trainer.batchSize * sequence;
  const cache = 2 * config.layers * generator.concurrency * sequence * config.kvHeads * config.headDim;
  const generatorElements =
    parameters +
    cache +
    generator.concurrency * config.vocabSize +
    (generator.concurrency + 1024) * workspaceElementsPerRow(config, false);
  return { trainer: 4 * trainerElements, generators: 4 * generatorElements * generator.workers };
}
