/**
 * The host's side of a sandbox worker: code that may hang runs there, every call has a time limit, and a worker that
 * passes it is killed and started again at the next call.
 */
import { type Connection, connect } from "../rpc/connect.ts";
import { RewardFailure } from "./reward.ts";
import type { WireArgs, WireResult } from "./user_module.ts";

/** The API of `workers/sandbox.ts`. */
export interface SandboxApi {
  warmSymbolic(): Promise<void>;
  equalSymbolically(expected: string, found: string): Promise<boolean>;
  /** The names of the functions a module exports. */
  loadRewards(url: string): Promise<string[]>;
  callReward(name: string, args: WireArgs): Promise<WireResult>;
}

/** Milliseconds a worker may take to start and prepare; not charged to the sample that needs it. */
const START_MS = 30_000;

export class Sandbox {
  readonly #name: string;
  readonly #prepare: (api: SandboxApi) => Promise<unknown>;
  #connection: Promise<Connection<SandboxApi>> | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  /** How many workers were killed. */
  restarts = 0;

  /** `prepare` runs in every fresh worker before its first call. */
  constructor(name: string, prepare: (api: SandboxApi) => Promise<unknown>) {
    this.#name = name;
    this.#prepare = prepare;
  }

  static get available(): boolean {
    return typeof Worker !== "undefined";
  }

  /** Starts the worker now. @throws what `prepare` throws, or WorkerError. */
  async start(): Promise<void> {
    await this.#connect();
  }

  /**
   * One call, alone in the worker, within the limit.
   * @throws RewardFailure `timeout` when the time is up or `exception` when the worker dies; otherwise what the call throws
   */
  run<T>(limitMs: number, call: (api: SandboxApi) => Promise<T>): Promise<T> {
    const turn = this.#queue.then(() => this.#run(limitMs, call));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #run<T>(limitMs: number, call: (api: SandboxApi) => Promise<T>): Promise<T> {
    const connection = await this.#connect();
    try {
      return await call(connection.within(limitMs) as unknown as SandboxApi);
    } catch (error) {
      const code = codeOf(error);
      if (code === "worker/deadline") {
        this.#kill(connection);
        throw new RewardFailure(
          "timeout",
          "verifier/timeout",
          `no answer from the ${this.#name} within ${limitMs} ms`,
        );
      }
      if (connection.terminated) {
        this.#kill(connection);
        const message = error instanceof Error ? error.message : String(error);
        throw new RewardFailure("exception", "verifier/sandbox-died", message);
      }
      throw error;
    }
  }

  #connect(): Promise<Connection<SandboxApi>> {
    this.#connection ??= this.#open();
    return this.#connection;
  }

  async #open(): Promise<Connection<SandboxApi>> {
    try {
      const worker = new Worker(new URL("../../workers/sandbox.ts", import.meta.url), { type: "module" });
      const connection = await connect<SandboxApi>(worker, { name: this.#name, readyMs: START_MS });
      try {
        await this.#prepare(connection.within(START_MS) as unknown as SandboxApi);
      } catch (error) {
        connection.dispose();
        throw error;
      }
      return connection;
    } catch (error) {
      this.#connection = null;
      throw error;
    }
  }

  #kill(connection: Connection<SandboxApi>): void {
    connection.dispose();
    this.#connection = null;
    this.restarts++;
  }

  dispose(): void {
    this.#connection?.then(
      (connection) => connection.dispose(),
      () => undefined,
    );
    this.#connection = null;
  }
}

const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
