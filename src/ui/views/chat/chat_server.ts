/**
 * The chat's worker side: keeps the first and the newest policy of a run on one device and answers about them. Reads
 * what is stored and never tidies it, since the run may be training at this moment. Knows neither browser nor page.
 */
import { adapterBase, withAdapters } from "../../../data/adapted.ts";
import { loadModelText, type ModelSource, type ModelText } from "../../../data/source.ts";
import { DataError } from "../../../errors.ts";
import type { Gpu } from "../../../gpu/device.ts";
import type { Problem, Rollout } from "../../../rollout.ts";
import type { OpenStorage } from "../../../runs/stored_runs.ts";
import type { TaskChoice } from "../../../tasks/registry.ts";
import { readScope } from "../../../tasks/scope.ts";
import { BUILT_IN_REWARDS } from "../../../verifier/rewards/registry.ts";
import { createScorer } from "../../../verifier/score.ts";
import { findPolicy, policyText } from "../../session/policies.ts";
import type {
  ChatAnswer,
  ChatApi,
  ChatPrompt,
  ChatRequest,
  ChatSource,
  ChatSubject,
  ChatToken,
  ChatVerdict,
  NextToken,
  NextTokens,
  PolicyNote,
  ReadPrompt,
  Which,
} from "./api.ts";
import { findSaved, type SavedPolicy } from "./saved_policy.ts";
import { StandingPolicy } from "./standing_policy.ts";

export interface ChatPlaces {
  openGpu(): Promise<Gpu>;
  /** The folder that a recipe's `model` names, seen from the page; nothing is downloaded for it. */
  findModel(source: ChatSource): Promise<{ source: ModelSource }>;
  openStorage: OpenStorage;
}

const note = ({ version, step }: PolicyNote): PolicyNote => ({ version, step });

export class ChatServer implements ChatApi {
  private readonly places: ChatPlaces;
  private source: ChatSource | null = null;
  private gpu: Gpu | null = null;
  /** The model that the run began with, which adapters of its checkpoints lie over. */
  private firstModel: ModelText | null = null;
  private policies: Record<Which, StandingPolicy | null> = { first: null, newest: null };
  private writing = new AbortController();
  /** Loading is done once, however many ask. */
  private loading: Promise<unknown> = Promise.resolve();

  constructor(places: ChatPlaces) {
    this.places = places;
  }

  async open(source: ChatSource): Promise<ChatSubject> {
    if (JSON.stringify(source) !== JSON.stringify(this.source)) {
      this.stop();
      this.source = source;
      this.firstModel = null;
      await this.release();
    }
    const first = await this.policy("first");
    const newest = await this.renew();
    const { generationConfig } = this.policies.newest ?? first;
    const { tasks } = readScope(generationConfig);
    return {
      adapter: this.gpu?.adapterName ?? "",
      first: note(first),
      newest,
      tasks: tasks.map(({ name, options }): TaskChoice => ({ name, options: { ...options } })),
      maxTokens: (this.policies.newest ?? first).maxTokens,
      conversational: first.template !== null,
    };
  }

  async newerStep(): Promise<number | null> {
    const saved = await this.newestSaved();
    return saved === null || saved.step === this.policies.newest?.step ? null : saved.step;
  }

  renew(): Promise<PolicyNote | null> {
    return this.once(async () => {
      const saved = await this.newestSaved();
      const standing = this.policies.newest;
      if (saved !== null && saved.step !== standing?.step) await this.load(saved);
      return this.policies.newest && note(this.policies.newest);
    });
  }

  async read(prompt: ChatPrompt): Promise<ReadPrompt> {
    const policy = await this.policy("first");
    try {
      return { ok: true, tokens: Array.from(policy.encode(prompt), (id) => policy.describe(id).text) };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      return { ok: false, reason: error.message };
    }
  }

  async nextTokens(
    which: Which,
    prompt: ChatPrompt,
    begun: readonly number[],
    count: number,
  ): Promise<NextTokens> {
    return (await this.policy(which)).next(prompt, begun, count);
  }

  async describe(ids: readonly number[]): Promise<NextToken[]> {
    const policy = await this.policy("first");
    return ids.map((id) => policy.describe(id));
  }

  async chat(request: ChatRequest, onTokens: (tokens: ChatToken[]) => void): Promise<ChatAnswer> {
    const { signal } = this.writing;
    return (await this.policy(request.which)).chat(request, signal, onTokens);
  }

