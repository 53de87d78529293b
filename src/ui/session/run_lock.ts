/**
 * One tab at a time trains, removes or overwrites a stored run, and fills a folder with an upload: held by the browser's
 * locks, let go when a tab dies.
 */
import { WebgrpoError } from "../../errors.ts";
import { findLocks } from "../../rpc/signs_of_life.ts";
import { RUNS } from "../../runs/stored_runs.ts";

const lockName = (run: string) => `webgrpo run ${run}`;
const uploadLock = (folder: string) => `webgrpo upload ${folder}`;

/** Takes a lock and returns how to let it go; null where somebody has it. */
async function tryLock(name: string): Promise<(() => void) | null> {
  const locks = findLocks();
  if (!locks) return () => undefined;
  return new Promise((resolve, reject) => {
    locks
      .request(name, { ifAvailable: true }, (lock) => {
        if (lock) return new Promise<void>((release) => resolve(release));
        resolve(null);
      })
      .catch(reject);
  });
}

/**
 * Takes the lock of a run; returns how to let it go.
 * @throws WebgrpoError `session/run-in-use` where another tab or this one has it
 */
export async function holdRun(run: string, purpose: string): Promise<() => void> {
  const release = await tryLock(lockName(run));
  if (release) return release;
  throw new WebgrpoError(
    "session/run-in-use",
    `Cannot ${purpose} the run ${run}: it is training, here or in another tab`,
    {
      hint: "Stop it there first, or close that tab",
    },
  );
}

/** Takes a folder such as `runs/NAME` to fill it; null where it is being filled already. */
export const holdUpload = (folder: string) => tryLock(uploadLock(folder));

/** Takes a folder that nobody trains in or fills; null where somebody does, or where that cannot be known. */
export async function holdIdle(folder: string): Promise<(() => void) | null> {
  if (!findLocks()) return null;
  const [parent, name] = folder.split("/");
  const releaseUpload = await holdUpload(folder);
  if (!releaseUpload || parent !== RUNS) return releaseUpload;
  const releaseRun = await tryLock(lockName(name));
  if (!releaseRun) {
    releaseUpload();
    return null;
  }
  return () => {
    releaseRun();
    releaseUpload();
  };
}

/** Names of the runs that train now, in any tab; none where the browser denies this page its locks, and with them its files. */
export async function runsInUse(): Promise<string[]> {
  const known = await findLocks()
    ?.query()
    .catch(() => null);
  const held = known?.held ?? [];
  const prefix = lockName("");
  return held.flatMap(({ name }) => (name?.startsWith(prefix) ? [name.slice(prefix.length)] : []));
}
