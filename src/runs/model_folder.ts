/** A model as the files of a Hugging Face folder: for checkpoints, for the distilled policy, for a download. */
import type { ModelFiles, ModelText } from "../data/source.ts";
import { type WritableTensor, writeSafetensors } from "../model/safetensors.ts";

export type WeightDtype = "F32" | "BF16" | "F16";

const dtypeNames: Record<WeightDtype, string> = { F32: "float32", BF16: "bfloat16", F16: "float16" };

/** What `loadModelFiles` gave, or its parts. */
export type WritableModel = Pick<ModelFiles, "config" | "tensors"> & Partial<ModelFiles>;

const json = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);

/** The files of a model that hold neither its shape nor its weights. */
export function modelTextFiles(model: ModelText): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {
    "generation_config.json": json(model.generationConfig ?? generationDefaults(model)),
  };
  if (model.tokenizerJson !== undefined) files["tokenizer.json"] = json(model.tokenizerJson);
  if (model.tokenizerConfig !== undefined) files["tokenizer_config.json"] = json(model.tokenizerConfig);
  if (model.chatTemplate !== undefined && model.tokenizerConfig?.chat_template === undefined) {
    files["chat_template.jinja"] = new TextEncoder().encode(model.chatTemplate);
  }
  return files;
}

/** Writes the files by name: config, weights in `dtype` (F32 loses nothing), and the text files the model came with. */
export function modelFolderFiles(
  model: WritableModel,
  dtype: WeightDtype = "F32",
): Record<string, Uint8Array> {
  const dtypeKey = "dtype" in model.config.raw ? "dtype" : "torch_dtype";
  const tensors: Record<string, WritableTensor> = {};
  for (const [name, { shape, data }] of model.tensors) tensors[name] = { dtype, shape, data };
  return {
    "config.json": json({ ...model.config.raw, [dtypeKey]: dtypeNames[dtype] }),
    "model.safetensors": writeSafetensors(tensors, { format: "pt" }),
    ...modelTextFiles(model),
  };
}

function generationDefaults({ config }: ModelText): Record<string, unknown> {
  const defaults: Record<string, unknown> = { do_sample: true };
  if (config.eosIds.length > 0)
    defaults.eos_token_id = config.eosIds.length === 1 ? config.eosIds[0] : config.eosIds;
  if (config.bosId !== null) defaults.bos_token_id = config.bosId;
  if (config.padId !== null) defaults.pad_token_id = config.padId;
  return defaults;
}
