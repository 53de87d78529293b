/**
 * Comlink made safe: a connection to a worker whose every call ends, with an answer or with an error that kept its class,
 * code, hint and cause. Adds a ready handshake, deadlines, rejection of what is pending when the worker dies, a lock that
 * tells of its death, a heartbeat that tells of its hanging, and disposal. `connect` runs beside the worker, `serve` inside
 * it; neither knows what the API does.
 */
import { expose, type Remote, transferHandlers, wrap } from "comlink";
import { WorkerError } from "../errors.ts";
import { decodeError, type ErrorRecord, encodeError } from "./errors.ts";
import { type ControlMessage, findLocks, watchHeart, watchLife } from "./signs_of_life.ts";

export { proxy, type Remote, transfer } from "comlink";

export interface ConnectOptions {
  /** Named in errors, for example `generator 0`. */
  name: string;
  /** Milliseconds until a call rejects; none by default, for calls that last a whole run. */
  deadlineMs?: number;
  /** Milliseconds until the worker must have answered the handshake; 60,000 by default. */
  readyMs?: number;
  /**
   * False: the worker holds no lock, and its death without a word is noticed by the heartbeat alone. For workers that an idle
   * page keeps: a browser does not freeze a page that has a lock.
   */
  lifeLock?: boolean;
  /** Milliseconds a ping may stay unanswered before the worker counts as dead; 0, the default, sends none. */
  heartbeatMs?: number;
}

export interface Connection<T> {
  readonly name: string;
  /** The worker's API; every call rejects with a WorkerError once the worker is gone or the deadline has passed. */
  readonly api: Remote<T>;
  /** The same API under another deadline; 0 for none. */
  within(deadlineMs: number): Remote<T>;
  /** True once the worker has died or was disposed of. */
  readonly terminated: boolean;
  /** From now on a ping that stays unanswered for so many milliseconds means death; 0 for no pings. */
  watch(heartbeatMs: number): void;
  /** Calls back once when the worker dies by itself (at once if it has); not after `dispose`. Returns the undoing. */
  onDeath(callback: (error: WorkerError) => void): () => void;
  /** Terminates the worker and rejects what is pending. */
  dispose(): void;
  [Symbol.dispose](): void;
}

const thrownHandler = transferHandlers.get("throw");
transferHandlers.set("throw", {
  canHandle: (value: unknown): value is { value: unknown } => thrownHandler?.canHandle(value) ?? false,
  serialize: (thrown: { value: unknown }) => [encodeError(thrown.value), []],
  deserialize: (record: ErrorRecord) => {
    throw decodeError(record);
  },
} as Parameters<typeof transferHandlers.set>[1]);

/** One worker's fate and the calls that hang on it. */
class Lifeline {
  readonly #name: string;
  readonly #pending = new Set<(error: WorkerError) => void>();
  readonly #mourners = new Set<(error: WorkerError) => void>();
  /** Why no call can be answered any more. */
  end: WorkerError | null = null;
  #disposed = false;

  constructor(name: string) {
    this.#name = name;
  }

