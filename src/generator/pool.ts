/**
 * The generators as the loop sees them: workers that are given groups and hand back completions. A group goes to the
 * generator with the least to do; one whose worker dies is given to the worker that takes over, from its beginning.
 */
import { WorkerError } from "../errors.ts";
import { RecentRate } from "../metrics/rate.ts";
import { gpuTrackOf, slicesOn, type TraceEvent, type TraceMoment } from "../metrics/trace.ts";
import type { PromptTokens, Rollout } from "../rollout.ts";
import { type Connection, connect, transfer } from "../rpc/connect.ts";
import { decodeError } from "../rpc/errors.ts";
import { Patience } from "../rpc/patience.ts";
import { type TypedPort, typedPort } from "../rpc/port.ts";
import type { WeightHandle } from "../weights/api.ts";
import type {
  FromGenerator,
  GeneratorApi,
  GeneratorOptions,
  GeneratorReady,
  GeneratorReport,
  PromptGroup,
  SamplingOptions,
  ToGenerator,
} from "./api.ts";
import { addReports, emptyReport } from "./report.ts";

const DEATHS_APART_MS = 60_000;

/** Rollouts of one group, all finished. */
export interface FinishedGroup {
  groupId: number;
  prompt: PromptTokens;
  rollouts: Rollout[];
  /** When and where the last of them was drawn. */
  finished: TraceMoment;
}

export interface GeneratorPoolOptions extends Omit<GeneratorOptions, "weights"> {
  workers: number;
  /** For training groups. */
  sampling: SamplingOptions;
  /** A fresh handle for each worker that takes the reader's place. */
  weightHandle(reader: number): WeightHandle;
  onRestart?(index: number, cause: unknown): void;
  /** The least silence that counts as a hang; a minute by default. */
  silenceMs?: number;
  /** What the workers did when; batched, not in the order of time. */
  onTrace?(events: TraceEvent[]): void;
}

interface Pending {
  group: PromptGroup;
  prompt: PromptTokens;
  finished: Rollout[];
  done(group: FinishedGroup): void;
}

interface Member {
  index: number;
  connection: Connection<GeneratorApi>;
  port: TypedPort<FromGenerator, ToGenerator>;
  pending: Map<number, Pending>;
  /** Sequences given and not finished. */
  load: number;
  lastDeath: number;
  patience: Patience;
}

/** What the generators are at. */
export interface GeneratorGauges {
  /** Training groups submitted, and completions of theirs that came back, since the pool was started. */
  submittedGroups: number;
  finishedCompletions: number;
  /** Of `performance.now()`; -Infinity before the first. */
  lastSubmit: number;
  /** Completions being decoded, and waiting for a free row; evaluation's included. */
  decoding: number;
  queued: number;
  /** The newest weights in use; -1 before anybody told. */
  version: number;
  /** Over the last two seconds. */
  tokensPerSecond: number;
}

const RATE_MS = 2000;

/** Ids of evaluation rollouts start here, so that they never share random numbers with training. */
export const EVALUATION_IDS = 0x8000_0000;

export class GeneratorPool {
  ready: GeneratorReady[] = [];
  private readonly options: GeneratorPoolOptions;
  /** For training groups from now on. */
  private sampling: SamplingOptions;
  private readonly members: Member[] = [];
  private readonly groupListeners = new Set<(group: FinishedGroup) => void>();
  private readonly failureListeners = new Set<(error: unknown) => void>();
  private report = emptyReport();
  private readonly rate = new RecentRate(RATE_MS, performance.now());
  private readonly counted = { submittedGroups: 0, finishedCompletions: 0, lastSubmit: -Infinity };
  private nextEvaluation = 0;
  private failure: { error: unknown } | null = null;
  private disposed = false;

  /** Starts the workers one after another; each waits for the first weights. @throws what a worker's start throws */
  static async start(options: GeneratorPoolOptions): Promise<GeneratorPool> {
    const pool = new GeneratorPool(options);
    try {
      for (let index = 0; index < options.workers; index++)
        pool.members.push(await pool.launch(index, Number.NEGATIVE_INFINITY));
    } catch (error) {
      pool.dispose();
      throw error;
    }
    return pool;
  }

