/** One training in this tab, inside the session worker: from a recipe to its end, told in events. */

import type { Recipe } from "../../config/schema.ts";
import { type Knobs, RunControl } from "../../control.ts";
import { WebgrpoError } from "../../errors.ts";
import type { LoopStages } from "../../loop.ts";
import { encodeError } from "../../rpc/errors.ts";
import { latestCheckpoint } from "../../runs/checkpoint.ts";
import { createRun, openRun, type RunDirectory } from "../../runs/run_directory.ts";
import { RUNS, wholeCheckpoints } from "../../runs/stored_runs.ts";
import { runTraining, type TrainingEvent } from "../../training.ts";
import { byteText } from "../parts/format.ts";
import type { LoopPulse, RunPhase, RunSummaryRow } from "../state/records.ts";
import type { DownloadProgress } from "./api.ts";
import type { EventSender } from "./event_sender.ts";
import { openPolicy } from "./policies.ts";
import { readPageProblems } from "./problems.ts";
import type { Places } from "./recipes.ts";

export interface LiveRunOptions {
  name: string;
  recipe: Recipe;
  /** False: the run's folder is made. */
  resumed: boolean;
  places: Places;
  events: EventSender;
}

const PULSE_MS = 200;

/** What was turned before a run was cut off: it stays turned, as the page shows it. */
async function turnedBefore(run: RunDirectory): Promise<Knobs> {
  const rows = (await run.readMetrics()).filter(({ event }) => event === "turned");
  return Object.assign({}, ...rows.map(({ step: _step, event: _event, ...knobs }) => knobs));
}

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;

export class LiveRun {
  readonly name: string;
  private readonly options: LiveRunOptions;
  private readonly interrupt = new AbortController();
  private readonly control = new RunControl((resting) => this.onRest(resting));
  private phase: RunPhase = "loading";
  private step = 0;
  private began = false;
  private heldOut = 0;
  private lastPulse = "";
  private stages: Pick<LoopStages, "trainer" | "generator"> | null = null;

  constructor(options: LiveRunOptions) {
    this.options = options;
    this.name = options.name;
  }

  /** Runs to the end; never rejects: a failure is an event. */
  async run(): Promise<void> {
    const { events } = this.options;
    try {
      const summary = await this.train();
      const { interrupted, steps } = summary;
      this.tell(
        "done",
        interrupted ? `Stopped and saved after step ${steps}` : `Done: ${plural(steps, "step")}`,
      );
      events.send({ kind: "ended", summary });
    } catch (error) {
      const saved = await this.settle();
      if (this.interrupt.signal.aborted && !this.began) {
        this.tell("done", "Stopped before it began");
        return events.flush();
      }
      this.tell("failed", error instanceof Error ? error.message : String(error));
      events.send({ kind: "failed", error: encodeError(error), saved });
    }
    events.flush();
  }

  pause(): void {
    this.control.pause();
    if (this.phase === "training") this.tell("pausing", "The step that has begun is being finished");
    else if (this.phase !== "paused") this.tell(this.phase, "It will pause before the next step");
  }

  resume(): void {
    this.control.resume();
    if (this.phase === "pausing") this.tell("training", "Training");
  }

  oneStep(): void {
    this.control.step();
  }

  turn(knobs: Knobs): void {
    this.control.turn(knobs);
  }

  /** Loses a GPU device on purpose; for tests of recovery. @throws TypeError before the stages are open */
  async loseDevice(which: "trainer" | "generator"): Promise<void> {
    if (!this.stages) throw new TypeError("There is no device yet");
    await (which === "trainer" ? this.stages.trainer.loseDevice() : this.stages.generator.loseDevice(0));
  }

  stop(): void {
    if (this.interrupt.signal.aborted) return;
    this.interrupt.abort();
    this.tell(
      "stopping",
      this.began ? "The step is being finished and saved" : "It stops as soon as it has started",
    );
  }

  private tell(phase: RunPhase, notice: string): void {
    this.phase = phase;
    this.options.events.send({ kind: "phase", phase, notice });
  }

  private tellProgress({ phase, doneBytes, totalBytes }: DownloadProgress): void {
    const doing = phase === "download" ? "Downloading" : "Checking";
    this.proceed("loading", `${doing} the model: ${byteText(doneBytes)} of ${byteText(totalBytes)}`);
  }

  /** Unless the user has asked for something else meanwhile. */
  private proceed(phase: RunPhase, notice: string): void {
    if (!this.interrupt.signal.aborted) this.tell(phase, notice);
  }

  private onRest(resting: boolean): void {
    if (resting)
      this.proceed(
        "paused",
        this.step > 0 ? `Paused after step ${this.step}` : "Paused before the first step",
      );
    else if (this.control.paused) this.proceed("pausing", `Step ${this.step + 1} alone`);
    else this.proceed("training", "Training");
  }

