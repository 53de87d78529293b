/**
 * Ctrl-C: the first asks the command to finish its step and save, the second ends the process at once with 130. One
 * key press may arrive several times (from the terminal, npm and the launcher), so signals close together count once.
 */

export interface Interrupt {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Resolves at the first signal. */
  readonly requested: Promise<void>;
  /** Stops listening. */
  dispose(): void;
}

export interface InterruptOptions {
  /** Starts listening to a signal; the result stops it. */
  listen(name: "SIGINT" | "SIGTERM", handler: () => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
  /** Tells the user that the first signal was heard. */
  note(text: string): void;
  now?: () => number;
  /** Signals closer than this to the first are the same one. */
  sameWithinMs?: number;
}

/** Listens for SIGINT and SIGTERM. */
export function createInterrupt(options: InterruptOptions): Interrupt {
  const { listen, exit, note, now = () => performance.now(), sameWithinMs = 300 } = options;
  const controller = new AbortController();
  const requested = new Promise<void>((resolve) =>
    controller.signal.addEventListener("abort", () => resolve(), { once: true }),
  );
  let firstAt = 0;
  const onSignal = () => {
    if (!controller.signal.aborted) {
      firstAt = now();
      note("Finishing this step and saving; press Ctrl-C again to quit at once");
      controller.abort(new DOMException("The user interrupted the run", "AbortError"));
    } else if (now() - firstAt > sameWithinMs) {
      exit(130);
    }
  };
  const stops = [listen("SIGINT", onSignal), listen("SIGTERM", onSignal)];
  return {
    signal: controller.signal,
    requested,
    dispose: () => {
      for (const stop of stops) stop();
    },
  };
}
