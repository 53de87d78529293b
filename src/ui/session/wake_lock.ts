/** Keeps the screen awake while something goes on; the browser takes the lock back whenever the tab is hidden. */
import { effect, signal } from "@preact/signals";

/** True while the screen is kept awake. */
export const awake = signal(false);

/** Holds the lock as long as `needed`, which reads signals, is true. */
export function keepAwake(needed: () => boolean): void {
  const { wakeLock } = navigator as Partial<Pick<Navigator, "wakeLock">>;
  if (!wakeLock) return;
  let held: WakeLockSentinel | null = null;
  let over = false;
  const ask = async () => {
    if (over || held || document.visibilityState === "hidden") return;
    try {
      const lock = await wakeLock.request("screen");
      if (over) return void lock.release();
      held = lock;
      awake.value = true;
      lock.addEventListener("release", () => {
        held = null;
        awake.value = false;
      });
    } catch {
      // Refused, as with a nearly empty battery: the run goes on all the same.
      awake.value = false;
    }
  };
  document.addEventListener("visibilitychange", ask);
  const stop = effect(() => {
    if (needed()) return;
    over = true;
    document.removeEventListener("visibilitychange", ask);
    held?.release();
    // Not from within its own first run.
    queueMicrotask(() => stop());
  });
  ask();
}
