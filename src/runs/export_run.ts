/** A stored run as a zip: its whole folder, or its newest checkpoint as a model that other programs load. */
import { DataError } from "../errors.ts";
import { fingerprint } from "../weights/fingerprint.ts";
import type { ListedStorage, StoredFile } from "./opfs.ts";
import { type CheckpointFolder, wholeCheckpoints } from "./stored_runs.ts";
import { type FileToZip, zipFiles } from "./zip_folder.ts";

/** Of a checkpoint, what only a run needs: moments and the loop's state. */
const OF_THE_RUN = ["optimizer.safetensors", "state.json"];

const nameWithin = (folder: CheckpointFolder, { path }: StoredFile) => path.slice(folder.path.length + 1);

/** The run's folder below `name/`: its logs and those of its checkpoints that are whole. */
export async function exportRun(name: string, storage: ListedStorage): Promise<Blob> {
  const files = await storage.files();
  if (!files.some(({ path }) => path === "recipe.json")) throw noRun(name);
  const whole = await wholeCheckpoints(storage, files);
  const packed = [
    ...files
      .filter(({ path }) => !path.startsWith("checkpoints/"))
      .map((file) => ({ file, path: file.path })),
    ...whole.flatMap((folder) =>
      // Under its settled name also where the storage cannot rename it.
      folder.files.map((file) => ({
        file,
        path: `${folder.path.replace(/\.tmp$|\.old$/, "")}/${nameWithin(folder, file)}`,
      })),
    ),
  ];
  // Of two whole checkpoints of one step the first is the one that counts.
  const seen = new Set<string>();
  const unique = packed.filter(({ path }) => !seen.has(path) && seen.add(path));
  return zipFiles(unique.map(({ file, path }) => toZip(storage, file, `${name}/${path}`)));
}

/**
 * The newest checkpoint below `name-step-N/` in the Hugging Face layout: config, weights, tokenizer, generation settings.
 * @throws DataError `runs/no-checkpoint`; `runs/damaged` where the weights are not those that were saved
 */
export async function exportCheckpoint(name: string, storage: ListedStorage): Promise<Blob> {
  const files = await storage.files();
  if (!files.some(({ path }) => path === "recipe.json")) throw noRun(name);
  const [newest] = await wholeCheckpoints(storage, files);
  if (!newest) {
    throw new DataError(
      "runs/no-checkpoint",
      `Cannot download a checkpoint of ${name}: none has been saved yet`,
      {
        hint: "Wait until the run has saved one, or stop it: stopping saves",
      },
    );
  }
  const state = JSON.parse(
    new TextDecoder().decode((await storage.read(`${newest.path}/state.json`)) ?? undefined),
  ) as {
    files: Record<string, { fingerprint: string }>;
  };
  const model = newest.files.filter((file) => !OF_THE_RUN.includes(nameWithin(newest, file)));
  return zipFiles(
    model.map((file) => {
      const own = nameWithin(newest, file);
      const entry = toZip(storage, file, `${name}-step-${newest.step}/${own}`);
      const read = async () => {
        const bytes = await storage.read(file.path);
        if (bytes !== null && fingerprint(bytes) === state.files[own]?.fingerprint) return bytes;
        throw new DataError(
          "runs/damaged",
          `Cannot download the checkpoint of ${name}: ${own} is not as it was saved`,
          {
            hint: "Try again if the run is training; else go on with the run from an earlier checkpoint",
          },
        );
      };
      return { ...entry, read };
    }),
  );
}

function toZip(storage: ListedStorage, file: StoredFile, name: string): FileToZip {
  return { name, bytes: file.bytes, modified: file.modified, read: () => storage.read(file.path) };
}

function noRun(name: string): DataError {
  return new DataError("runs/not-a-run", `Cannot find the run ${name}`, {
    hint: "Choose another run from the list",
  });
}
