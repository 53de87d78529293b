/** Holds the calling thread: how a worker hangs on purpose, for tests of recovery. */
export function hang(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