  finish(error: WorkerError, disposed: boolean): void {
    if (this.end !== null) return;
    this.end = error;
    this.#disposed = disposed;
    for (const reject of [...this.#pending]) reject(error);
    this.#pending.clear();
    if (!disposed) for (const callback of [...this.#mourners]) callback(error);
    this.#mourners.clear();
  }

  onDeath(callback: (error: WorkerError) => void): () => void {
    if (this.end === null) this.#mourners.add(callback);
    else if (!this.#disposed) callback(this.end);
    return () => this.#mourners.delete(callback);
  }

  /** Starts a call and settles as it does, or rejects at the worker's end or the deadline. */
  guard<R>(what: string, start: () => PromiseLike<R>, deadlineMs: number): Promise<R> {
    if (this.end !== null) return Promise.reject(this.end);
    return new Promise<R>((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        this.#pending.delete(onEnd);
        finish();
      };
      const onEnd = (error: WorkerError) => settle(() => reject(error));
      this.#pending.add(onEnd);
      if (deadlineMs > 0) {
        timer = setTimeout(() => {
          const message = `Called ${what} of the ${this.#name} worker: no answer within ${deadlineMs} ms`;
          onEnd(
            new WorkerError("worker/deadline", message, { hint: "Restart the worker or allow it more time" }),
          );
        }, deadlineMs);
      }
      start().then(
        (value) => settle(() => resolve(value)),
        (error) => settle(() => reject(error)),
      );
    });
  }
}

type AnyRemote = ((...args: unknown[]) => PromiseLike<unknown>) & { [key: string | symbol]: AnyRemote };

/** Wraps Comlink's proxy so that every call and property read runs under the lifeline. */
function guarded(remote: AnyRemote, lifeline: Lifeline, deadlineMs: number, path: string): AnyRemote {
  const target = (() => undefined) as unknown as AnyRemote;
  return new Proxy(target, {
    get: (_target, key) => {
      if (key !== "then")
        return guarded(remote[key], lifeline, deadlineMs, `${path}${path && "."}${String(key)}`);
      if (path === "") return undefined;
      const read = lifeline.guard(path, () => remote as unknown as PromiseLike<unknown>, deadlineMs);
      return read.then.bind(read);
    },
    apply: (_target, _this, args) => lifeline.guard(`${path}()`, () => remote(...args), deadlineMs),
  });
}

function death(name: string, code: string, what: string, cause?: unknown): WorkerError {
  const hint = "Restart the worker; if it dies again, run with fewer sequences at a time";
  return new WorkerError(code, `The ${name} worker ${what}`, { hint, cause });
}

/**
 * Waits until the worker serves its API and returns the connection.
 * @throws WorkerError `worker/not-ready` or `worker/died`; the worker is terminated
 */
export async function connect<T>(worker: Worker, options: ConnectOptions): Promise<Connection<T>> {
  const { name, deadlineMs = 0, readyMs = 60_000, heartbeatMs = 0, lifeLock = true } = options;
  const lifeline = new Lifeline(name);
  const terminate = worker.terminate.bind(worker);
  let stopHeart: () => void = () => undefined;
  let stopLife: () => void = () => undefined;
  const end = (error: WorkerError, disposed = false) => {
    stopHeart();
    stopLife();
    terminate();
    lifeline.finish(error, disposed);
  };
  // Nobody is told when a worker is terminated, so the order to do so is listened to.
  worker.terminate = () => end(death(name, "worker/terminated", "was terminated"));
  worker.addEventListener("error", (event) => {
    // Unless prevented, Deno ends the whole process for an error in a worker.
    event.preventDefault();
    const where = event.filename ? ` (${event.filename}:${event.lineno})` : "";
    const what = event.message ? `failed: ${event.message}${where}` : "could not be loaded";
    end(death(name, "worker/died", what, event.error ?? undefined));
  });
  worker.addEventListener("messageerror", () => {
    end(death(name, "worker/died", "sent a message that cannot be read"));
  });

  const ready = new Promise<void>((resolve) => {
    worker.addEventListener("message", (event: MessageEvent<ControlMessage | null>) => {
      if (event.data?.rpc === "ready") resolve();
      if (event.data?.rpc === "died") {
        const cause = decodeError(event.data.error);
        end(death(name, "worker/died", `failed: ${event.data.error.message}`, cause));
      }
    });
  });
  worker.postMessage({ rpc: "hello" } satisfies ControlMessage);
  try {
    await lifeline.guard("the handshake", () => ready, readyMs);
  } catch (cause) {
    if ((cause as WorkerError).code !== "worker/deadline") throw cause;
    const error = death(name, "worker/not-ready", `did not answer within ${readyMs} ms of its start`);
    end(error, true);
    throw error;
  }

  if (lifeLock) stopLife = watchLife(worker, () => end(death(name, "worker/gone", "ended without a word")));
  const watch = (silenceMs: number) => {
    stopHeart();
    stopHeart = () => undefined;
    if (silenceMs === 0 || lifeline.end !== null) return;
    stopHeart = watchHeart(worker, silenceMs, () => {
      end(death(name, "worker/silent", `has not answered a ping for ${silenceMs} ms`));
    });
  };
  watch(heartbeatMs);
  const remote = wrap(worker) as unknown as AnyRemote;
  const within = (deadline: number) => guarded(remote, lifeline, deadline, "") as unknown as Remote<T>;
  const dispose = () => end(death(name, "worker/disposed", "was disposed of"), true);
  return {
    name,
    api: within(deadlineMs),
    within,
    get terminated() {
      return lifeline.end !== null;
    },
    watch,
    onDeath: (callback) => lifeline.onDeath(callback),
    dispose,
    [Symbol.dispose]: dispose,
  };
}

interface WorkerScope {
  postMessage(message: ControlMessage): void;
  addEventListener(type: string, listener: (event: Event) => void): void;
  close(): void;
}

/**
 * Serves an API from inside a worker: answers the handshake and pings, holds the lock of its life, and reports an uncaught
 * error or rejection, with its code and hint, before it closes the worker. Called once, when the API is ready to be called.
 */
export function serve(api: object): void {
  const scope = globalThis as unknown as WorkerScope;
  const die = (event: Event, error: unknown) => {
    event.preventDefault();
    scope.postMessage({ rpc: "died", error: encodeError(error) });
    scope.close();
  };
  scope.addEventListener("error", (event) => {
    const { error, message } = event as ErrorEvent;
    die(event, error ?? new Error(message));
  });
  scope.addEventListener("unhandledrejection", (event) =>
    die(event, (event as PromiseRejectionEvent).reason),
  );
  scope.addEventListener("message", (event) => {
    const control = (event as MessageEvent<ControlMessage | null>).data;
    if (control?.rpc === "hello") scope.postMessage({ rpc: "ready" });
    if (control?.rpc === "live") {
      const hold = () => {
        scope.postMessage({ rpc: "alive" });
        return new Promise<never>(() => undefined);
      };
      // Denied: nobody waits for it.
      findLocks()
        ?.request(control.lock, hold)
        .catch(() => undefined);
    }
    if (control?.rpc === "ping") scope.postMessage({ rpc: "pong", count: control.count });
  });
  expose(api);
  scope.postMessage({ rpc: "ready" });
}