  private async train(): Promise<RunSummaryRow> {
    const { recipe, places, resumed, name } = this.options;
    this.tell("loading", "The model is being loaded");
    const model = await openPolicy(recipe.model, places, {
      signal: this.interrupt.signal,
      onProgress: (progress) => this.tellProgress(progress),
    });
    const problems = recipe.data ? await readPageProblems(recipe.data, places) : undefined;
    const storage = places.open(`${RUNS}/${name}`);
    const plain = recipe as unknown as Record<string, unknown>;
    let run: RunDirectory;
    if (resumed) {
      // What was changed holds for the next time as well.
      await storage.writeFile(
        "recipe.json",
        new TextEncoder().encode(`${JSON.stringify(recipe, null, 2)}\n`),
      );
      run = await openRun(storage);
    } else run = await createRun(storage, plain);
    const resume = resumed ? await latestCheckpoint(storage) : null;
    this.step = resume?.state.step ?? 0;
    if (resumed) this.control.turn(await turnedBefore(run));
    const workers = [
      "the trainer",
      plural(recipe.generator.workers, "generator"),
      plural(recipe.verifier.workers, "verifier"),
    ];
    this.tell(
      "starting",
      `Starting ${workers.slice(0, 2).join(", ")} and ${workers[2]}; shaders are compiled`,
    );
    const { signal } = this.interrupt;
    const { control } = this;
    let beat: ReturnType<typeof setInterval> | undefined;
    let tellPulse: () => void = () => undefined;
    const onPulseSource = (read: () => LoopPulse) => {
      tellPulse = () => this.tellPulse(read());
      beat = setInterval(tellPulse, PULSE_MS);
    };
    const onStages = (stages: typeof this.stages) => {
      this.stages = stages;
    };
    try {
      return await runTraining(
        { recipe, model, problems, run, resume, signal, control, onPulseSource, onStages },
        (event) => this.report(event),
      );
    } finally {
      this.stages = null;
      clearInterval(beat);
      // What came since the last beat belongs to the totals.
      tellPulse();
    }
  }

  private report(event: TrainingEvent): void {
    const { events, recipe } = this.options;
    if (event.kind === "ready") {
      this.began = true;
      this.heldOut = event.heldOut;
      events.send({ kind: "ready", adapter: event.adapter, allocatedBytes: event.allocatedBytes });
      if (event.evaluates) this.evaluating("before training");
      else this.proceed("training", "Training");
    } else if (event.kind === "evaluated") {
      const { when, step, result } = event;
      events.send({ kind: "evaluation", row: { when, step, ...result } });
      if (when !== "after") this.proceed("training", "Training");
    } else if (event.kind === "stepped") {
      this.step = event.step;
      const { metrics: row, rollouts, remainingSeconds } = event;
      events.send({ kind: "step", row, rollouts, remainingSeconds });
      const { every } = recipe.evaluation;
      if (event.step === recipe.steps) this.evaluating("after training");
      else if (every > 0 && event.step % every === 0) this.evaluating(`after step ${event.step}`);
    } else if (event.kind === "saved") {
      events.send({ kind: "saved", step: event.step });
    } else if (event.kind === "turned") {
      events.send({ kind: "turned", row: { step: event.step, knobs: event.knobs } });
    } else if (event.kind === "traced") {
      events.send({ kind: "trace", events: event.events });
    } else if (event.kind === "restarted") {
      // What the browser says of a buffer that went with its device tells nobody anything.
      const { cause } = event;
      const reason = cause instanceof WebgrpoError ? cause.message : "its GPU device or its thread was lost";
      this.step = event.step;
      events.send({ kind: "restarted", worker: event.worker, step: event.step, reason });
    }
  }

  private tellPulse(pulse: LoopPulse): void {
    const text = JSON.stringify(pulse);
    if (text !== this.lastPulse) this.options.events.send({ kind: "pulse", pulse });
    this.lastPulse = text;
  }

  private evaluating(when: string): void {
    if (this.heldOut > 0)
      this.proceed("evaluating", `${plural(this.heldOut, "held-out problem")} are being answered, ${when}`);
  }

  /** After a failure: the step that can be gone on from. A run that never began leaves nothing behind. */
  private async settle(): Promise<number | null> {
    const { resumed, places, name } = this.options;
    const storage = places.open(`${RUNS}/${name}`);
    try {
      const [newest] = await wholeCheckpoints(storage, await storage.files());
      if (!this.began && !resumed) await storage.remove("");
      return newest?.step ?? null;
    } catch {
      // The failure itself is what is told; storage that fails as well changes nothing about it.
      return null;
    }
  }
}
