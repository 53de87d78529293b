/**
 * The trainer as the loop sees it: a worker that steps, and that is started again from the newest checkpoint when it
 * dies. A second death within a minute is the run's end.
 */
import { WorkerError } from "../errors.ts";
import { type Connection, connect, transfer } from "../rpc/connect.ts";
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
  /** The newest version on the board: what a new worker publishes comes after it. */
  newestVersion(): number;
  /** The newest saved state, and the batch it belongs to. @throws when there is none */
  newestCheckpoint(): Promise<{ state: OptimizerState; step: number }>;
  onRestart?(cause: unknown, step: number): void;
}

/** What became of a batch: trained on, or lost with the worker; then the run goes on from `step`. */
export type StepOutcome = { kind: "trained"; step: TrainerStep } | { kind: "restarted"; step: number };

export class TrainerClient {
  ready!: TrainerReady;
  /** The version published last. */
  version = -1;
  private readonly options: TrainerClientOptions;
  private connection!: Connection<TrainerApi>;
  private lastDeath = Number.NEGATIVE_INFINITY;

  /** Starts the worker and publishes the starting weights. @throws what the worker's start throws */
  static async start(options: TrainerClientOptions): Promise<TrainerClient> {
    const client = new TrainerClient(options);
    await client.launch(options.start, options.firstVersion);
    return client;
  }

  private constructor(options: TrainerClientOptions) {
    this.options = options;
  }

  /** Trains on one batch; its arrays are gone afterwards. @throws WorkerError at the second death within a minute */
  async step(batch: TrainingBatch): Promise<StepOutcome> {
    try {
      const step = await this.connection.api.step(transfer(batch, batchTransferables(batch)));
      this.version = step.version;
      return { kind: "trained", step };
    } catch (error) {
      return { kind: "restarted", step: await this.restart(error) };
    }
  }

  state(): Promise<OptimizerState> {
    return this.connection.api.state() as Promise<OptimizerState>;
  }

  async turn(knobs: TrainerKnobs): Promise<void> {
    await this.connection.api.turn(knobs);
  }

  /** Loses the worker's GPU device on purpose; for tests of recovery. */
  async loseDevice(): Promise<void> {
    await this.connection.api.loseDevice();
  }

  dispose(): void {
    this.connection?.dispose();
  }

  private async launch(start: OptimizerState, firstVersion: number): Promise<void> {
    const { weightHandle, newestVersion: _, newestCheckpoint: __, onRestart: ___, ...options } = this.options;
    const worker = new Worker(new URL("../../workers/trainer.ts", import.meta.url), { type: "module" });
    this.connection = await connect<TrainerApi>(worker, { name: "trainer" });
    const weights = weightHandle();
    const message = { ...options, start, firstVersion, weights };
    this.ready = await this.connection.api.start(
      weights.kind === "transfer" ? transfer(message, [weights.port]) : message,
    );
    this.version = this.ready.version;
  }

  private async restart(cause: unknown): Promise<number> {
    const now = performance.now();
    const again = now - this.lastDeath < DEATHS_APART_MS;
    this.lastDeath = now;
    this.connection.dispose();
    if (again) {
      throw new WorkerError(
        "trainer/died-twice",
        "Cannot go on training: the trainer failed twice within a minute",
        {
          cause,
          hint: "Everything up to the newest checkpoint is saved; look at the cause, then use --resume.",
        },
      );
    }
    const { state, step } = await this.options.newestCheckpoint();
    await this.launch(state, this.options.newestVersion() + 1);
    this.options.onRestart?.(cause, step);
    return step;
  }
}
