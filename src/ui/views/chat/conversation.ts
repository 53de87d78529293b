/**
 * One conversation with two policies: what is asked, what each has answered so far, which place of an answer is looked at
 * and what could come there. Views read the signals; everything that takes time goes to the chat's worker.
 */
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Problem } from "../../../rollout.ts";
import type { Language, Task } from "../../../tasks/api.ts";
import { makeTask } from "../../../tasks/registry.ts";
import type { Failure } from "../../state/run_feed.ts";
import type { ChatSource, ChatSubject, ChatToken, Which } from "./api.ts";
import { BOTH } from "./api.ts";
import {
  type Column,
  EMPTY,
  failureOf,
  type HistoryEntry,
  isSame,
  placeOf,
  type Reading,
  type Settings,
  toldOf,
} from "./column.ts";
import { drawToken, logProbability } from "./distribution.ts";
import { ChatLine, type ChatLink, type RemoteChat } from "./link.ts";
import { type Question, withoutWording, wordQuestion } from "./wording.ts";

/** Tokens asked for by text: as many as are shown, and some more that a step may draw. */
const TOP = 40;
const SETTLE_MS = 250;
const KEPT_ENTRIES = 50;

export type ChatPhase = "closed" | "opening" | "ready" | "failed";

export class Conversation {
  readonly phase: Signal<ChatPhase> = signal<ChatPhase>("closed");
  readonly subject: Signal<ChatSubject | null> = signal<ChatSubject | null>(null);
  readonly failure: Signal<Failure | null> = signal<Failure | null>(null);
  readonly typed = signal("");
  readonly language: Signal<Language> = signal<Language>("en");
  readonly temperature = signal(1);
  readonly seed = signal(1);
  readonly tasks: ReadonlySignal<readonly Task[]>;
  /** What would be asked. */
  readonly question: ReadonlySignal<Question | null>;
  /** The prompt's tokens, or why it cannot be asked; null while that is not known. */
  readonly reading: ReadonlySignal<Reading | null>;
  readonly columns: Record<Which, Signal<Column>> = { first: signal(EMPTY), newest: signal(EMPTY) };
  readonly busy = signal(false);
  /** The step of a checkpoint newer than the loaded one. */
  readonly newer: Signal<number | null> = signal<number | null>(null);
  readonly history: Signal<readonly HistoryEntry[]> = signal<readonly HistoryEntry[]>([]);
  /** Whether asking would give the same answers once more, so that the next seed is taken instead. */
  readonly repeats: ReadonlySignal<boolean>;
  private readonly lastAsked = signal<(Settings & { question: Question }) | null>(null);
  private readonly line: ChatLine;
  private readonly drawn: Signal<Problem | null> = signal<Problem | null>(null);
  private source: ChatSource | null = null;
  private settled: Question | null = null;
  /** What was read last, and of which question: the one typed may be another, or that one again. */
  private readonly read = signal<{ of: Question; reading: Reading } | null>(null);
  /** Done once the prompt of `settled` has been read. */
  private readable: Promise<void> = Promise.resolve();
  private settling: ReturnType<typeof setTimeout> | null = null;
  /** Done once nothing is written or drawn any more. */
  private work: Promise<void> = Promise.resolve();
  /** Raised whenever what was asked for before is no longer wanted. */
  private round = 0;
  private rerolls = 0;

  constructor(openLink: () => Promise<ChatLink>) {
    this.line = new ChatLine(openLink, (error) => this.fail(error));
    this.tasks = computed(() =>
      (this.subject.value?.tasks ?? []).map(({ name, options }) => makeTask(name, options, 0)),
    );
    this.question = computed(() => {
      const conversational = this.subject.value?.conversational ?? false;
      return wordQuestion(
        this.typed.value,
        this.language.value,
        this.tasks.value,
        this.drawn.value,
        conversational,
      );
    });
    this.reading = computed(() => {
      const read = this.read.value;
      return read !== null && isSame(read.of, this.question.value) ? read.reading : null;
    });
    this.repeats = computed(() =>
      isSame(this.lastAsked.value, {
        question: this.question.value,
        temperature: this.temperature.value,
        seed: this.seed.value,
      }),
    );
  }

  /** The policies that can be asked. */
  get able(): Which[] {
    const subject = this.subject.value;
    return subject === null ? [] : BOTH.filter((which) => subject[which] !== null);
  }

  /** Turns to a run's policies. */
  async about(source: ChatSource): Promise<void> {
    if (isSame(source, this.source) && this.phase.value === "ready") return;
    this.source = source;
    this.subject.value = null;
    this.settled = null;
    this.read.value = null;
    // Of these policies nothing has been asked yet.
    this.lastAsked.value = null;
    this.clear();
    await this.open();
  }

  /** Loads the policies, again after a failure. */
  async open(): Promise<void> {
    const { source } = this;
    if (source === null) return;
    this.phase.value = "opening";
    this.failure.value = null;
    try {
      const api = await this.line.api();
      const subject = await api.open(source);
      if (source !== this.source) return;
      this.subject.value = subject;
      this.phase.value = "ready";
      this.newer.value = null;
    } catch (error) {
      if (source !== this.source) return;
      this.failure.value = failureOf(error);
      this.phase.value = "failed";
      return;
    }
    this.settled = null;
    await this.settle();
  }

