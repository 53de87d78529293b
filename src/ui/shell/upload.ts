/** Zips of runs and checkpoints: chosen, or dropped anywhere on the page. */
import { signal } from "@preact/signals";
import { ask } from "./session.ts";

/** A file is held over the page. */
export const dropping = signal(false);
/** What became of the last upload, in words. */
export const uploaded = signal<string | null>(null);

export async function takeUpload(file: File): Promise<void> {
  const imported = await ask((client) => client.importZip(file));
  if (!imported) return;
  uploaded.value =
    imported.kind === "run"
      ? `The run ${imported.name} is in the list now.`
      : `The model is here now: choose it in the settings as stored:${imported.name}.`;
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
  const drop = (event: DragEvent) => {
    if (!bringsFile(event)) return;
    event.preventDefault();
    dropping.value = false;
    const [file] = event.dataTransfer?.files ?? [];
    if (file) takeUpload(file);
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
