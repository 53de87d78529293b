/** The newest policy that a run has saved: a checkpoint among the page's files, or the folder that came with a recording. */
import { type ModelSource, openModelUrl } from "../../../data/source.ts";
import { ADAPTER_CONFIG } from "../../../model/adapters/peft.ts";
import type { CheckpointState } from "../../../runs/checkpoint.ts";
import { type OpenStorage, RUNS, wholeCheckpoints } from "../../../runs/stored_runs.ts";
import { openStoredFolder } from "../../session/models.ts";
import type { ChatSource } from "./api.ts";

export interface SavedPolicy {
  step: number;
  /** Opens its folder as it is at that moment. */
  open(): Promise<ModelSource>;
  version(source: ModelSource): Promise<number>;
}

/**
 * Finds it by looking only; null where there is none. What is `known`, by its step, is not looked for again where that
 * takes a request.
 * @throws DataError `model/unreadable`
 */
export async function findSaved(
  { run, recorded }: Pick<ChatSource, "run" | "recorded">,
  openStorage: OpenStorage,
  known: number | undefined,
): Promise<SavedPolicy | null> {
  if (recorded) {
    const { address, step, version } = recorded;
    const source = openModelUrl(address);
    const found = known === step || (await isModel(source));
    return found ? { step, open: async () => source, version: async () => version } : null;
  }
  if (run === null) return null;
  const storage = openStorage(`${RUNS}/${run}`);
  const [newest] = await wholeCheckpoints(storage, await storage.files());
  if (newest === undefined) return null;
  const { path, step } = newest;
  const open = () => openStoredFolder(storage, path, `${storage.where}/${path}`);
  return { step, open, version: (source) => versionOf(source, step) };
}

/** A host may have left the folder out. */
async function isModel(source: ModelSource): Promise<boolean> {
  return (await source.read("config.json")) !== null || (await source.read(ADAPTER_CONFIG)) !== null;
}

async function versionOf(source: ModelSource, step: number): Promise<number> {
  const bytes = await source.read("state.json");
  if (bytes === null) return step;
  const { weightVersion } = JSON.parse(new TextDecoder().decode(bytes)) as Partial<CheckpointState>;
  return weightVersion ?? step;
}