  type(text: string): void {
    this.typed.value = text;
    if (this.settling !== null) clearTimeout(this.settling);
    this.settling = setTimeout(() => this.settle(), SETTLE_MS);
  }

  /** Takes a whole prompt, as rollouts and tasks have it. */
  put(prompt: string, problem: Problem | null = null): Promise<void> {
    const { text, language } = withoutWording(prompt);
    this.drawn.value = problem;
    this.typed.value = text;
    if (language !== null) this.language.value = language;
    return this.settle();
  }

  /** Draws a problem that training never sees; false where the tasks give none. */
  async drawProblem(random: () => number = Math.random): Promise<boolean> {
    const tasks = this.tasks.value;
    const task = tasks[Math.floor(random() * tasks.length)];
    const [problem] = task?.heldOut(1, Math.floor(random() * 2 ** 31)) ?? [];
    if (typeof problem?.prompt !== "string") return false;
    await this.put(problem.prompt, problem);
    return true;
  }

  /** Looks at what is typed now: its tokens, and what could come first. Who comes later waits for the tokens alone. */
  async settle(): Promise<void> {
    if (this.settling !== null) clearTimeout(this.settling);
    this.settling = null;
    const question = this.question.value;
    if (this.phase.value !== "ready") return;
    if (isSame(question, this.settled)) return await this.readable;
    this.settled = question;
    if (this.busy.value) this.stop();
    this.clear();
    this.readable = this.readPrompt(question);
    await this.readable;
    if (question !== this.settled) return;
    await Promise.all(this.able.map((which) => this.look(which, this.columns[which].value.cut)));
  }

  /** Asks all policies at once with the same random numbers; another question than the one being answered in its place. */
  async ask(): Promise<void> {
    await this.settle();
    if (this.busy.value && !isSame(this.settled, this.lastAsked.value?.question)) await this.work;
    const question = this.settled;
    if (this.busy.value || question === null || !this.isRead) return;
    if (this.repeats.value) this.seed.value = (this.seed.value + 1) % 2 ** 31;
    this.clear();
    const [temperature, seed] = [this.temperature.value, this.seed.value];
    this.lastAsked.value = { question, temperature, seed };
    await this.working(async (api, current) => {
      await this.renew(api);
      await Promise.all(
        this.able.map(async (which) => {
          const column = this.columns[which];
          const version = this.subject.value?.[which]?.version ?? 0;
          column.value = { ...column.value, phase: "writing", version };
          const first = this.look(which, 0);
          const answer = await api.chat({ which, prompt: question.prompt, temperature, seed }, (tokens) => {
            if (current()) column.value = { ...column.value, tokens: [...column.value.tokens, ...tokens] };
          });
          await first;
          if (!current()) return;
          const { tokens, finishReason: finish } = answer;
          column.value = { ...column.value, tokens, finish, version: answer.version, phase: "done" };
          await this.grade(which, question);
        }),
      );
      if (current()) this.remember(question, temperature, seed);
    });
  }

  stop(): void {
    this.attempt((api) => api.stop());
  }

  /** Looks at a place of an answer: what could come there, and what was chosen. */
  async look(which: Which, cut: number): Promise<void> {
    const question = this.settled;
    const column = this.columns[which];
    if (question === null) return;
    await this.readable;
    // Nothing can come after what cannot be read.
    if (question !== this.settled || !this.isRead) return;
    column.value = { ...column.value, cut };
    const begun = column.value.tokens.slice(0, cut);
    if (column.value.next?.place === this.placeIn(which, question, begun)) return;
    await this.attempt(async (api, current) => {
      const ids = begun.map(({ id }) => id);
      const next = await api.nextTokens(which, question.prompt, ids, TOP);
      if (!current() || column.value.cut !== cut) return;
      const place = placeOf(question.prompt, begun, next.version);
      column.value = { ...column.value, next: { ...next, place } };
    });
  }

  /** Draws one token of every answer that is not at its end; all anew where all are. */
  async stepBoth(): Promise<void> {
    await this.settle();
    if (this.busy.value || this.settled === null) return;
    if (this.able.every((which) => this.columns[which].value.phase === "done")) this.clear();
    await this.working(async (_api, current) => {
      const open = this.able.filter((which) => this.columns[which].value.phase !== "done");
      await Promise.all(
        open.map((which) => this.drawAt(which, this.columns[which].value.tokens.length, current)),
      );
    });
  }

  /** Drops what one policy said from the place looked at on, and draws another token there. */
  async redraw(which: Which): Promise<void> {
    if (this.busy.value) return;
    const { cut, tokens } = this.columns[which].value;
    const again = cut < tokens.length;
    if (again) this.rerolls++;
    await this.working((_api, current) => this.drawAt(which, cut, current, again ? 1000 * this.rerolls : 0));
  }

