/**
 * How long a worker with a GPU may be silent before it counts as hung. Under Deno the thread stands still while it waits
 * for the GPU, on a software adapter for as long as a whole optimiser step takes: so the measure is the longest work that
 * ended well, and nobody is watched before there was any.
 */
import { WorkerError } from "../errors.ts";
import type { Connection } from "./connect.ts";

/** Silence that is always forgiven. */
const LEAST_MS = 60_000;
/** How much longer than all before work may take: other programs may need the machine. */
const FACTOR = 20;

export class Patience {
  private readonly connection: Pick<Connection<unknown>, "watch">;
  private readonly leastMs: number;
  private limitMs = 0;

  constructor(connection: Pick<Connection<unknown>, "watch">, leastMs = LEAST_MS) {
    this.connection = connection;
    this.leastMs = leastMs;
  }

  /** Something the worker did took so long. */
  worked(ms: number): void {
    const limit = Math.ceil(Math.max(this.leastMs, FACTOR * ms));
    if (limit <= this.limitMs) return;
    this.limitMs = limit;
    this.connection.watch(limit);
  }

  /** When the worker was last well, of the clock of `now`, if this is what it died of at `now`. */
  lastWell(cause: unknown, now: number): number {
    return cause instanceof WorkerError && cause.code === "worker/silent" ? now - this.limitMs : now;
  }
}
