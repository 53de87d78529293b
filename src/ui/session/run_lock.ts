/** One tab at a time trains, removes or overwrites a stored run: held by the browser's locks, let go when a tab dies. */
import { WebgrpoError } from "../../errors.ts";

const lockName = (run: string) => `webgrpo run ${run}`;

/**
 * Takes the lock of a run; returns how to let it go.
 * @throws WebgrpoError `session/run-in-use` where another tab or this one has it
 */
export async function holdRun(run: string, purpose: string): Promise<() => void> {
  // Absent outside of secure pages, where nothing is stored either.
  const { locks } = navigator as Partial<Pick<Navigator, "locks">>;
  if (!locks) return () => undefined;
  return new Promise((resolve, reject) => {
    locks
      .request(lockName(run), { ifAvailable: true }, (lock) => {
        if (!lock) {
          throw new WebgrpoError(
            "session/run-in-use",
            `Cannot ${purpose} the run ${run}: it is training, here or in another tab`,
            {
              hint: "Stop it there first, or close that tab",
            },
          );
        }
        return new Promise<void>((release) => resolve(release));
      })
      .catch(reject);
  });
}

/** Names of the runs that train now, in any tab. */
export async function runsInUse(): Promise<string[]> {
  const { locks } = navigator as Partial<Pick<Navigator, "locks">>;
  const held = (await locks?.query())?.held ?? [];
  const prefix = lockName("");
  return held.flatMap(({ name }) => (name?.startsWith(prefix) ? [name.slice(prefix.length)] : []));
}