  async grade(problem: Problem, ids: readonly number[]): Promise<ChatVerdict | null> {
    const { tokenizer, maxTokens, generationConfig } = await this.policy("first");
    const { verifier } = this.expectSource();
    const named = Array.isArray(verifier.rewards) ? verifier.rewards : readScope(generationConfig).rewards;
    const rewards = named.filter((name) => Object.hasOwn(BUILT_IN_REWARDS, name));
    if (rewards.length === 0) return null;
    const endTokens = tokenizer.eosIds
      .map((id) => tokenizer.tokenOf(id))
      .filter((text) => text !== undefined);
    const whole = (value: unknown, otherwise: number) => (typeof value === "number" ? value : otherwise);
    const scorer = await createScorer(
      {
        rewards,
        lengthMax: whole(verifier.lengthMax, maxTokens),
        lengthCache: whole(verifier.lengthCache, 0),
        languageBonus: verifier.languageBonus === true,
        thinkPrefilled: verifier.thinkPrefilled === true,
        endTokens,
        digits: { endToken: endTokens[0] },
      },
      // Computer algebra would need a worker of its own; the plain rules decide all but odd answers.
      { symbolic: null },
    );
    try {
      const rollouts = [rolloutOf(problem, ids)];
      const completions = [tokenizer.decode(ids)];
      const { rollouts: judged } = await scorer.scoreGroup(
        { problem, rollouts, completions },
        { global_step: 0 },
      );
      const [{ correct, reward, verdicts }] = judged;
      const found = verdicts.find(({ extracted }) => extracted !== undefined)?.extracted ?? null;
      const expected = verdicts.find((verdict) => verdict.expected)?.expected ?? problem.answer;
      const reason = verdicts.map((verdict) => verdict.reason ?? "").find((text) => text !== "") ?? "";
      // No answer in the wanted form is no right answer; only what could not be judged at all stays open.
      return { correct: correct === null ? null : correct === 1, reward, found, expected, reason };
    } finally {
      scorer.dispose();
    }
  }

  stop(): void {
    this.writing.abort();
    this.writing = new AbortController();
  }

  loseDevice(): void {
    this.gpu?.destroy();
  }

  private expectSource(): ChatSource {
    if (this.source === null) throw new TypeError("Cannot answer before open() has said about which run");
    return this.source;
  }

  /** @throws DataError `chat/no-checkpoint` */
  private policy(which: Which): Promise<StandingPolicy> {
    return this.once(async () => {
      const standing = this.policies[which];
      if (standing !== null) return standing;
      if (which === "newest") {
        const saved = await this.newestSaved();
        if (saved !== null) return await this.load(saved);
        throw new DataError(
          "chat/no-checkpoint",
          "Cannot ask the newest policy: the run has saved none yet",
          {
            hint: "Wait for its first checkpoint",
          },
        );
      }
      return this.standFirst();
    });
  }

  private async standFirst(): Promise<StandingPolicy> {
    const start = { version: 0, step: 0 };
    this.policies.first ??= await StandingPolicy.open(await this.device(), await this.first(), start);
    return this.policies.first;
  }

  private newestSaved(): Promise<SavedPolicy | null> {
    return findSaved(this.expectSource(), this.places.openStorage, this.policies.newest?.step);
  }

  /** Puts a checkpoint on the device; one that was removed meanwhile gave way to a newer one, which is taken then. */
  private async load(saved: SavedPolicy): Promise<StandingPolicy> {
    try {
      return await this.put(saved);
    } catch (error) {
      if (this.policies.newest?.whole === false) this.policies.newest = null;
      const newer = await this.newestSaved();
      if (newer === null || newer.step === saved.step) throw error;
      return this.load(newer);
    }
  }

  private async put({ step, ...saved }: SavedPolicy): Promise<StandingPolicy> {
    const source = await saved.open();
    const ofAdapters = (await adapterBase(source)) !== null;
    const model = await (ofAdapters ? withAdapters(await this.first(), source) : loadModelText(source));
    // The weights below the adapters are on the device once, for both policies.
    const base = ofAdapters ? await this.standFirst() : null;
    const saving = { step, version: await saved.version(source) };
    const standing = this.policies.newest;
    if (standing !== null) {
      await standing.take(model, saving, base);
      return standing;
    }
    const opened = await StandingPolicy.open(await this.device(), model, saving, base);
    this.policies.newest = opened;
    return opened;
  }

  private async first(): Promise<ModelText> {
    if (this.firstModel !== null) return this.firstModel;
    const source = this.expectSource();
    const find = (model: string) => this.places.findModel({ ...source, model });
    const model = await policyText(await findPolicy(source.model, find));
    if (source === this.source) this.firstModel = model;
    return model;
  }

  private async device(): Promise<Gpu> {
    if (this.gpu !== null) return this.gpu;
    const gpu = await this.places.openGpu();
    this.gpu = gpu;
    // What was on a lost device is loaded anew at the next question.
    gpu.lost.then(() => {
      if (this.gpu !== gpu) return;
      this.gpu = null;
      this.policies = { first: null, newest: null };
    });
    return gpu;
  }

  private release(): Promise<void> {
    return this.once(async () => {
      const { first, newest } = this.policies;
      this.policies = { first: null, newest: null };
      // It may stand over the weights of the first.
      await newest?.close();
      await first?.close();
    });
  }

  private once<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.loading.then(work);
    this.loading = mine.catch(() => undefined);
    return mine;
  }
}

/** A completion as the verifier takes it; what it does not look at is empty. */
function rolloutOf(problem: Problem, ids: readonly number[]): Rollout {
  return {
    id: 0,
    groupId: 0,
    problemId: problem.id,
    taskId: problem.taskId,
    promptTokens: new Uint32Array(0),
    completionTokens: Uint32Array.from(ids),
    generatorLogprobs: new Float32Array(ids.length),
    generatorEntropies: new Float32Array(ids.length),
    policyVersions: new Int32Array(ids.length),
    temperature: 1,
    finishReason: "stop",
  };
}