  private constructor(options: GeneratorPoolOptions) {
    this.options = options;
    this.sampling = options.sampling;
  }

  /** Changes how training groups that start from now on are sampled. */
  turn(changed: Partial<SamplingOptions>): void {
    this.sampling = { ...this.sampling, ...changed };
  }

  /** Starts `size` completions of a training prompt; they arrive together at `onGroup`. */
  submit(groupId: number, prompt: PromptTokens, size: number): void {
    const rolloutIds = Uint32Array.from({ length: size }, (_, i) => groupId * size + i);
    this.counted.submittedGroups++;
    this.counted.lastSubmit = performance.now();
    this.give(groupId, prompt, rolloutIds, this.sampling, (group) => {
      for (const listener of this.groupListeners) listener(group);
    });
  }

  /** `samples` completions of each prompt, outside training. Random numbers depend on seed, prompt index and sample. */
  sample(prompts: readonly PromptTokens[], samples: number, sampling: SamplingOptions): Promise<Rollout[][]> {
    const results = prompts.map(
      (prompt, i) =>
        new Promise<Rollout[]>((resolve, reject) => {
          const stop = this.onFailure(reject);
          const rolloutIds = Uint32Array.from(
            { length: samples },
            (_, k) => EVALUATION_IDS + i * samples + k,
          );
          // Negative ids cannot meet those of training groups.
          this.give(--this.nextEvaluation, prompt, rolloutIds, sampling, ({ rollouts }) => {
            stop();
            resolve(rollouts);
          });
        }),
    );
    return Promise.all(results);
  }

  /** Calls back for every finished training group. Returns the undoing. */
  onGroup(listener: (group: FinishedGroup) => void): () => void {
    this.groupListeners.add(listener);
    return () => this.groupListeners.delete(listener);
  }

  /** Calls back when the pool cannot go on, at once if that was before. Returns the undoing. */
  onFailure(listener: (error: unknown) => void): () => void {
    if (this.failure) listener(this.failure.error);
    this.failureListeners.add(listener);
    return () => this.failureListeners.delete(listener);
  }

  /** What all generators counted since the last call. */
  takeReport(): GeneratorReport {
    const report = this.report;
    this.report = { ...emptyReport(), policyVersion: report.policyVersion };
    return report;
  }

  gauges(): GeneratorGauges {
    const loads = this.members.map(({ load }) => load);
    const decoding = loads.reduce((sum, load) => sum + Math.min(load, this.options.concurrency), 0);
    return {
      ...this.counted,
      decoding,
      queued: loads.reduce((sum, load) => sum + load, 0) - decoding,
      version: this.report.policyVersion,
      tokensPerSecond: decoding > 0 ? this.rate.perSecond(performance.now()) : 0,
    };
  }

  /** Loses a worker's GPU device on purpose; for tests of recovery. */
  async loseDevice(index: number): Promise<void> {
    await this.members[index].connection.api.loseDevice();
  }

  /** Has a worker answer nobody for so long; for tests of recovery. */
  async hang(index: number, ms: number): Promise<void> {
    await this.members[index].connection.api.hang(ms);
  }

  dispose(): void {
    this.disposed = true;
    for (const member of this.members) retire(member);
  }

  private give(
    groupId: number,
    prompt: PromptTokens,
    rolloutIds: Uint32Array,
    sampling: SamplingOptions,
    done: Pending["done"],
  ): void {
    const { problem, tokens } = prompt;
    const group: PromptGroup = {
      groupId,
      problemId: problem.id,
      taskId: problem.taskId,
      promptTokens: tokens,
      rolloutIds,
      sampling,
    };
    const member = this.members.reduce((least, other) => (other.load < least.load ? other : least));
    member.pending.set(groupId, { group, prompt, finished: [], done });
    member.load += rolloutIds.length;
    this.send(member, [group]);
  }

  private send(member: Member, groups: PromptGroup[]): void {
    // Between a death and the next launch: what is pending is sent again to the worker that takes over.
    if (member.port.closed) return;
    // The port empties the arrays it transfers; the group is kept for a worker that may have to take over.
    const copies = groups.map((group) => ({
      ...group,
      promptTokens: group.promptTokens.slice(),
      rolloutIds: group.rolloutIds.slice(),
    }));
    member.port.send({ kind: "groups", groups: copies }).catch((error: unknown) => this.died(member, error));
  }

