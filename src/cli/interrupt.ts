/**
 * Ctrl-C: the first asks the command to finish its step and save, the second ends the process at once with 130. One
 * key press may arrive several times (from the terminal, npm and the launcher), so signals close together count once.
 * A terminal or reader that goes away (`request`, SIGHUP) asks for the same, and is never the second: nobody chose it.
 */

export interface Interrupt {
  /** What the first signal asks for, in words that `note` gives to the user. */
  goal: string;
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Resolves at the first signal. */
  readonly requested: Promise<void>;
  /** Asks for the same as the first signal; silent once that was asked for. */
  request(): void;
  /** Stops listening. */
  dispose(): void;
}

export interface InterruptOptions {
  /** Starts listening to a signal; the result stops it. */
  listen(name: "SIGINT" | "SIGTERM" | "SIGHUP", handler: () => void): () => void;
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
  const request = () => {
    if (controller.signal.aborted) return;
    firstAt = now();
    controller.abort(new DOMException("The user interrupted the run", "AbortError"));
    note(`${interrupt.goal}; press Ctrl-C again to quit at once`);
  };
  const onSignal = () => {
    if (controller.signal.aborted && now() - firstAt > sameWithinMs) exit(130);
    else request();
  };
  const stops = [listen("SIGINT", onSignal), listen("SIGTERM", onSignal), listen("SIGHUP", request)];
  const interrupt: Interrupt = {
    goal: "Stopping",
    signal: controller.signal,
    requested,
    request,
    dispose: () => {
      for (const stop of stops) stop();
    },
  };
  return interrupt;
}