  /** Says whether a newer policy was saved; takes it at once where nothing has been asked of the older one. */
  async lookForNewer(): Promise<void> {
    if (this.phase.value !== "ready" || this.busy.value) return;
    await this.attempt(async (api) => {
      const step = await api.newerStep();
      const asked = this.columns.newest.value.tokens.length > 0;
      this.newer.value = asked ? step : null;
      if (asked || step === null) return;
      await this.renew(api);
      await this.look("newest", 0);
    });
  }

  /** Puts an earlier question back, so that it can be asked again. */
  async recall({ typed, language, temperature, seed, question }: HistoryEntry): Promise<void> {
    this.drawn.value = question.problem;
    this.typed.value = typed;
    this.language.value = language;
    this.temperature.value = temperature;
    this.seed.value = seed;
    this.settled = null;
    await this.settle();
  }

  /** Gives worker and device back. */
  close(): void {
    this.round++;
    this.line.close();
    this.phase.value = "closed";
    this.busy.value = false;
  }

  private async drawAt(which: Which, at: number, current: () => boolean, offset = 0): Promise<void> {
    const column = this.columns[which];
    const question = this.settled;
    await this.look(which, at);
    const { next, tokens } = column.value;
    if (!current() || next === null || question === null) return;
    if (next.place !== placeOf(question.prompt, tokens.slice(0, at), next.version)) return;
    const temperature = this.temperature.value;
    const id = drawToken(next.logits, temperature, this.seed.value + offset, at);
    const api = await this.line.api();
    const known = next.top.find((token) => token.id === id) ?? (await api.describe([id]))[0];
    const token: ChatToken = { ...known, logprob: logProbability(next.logits, id, temperature) };
    const grown = [...tokens.slice(0, at), token];
    const full = grown.length >= (this.subject.value?.maxTokens ?? 0);
    const finish = token.end ? "stop" : full ? "length" : null;
    const phase = finish === null ? "open" : "done";
    const { version } = next;
    if (!current()) return;
    column.value = { ...column.value, tokens: grown, phase, finish, version, verdict: null };
    if (finish === null) await this.look(which, grown.length);
    else await this.grade(which, question);
  }

  /** Whether the question that stands has been read and can be asked. */
  private get isRead(): boolean {
    const read = this.read.value;
    return read !== null && read.of === this.settled && "tokens" in read.reading;
  }

  private async readPrompt(question: Question | null): Promise<void> {
    this.read.value = null;
    if (question === null) return;
    await this.attempt(async (api, current) => {
      const read = await api.read(question.prompt);
      if (!current()) return;
      const reading = read.ok ? { tokens: read.tokens } : { reason: read.reason };
      this.read.value = { of: question, reading };
      if (!read.ok) for (const which of BOTH) this.columns[which].value = EMPTY;
    });
  }

  private placeIn(which: Which, { prompt }: Question, begun: readonly ChatToken[]): string {
    return placeOf(prompt, begun, this.subject.value?.[which]?.version ?? 0);
  }

  private async grade(which: Which, { problem }: Question): Promise<void> {
    const column = this.columns[which];
    if (problem === null || column.value.finish === "stopped") return;
    const { tokens } = column.value;
    await this.attempt(async (api) => {
      const ids = tokens.map(({ id }) => id);
      const verdict = await api.grade(problem, ids);
      if (column.value.tokens === tokens) column.value = { ...column.value, verdict };
    });
  }

  private async renew(api: RemoteChat): Promise<void> {
    const newest = await api.renew();
    const subject = this.subject.value;
    if (subject !== null) this.subject.value = { ...subject, newest };
    this.newer.value = null;
  }

  private remember(question: Question, temperature: number, seed: number): void {
    const { first, newest } = this.columns;
    const [typed, language] = [this.typed.value, this.language.value];
    const id = (this.history.value[0]?.id ?? 0) + 1;
    const answers = { first: toldOf(first.value), newest: toldOf(newest.value) };
    const entry = { id, question, typed, language, temperature, seed, answers };
    this.history.value = [entry, ...this.history.value].slice(0, KEPT_ENTRIES);
  }

  private clear(): void {
    this.round++;
    // Bars stay until the next ones are here, so that nothing jumps; what they are of is written on them.
    const keep = this.settled !== null;
    for (const which of BOTH) {
      const { next } = this.columns[which].value;
      this.columns[which].value = keep ? { ...EMPTY, next } : EMPTY;
    }
  }

  private working(work: (api: RemoteChat, current: () => boolean) => Promise<void>): Promise<void> {
    this.busy.value = true;
    this.work = this.attempt(work).finally(() => {
      this.busy.value = false;
    });
    return this.work;
  }

  /** Runs work for the question of this moment; what fails for it is told, what fails for an older one is dropped. */
  private async attempt(work: (api: RemoteChat, current: () => boolean) => Promise<void>): Promise<void> {
    const { round } = this;
    const current = () => round === this.round;
    try {
      const api = await this.line.api();
      await work(api, current);
    } catch (error) {
      if (current()) this.fail(error);
    }
  }

  private fail(error: unknown): void {
    this.round++;
    this.failure.value = failureOf(error);
    this.phase.value = "failed";
    this.busy.value = false;
  }
}
