/** How one end of a connection notices that the other is gone or hangs: `connect.ts` decides what follows from it. */
import type { ErrorRecord } from "./errors.ts";

/** What travels beside Comlink's own messages, told apart by `rpc`. */
export type ControlMessage =
  | { rpc: "hello" }
  | { rpc: "ready" }
  /** To be held as long as the worker lives, and that it is held. */
  | { rpc: "live"; lock: string }
  | { rpc: "alive" }
  | { rpc: "ping"; count: number }
  | { rpc: "pong"; count: number }
  | { rpc: "died"; error: ErrorRecord };

/** The browser's locks; absent outside of secure pages, where nothing is stored either. */
export const findLocks = () => (globalThis.navigator as Partial<Pick<Navigator, "locks">> | undefined)?.locks;

/** What a worker said at its end may arrive after the lock that it let go. */
const LAST_WORDS_MS = 250;

/**
 * Calls back as soon as the worker is gone, however it went and however busy it was: it holds a lock as long as it lives.
 * Where the browser denies locks, nothing is told.
 */
export function watchLife(worker: Worker, onEnd: () => void): () => void {
  const locks = findLocks();
  if (!locks) return () => undefined;
  const lock = `webgrpo worker ${crypto.randomUUID()}`;
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  worker.addEventListener("message", (event: MessageEvent<ControlMessage | null>) => {
    if (event.data?.rpc !== "alive") return;
    const onFree = () => {
      timer = setTimeout(onEnd, LAST_WORDS_MS);
    };
    // Refused when it is not waited for any more.
    locks.request(lock, { signal: stop.signal }, onFree).catch(() => undefined);
  });
  worker.postMessage({ rpc: "live", lock } satisfies ControlMessage);
  return () => {
    stop.abort();
    clearTimeout(timer);
  };
}

/** Calls back when a ping has stayed unanswered for so long; how to stop it is returned. */
export function watchHeart(worker: Worker, heartbeatMs: number, onSilence: () => void): () => void {
  let sent = 0;
  let answered = 0;
  let askedAt = 0;
  let late = 0;
  const onMessage = (event: MessageEvent<ControlMessage | null>) => {
    if (event.data?.rpc === "pong") answered = event.data.count;
  };
  worker.addEventListener("message", onMessage);
  const timer = setInterval(() => {
    if (answered === sent) {
      late = 0;
      sent += 1;
      askedAt = performance.now();
      worker.postMessage({ rpc: "ping", count: sent } satisfies ControlMessage);
    } else if (performance.now() - askedAt > heartbeatMs) {
      // The second look lets answers in that arrived while this thread itself was stopped.
      late += 1;
      if (late > 1) onSilence();
    }
  }, heartbeatMs / 4);
  return () => {
    clearInterval(timer);
    worker.removeEventListener("message", onMessage);
  };
}
