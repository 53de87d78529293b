/** What is dropped onto the page or chosen: the zip of a run or a checkpoint, or a model's folder. */
import { signal } from "@preact/signals";
import { byteText } from "../parts/format.ts";
import { ask, trouble } from "../shell/session.ts";
import { draftRecipe } from "../state/app.ts";
import { dropped, modelsChanged } from "../state/model_access.ts";
import { droppedFiles, type GivenFile, givenModel } from "./given_files.ts";

/** A file is held over the page. */
export const dropping = signal(false);
/** What became of what was given last, in words. */
export const taken = signal<string | null>(null);

/** Lays a model under the next run; "" takes the recipe's own again. */
export function chooseModel(model: string): void {
  const { model: _, ...others } = draftRecipe.value;
  draftRecipe.value = model === "" ? others : { ...others, model };
}

export async function takeZip(file: File): Promise<void> {
  const imported = await ask((client) => client.importZip(file));
  if (!imported) return;
  taken.value =
    imported.kind === "run"
      ? `The run ${imported.name} is in the list now.`
      : `The model is here now: choose it in the settings as stored:${imported.name}.`;
}

/** Takes a model's folder: its files are read from where they lie whenever something of them is needed. */
function takeModel(given: readonly GivenFile[]): void {
  const model = givenModel(given);
  const isWhole = model && Object.keys(model.files).some((name) => name.endsWith(".safetensors"));
  if (!isWhole) {
    const missing = model ? "weights in a .safetensors file" : "config.json";
    trouble.value = {
      message: `Cannot use what was given as a model: ${missing} is not among its ${given.length} file${given.length === 1 ? "" : "s"}`,
      hint: "Give a folder in the Hugging Face layout (config.json, model.safetensors, tokenizer.json), one of adapters (adapter_config.json, adapter_model.safetensors), or the zip of a run or a checkpoint",
    };
    return;
  }
  const { name, files } = model;
  dropped.value = { ...dropped.value, [name]: files };
  modelsChanged.value++;
  chooseModel(`dropped:${name}`);
  taken.value = `The next run trains the model in ${name} (${byteText(model.bytes)}). Its files are read from where they lie: give the folder again after a reload.`;
}

export async function takeFiles(given: readonly GivenFile[]): Promise<void> {
  trouble.value = null;
  const [first] = given;
  if (given.length === 1 && /\.zip$/i.test(first.path)) await takeZip(first.file);
  else if (given.length > 0) takeModel(given);
}

const bringsFile = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes("Files") ?? false;

/** Takes drops anywhere on the page until the returned function is called. */
export function takeDrops(): () => void {
  const over = (event: DragEvent) => {
    if (!bringsFile(event)) return;
    event.preventDefault();
    dropping.value = true;
  };
  const leave = (event: DragEvent) => {
    if (event.relatedTarget === null) dropping.value = false;
  };
  const drop = async (event: DragEvent) => {
    if (!bringsFile(event) || !event.dataTransfer) return;
    event.preventDefault();
    dropping.value = false;
    try {
      await takeFiles(await droppedFiles(event.dataTransfer));
    } catch (error) {
      trouble.value = {
        message: `Cannot read what was dropped: ${error instanceof Error ? error.message : error}`,
        hint: "Check that the files may be read, and drop them again",
      };
    }
  };
  addEventListener("dragover", over);
  addEventListener("dragleave", leave);
  addEventListener("drop", drop);
  return () => {
    removeEventListener("dragover", over);
    removeEventListener("dragleave", leave);
    removeEventListener("drop", drop);
  };
}
