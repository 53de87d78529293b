/**
 * Gives back what a reload or a crash has left of uploads and of files that were being written: no list shows it. Whatever
 * another tab fills or trains at this moment stays as it is.
 */
import { DataError } from "../../errors.ts";
import type { ListedStorage } from "../../runs/opfs.ts";
import { isStoredModel, isStoredRun, MODELS, type OpenStorage, RUNS } from "../../runs/stored_runs.ts";
import { holdIdle } from "./run_lock.ts";

type IsWhole = (storage: ListedStorage) => Promise<boolean>;

const WHOLE: Readonly<Record<string, IsWhole>> = { [RUNS]: isStoredRun, [MODELS]: isStoredModel };

export async function sweepUnfinished(open: OpenStorage): Promise<void> {
  for (const [parent, isWhole] of Object.entries(WHOLE))
    for (const name of await open(parent).list("")) {
      const folder = `${parent}/${name}`;
      try {
        await sweepFolder(folder, open(folder), isWhole);
      } catch (error) {
        // One that cannot be read is listed with its problem, and hides no other.
        if (!(error instanceof DataError)) throw error;
      }
    }
}

/** What is to go from a folder; "" is all of it. */
async function leftOvers(storage: ListedStorage, isWhole: IsWhole): Promise<string[]> {
  return (await isWhole(storage)) ? storage.unfinished() : [""];
}

async function sweepFolder(folder: string, storage: ListedStorage, isWhole: IsWhole): Promise<void> {
  if ((await leftOvers(storage, isWhole)).length === 0) return;
  const release = await holdIdle(folder);
  if (!release) return;
  try {
    // Whoever had it until now may have finished it.
    for (const path of await leftOvers(storage, isWhole)) await storage.remove(path);
  } finally {
    release();
  }
}
