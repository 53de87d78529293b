/** What a recipe trains: every parameter of the model, or adapters beside it. */
import { loraSettings } from "../config/lora.ts";
import type { Recipe } from "../config/schema.ts";
import { layoutAdapters } from "../model/adapters/layout.ts";
import type { ModelConfig } from "../model/config.ts";
import { layoutParameters, type ParameterLayout } from "../model/layout.ts";

/** How trained parameters, gradients, moments and published versions lie. @throws GpuLimitError */
export function trainedLayout({ trainer }: Recipe, config: ModelConfig): ParameterLayout {
  const lora = loraSettings(trainer.lora);
  return lora ? layoutAdapters(config, lora) : layoutParameters(config);
}