  private async launch(index: number, lastDeath: number): Promise<Member> {
    const {
      workers: _,
      sampling: __,
      weightHandle,
      onRestart: ___,
      onTrace: ____,
      silenceMs,
      ...options
    } = this.options;
    const worker = new Worker(new URL("../../workers/generator.ts", import.meta.url), { type: "module" });
    const connection = await connect<GeneratorApi>(worker, { name: `generator ${index}` });
    const channel = new MessageChannel();
    const weights = weightHandle(index);
    const message: GeneratorOptions = { ...options, weights };
    const ports: Transferable[] = weights.kind === "transfer" ? [weights.port] : [];
    try {
      this.ready[index] = await connection.api.start(
        transfer(message, ports),
        transfer(channel.port2, [channel.port2]),
      );
    } catch (error) {
      connection.dispose();
      throw error;
    }
    const port = typedPort<FromGenerator, ToGenerator>(channel.port1);
    const patience = new Patience(connection, silenceMs);
    const member: Member = { index, connection, port, pending: new Map(), load: 0, lastDeath, patience };
    connection.onDeath((error) => this.died(member, error));
    this.listen(member).catch((error: unknown) => this.fail(error));
    return member;
  }

  private async listen(member: Member): Promise<void> {
    for await (const message of member.port) {
      if (message.kind === "report") {
        this.report = addReports(this.report, message.report);
        this.rate.add(message.report.generatedTokens, performance.now());
        for (const { name, start, end } of message.spans)
          if (name !== "wait") member.patience.worked(end - start);
        this.options.onTrace?.(slicesOn(trackOf(member), message.spans));
        this.options.onTrace?.(slicesOn(gpuTrackOf(trackOf(member)), message.gpuSpans));
      } else if (message.kind === "failed") await this.died(member, decodeError(message.error));
      else for (const rollout of message.rollouts) this.collect(member, rollout, message.at);
    }
  }

  private collect(member: Member, rollout: Rollout, at: number): void {
    const pending = member.pending.get(rollout.groupId);
    if (!pending) return;
    pending.finished.push(rollout);
    member.load--;
    if (rollout.groupId >= 0) this.counted.finishedCompletions++;
    if (pending.finished.length < pending.group.rolloutIds.length) return;
    member.pending.delete(rollout.groupId);
    const rollouts = pending.finished.sort((a, b) => a.id - b.id);
    const finished = { track: trackOf(member), at };
    pending.done({ groupId: rollout.groupId, prompt: pending.prompt, rollouts, finished });
  }

  private async died(member: Member, cause: unknown): Promise<void> {
    if (this.disposed || this.members[member.index] !== member) return;
    const now = performance.now();
    const again = member.patience.lastWell(cause, now) - member.lastDeath < DEATHS_APART_MS;
    const heir: Member = { ...member, pending: new Map(member.pending), lastDeath: now };
    // Whatever else the dead worker still says concerns no member any more.
    member.pending.clear();
    this.members[member.index] = heir;
    retire(member);
    try {
      if (again) {
        throw new WorkerError(
          "generator/died-twice",
          `Cannot go on generating: generator ${member.index} failed twice within a minute, at last with "${reasonOf(cause)}"`,
          {
            cause,
            hint: "Everything is saved: mend the cause, then go on with --resume.",
          },
        );
      }
      const launched = await this.launch(member.index, now);
      if (this.disposed) return retire(launched);
      this.members[member.index] = launched;
      const groups = [...heir.pending.values()].map((pending) => ({ ...pending, finished: [] }));
      for (const pending of groups) {
        launched.pending.set(pending.group.groupId, pending);
        launched.load += pending.group.rolloutIds.length;
      }
      if (groups.length > 0)
        this.send(
          launched,
          groups.map(({ group }) => group),
        );
      this.options.onRestart?.(member.index, cause);
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    if (this.disposed || this.failure) return;
    this.failure = { error };
    for (const listener of this.failureListeners) listener(error);
  }
}

const trackOf = ({ index }: Member): string => `generator ${index}`;

function retire({ port, connection }: Member): void {
  port.close();
  connection.dispose();
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
