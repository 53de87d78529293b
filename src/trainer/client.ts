/**
 * The trainer as the loop sees it: a worker that steps, and that is started again from the newest checkpoint when it
 * dies. A second death within a minute is the run's end.
 */
import { GpuLostError, WebgrpoError, WorkerError } from "../errors.ts";
import { type Connection, connect, transfer } from "../rpc/connect.ts";
import { Patience } from "../rpc/patience.ts";
import type {
  OptimizerState,
  TrainerApi,
  TrainerKnobs,
  TrainerOptions,
  TrainerReady,
  TrainerStep,
} from "./api.ts";
import { batchTransferables, type TrainingBatch } from "./batch.ts";

const DEATHS_APART_MS = 60_000;

export interface TrainerClientOptions extends Omit<TrainerOptions, "weights"> {
  /** A fresh handle for each worker that takes over. */
  weightHandle(): TrainerOptions["weights"];
  /** The newest saved state, and the batch it belongs to. @throws when there is none */
  newestCheckpoint(): Promise<{ state: OptimizerState; step: number }>;
  onRestart?(cause: unknown, step: number): void;
  /** The least silence that counts as a hang; a minute by default. */
  silenceMs?: number;
}

export class TrainerClient {
  ready!: TrainerReady;
  /** The version published last. */
  version = -1;
  /** Whether a step is being taken. */
  busy = false;
  /** Completions given to `step` so far, also those lost with a worker. */
  takenCompletions = 0;
  /** When `version` became known, of `performance.now()`. */
  publishedAt = Number.NEGATIVE_INFINITY;
  private readonly options: TrainerClientOptions;
  private connection!: Connection<TrainerApi>;
  private patience!: Patience;
  private lastDeath = Number.NEGATIVE_INFINITY;
  private rollback: number | null = null;
  private disposed = false;
  private readonly knobs: TrainerKnobs = {};

  /** Starts the worker and publishes the starting weights. @throws what the worker's start throws */
  static async start(options: TrainerClientOptions): Promise<TrainerClient> {
    const client = new TrainerClient(options);
    await client.launch(options.start);
    return client;
  }

  private constructor(options: TrainerClientOptions) {
    this.options = options;
  }

  /**
   * Trains on one batch; its arrays are gone afterwards. Null: the worker died and another took its place, see
   * `takeRollback`. @throws WorkerError at the second death within a minute; what the worker refuses
   */
  async step(batch: TrainingBatch): Promise<TrainerStep | null> {
    this.takenCompletions += batch.groups.length;
    this.busy = true;
    try {
      const step = await this.survive(() =>
        this.connection.api.step(transfer(batch, batchTransferables(batch))),
      );
      if (!step) return null;
      this.published(step.version);
      this.patience.worked(step.computeMs + step.publishMs);
      return step;
    } finally {
      this.busy = false;
    }
  }

  /** Weights, moments and step; null: the worker died, and its successor is where the newest checkpoint is. */
  state(): Promise<OptimizerState | null> {
    return this.survive(() => this.connection.api.state() as Promise<OptimizerState>);
  }

  /** The batch that a worker which took over begins after; null where none did since the last call. */
  takeRollback(): number | null {
    const step = this.rollback;
    this.rollback = null;
    return step;
  }

  /** Changes what may be changed while running, between two steps. */
  async turn(knobs: TrainerKnobs): Promise<void> {
    Object.assign(this.knobs, knobs);
    try {
      await this.connection.api.turn(knobs);
    } catch (error) {
      // The next step notices that the worker is dead, and whoever takes over is told of all knobs.
      if (!this.isDeath(error)) throw error;
    }
  }

  /** Loses the worker's GPU device on purpose; for tests of recovery. */
  async loseDevice(): Promise<void> {
    await this.connection.api.loseDevice();
  }

  /** Has the worker answer nobody for so long; for tests of recovery. */
  async hang(ms: number): Promise<void> {
    await this.connection.api.hang(ms);
  }

  dispose(): void {
    this.disposed = true;
    this.connection?.dispose();
  }

  private async launch(start: OptimizerState): Promise<void> {
    const { weightHandle, newestCheckpoint: _, onRestart: __, silenceMs, ...options } = this.options;
    const worker = new Worker(new URL("../../workers/trainer.ts", import.meta.url), { type: "module" });
    this.connection = await connect<TrainerApi>(worker, { name: "trainer" });
    this.patience = new Patience(this.connection, silenceMs);
    const weights = weightHandle();
    const message = { ...options, start, weights };
    try {
      this.ready = await this.connection.api.start(
        weights.kind === "transfer" ? transfer(message, [weights.port]) : message,
      );
    } catch (error) {
      this.connection.dispose();
      throw error;
    }
    this.published(this.ready.version);
  }

  private published(version: number): void {
    this.version = version;
    this.publishedAt = performance.now();
  }

  private async survive<T>(call: () => PromiseLike<T>): Promise<T | null> {
    try {
      return await call();
    } catch (error) {
      if (this.disposed || !this.isDeath(error)) throw error;
      this.rollback = await this.restart(error);
      return null;
    }
  }

  /** What the worker refuses with a reason (a gradient that is not finite) it would refuse again. */
  private isDeath(error: unknown): boolean {
    return this.connection.terminated || error instanceof GpuLostError || !(error instanceof WebgrpoError);
  }

  private async restart(cause: unknown): Promise<number> {
    const now = performance.now();
    const again = this.patience.lastWell(cause, now) - this.lastDeath < DEATHS_APART_MS;
    this.lastDeath = now;
    this.connection.dispose();
    if (again) {
      throw new WorkerError(
        "trainer/died-twice",
        `Cannot go on training: the trainer failed twice within a minute, at last with "${cause instanceof Error ? cause.message : cause}"`,
        {
          cause,
          hint: "Everything up to the newest checkpoint is saved: mend the cause, then go on with --resume.",
        },
      );
    }
    const { state, step } = await this.options.newestCheckpoint();
    await this.launch(state);
    await this.connection.api.turn(this.knobs);
    this.options.onRestart?.(cause, step);
    return step;
  }
}
