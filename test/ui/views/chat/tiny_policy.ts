/** A policy for sums, small enough to be made anew, and adapters for it, as files. */
import type { ModelFiles } from "../../../../src/data/source.ts";
import { freshAdapters } from "../../../../src/model/adapters/init.ts";
import { adapterFolderFiles } from "../../../../src/model/adapters/peft.ts";
import { freshWeights, smallLlamaConfig } from "../../../../src/model/init.ts";
import { modelFolderFiles } from "../../../../src/runs/model_folder.ts";
import { makeTask } from "../../../../src/tasks/registry.ts";
import { scopeEntries } from "../../../../src/tasks/scope.ts";
import { buildCharTokenizer } from "../../../../src/text/char_tokenizer.ts";

export const task = makeTask("chain_sum", {}, 0);
export const tokenizerFiles = buildCharTokenizer(task.vocabulary!());
export const config = smallLlamaConfig({
  vocabSize: 28,
  width: 32,
  layers: 1,
  heads: 2,
  kvHeads: 1,
  mlpWidth: 48,
  maxPositions: 64,
  eosId: tokenizerFiles.generationConfig.eos_token_id as number,
  padId: 0,
});

export function modelFolder(seed: number, dtype?: "F16"): Record<string, Uint8Array> {
  const generationConfig = { ...tokenizerFiles.generationConfig, ...scopeEntries(task, 12) };
  const model = { config, tensors: freshWeights(config, seed), ...tokenizerFiles, generationConfig };
  return modelFolderFiles(model as ModelFiles, dtype);
}

/** Adapters alone: B is `b` everywhere, so that 0 changes nothing. */
export function adapterFolder(b: number, rank = 2): Record<string, Uint8Array> {
  const settings = { rank, alpha: 4, targets: ["q_proj", "down_proj"] as const };
  const tensors = freshAdapters(config, settings, 3);
  for (const [name, { data }] of tensors) if (name.includes("lora_B")) data.fill(b);
  return { ...adapterFolderFiles({ settings, tensors, baseModel: "builtin:tiny", revision: null }) };
}
