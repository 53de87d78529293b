/** `train`: a run from recipe to summary in the terminal. Deno only. */
import { readdirSync, rmdirSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { resolveRecipe } from "../../config/resolve.ts";
import type { Recipe } from "../../config/schema.ts";
import { ConfigError, DataError, describeError } from "../../errors.ts";
import { mib } from "../../gpu/device.ts";
import { stepLine } from "../../metrics/progress.ts";
import { countParameters, type ModelConfig } from "../../model/config.ts";
import type { MemoryPlan } from "../../planner/plan.ts";
import { type FoundCheckpoint, latestCheckpoint } from "../../runs/checkpoint.ts";
import { listRuns, openDiskStorage } from "../../runs/disk.ts";
import { RunLock } from "../../runs/lock.ts";
import { createRun, freshRunName, openRun, type RunDirectory } from "../../runs/run_directory.ts";
import type { RunStorage } from "../../runs/storage.ts";
import { runTraining, type TrainingEvent, type TrainingSummary } from "../../training.ts";
import { checkModel, checkTrained } from "../../training_checkpoint.ts";
import type { SampleCompletion } from "../../training_records.ts";
import type { Arguments, Command, CommandContext } from "../command.ts";
import { judgeRun, type MemoryVerdict, memoryTable, settingsLine, surveyRun } from "../memory.ts";
import { openPolicy } from "../models.ts";
import { trainSpec } from "../options.ts";
import type { Output } from "../output.ts";
import { recipeFromFlags } from "../recipes.ts";
import { formatTable } from "../table.ts";

/**
 * Nobody tells when a terminated worker's thread has ended. It takes 30 ms to give its GPU device back, and a process that
 * exits meanwhile crashes in the driver (llvmpipe: one in twelve) instead of leaving with its code.
 */
const TEARDOWN_MS = 500;

type TrainArguments = Arguments<typeof trainSpec.options>;

export const command: Command<typeof trainSpec.options> = {
  ...trainSpec,
  async run(args, context) {
    const { output, interrupt } = context;
    using lock = new RunLock();
    const prepared =
      args.resume === undefined
        ? await prepare(args, context, lock)
        : await prepareResume(args, context, lock);
    const { recipe: asked, run, resume } = prepared;
    const survey = await surveyRun(asked, context);
    const { problems, maxSequence, missingBytes } = survey;
    const { config } = survey.model;
    const verdict = await judgeRun(asked, config, maxSequence);
    const judged: Judged = args.fit ? fitted(verdict, asked, output) : { ...verdict, recipe: asked };
    const { recipe, plan, refusal } = judged;
    announce(output, recipe, { parameters: countParameters(config), plan, missingBytes });
    if (args.dryRun) {
      output.print(JSON.stringify(recipe, null, 2));
      if (plan) output.print(memoryTable(plan));
      output.event({
        event: "dry_run",
        recipe,
        parameters: countParameters(config),
        maxSequence,
        memory: plan,
        fits: refusal === null,
        proposal: refusal ? (verdict.fit?.changes ?? null) : {},
        downloadBytes: missingBytes,
      });
    }
    if (refusal) throw refusal;
    if (args.dryRun) return 0;
    const model = missingBytes > 0 ? await openPolicy(recipe.model, context) : survey.model;
    const directory = await run(recipe, config);
    const seen: Seen = {};
    let summary: TrainingSummary;
    try {
      summary = await runTraining(
        { recipe, model, problems, run: directory, resume, signal: interrupt.signal },
        (event) => report(output, recipe, event, seen),
      );
    } catch (error) {
      const { where } = directory.storage;
      output.bar.clear();
      if (seen.ready || args.resume !== undefined)
        output.note(`What was saved is in ${where}; go on with --resume ${where}`);
      else {
        lock.release();
        forget(where);
      }
      throw error;
    } finally {
      await new Promise((resolve) => setTimeout(resolve, TEARDOWN_MS));
    }
    output.bar.clear();
    conclude(output, summary, seen, directory.storage.where);
    if (interrupt.signal.aborted)
      output.note(`Interrupted; npm run train -- --resume "${directory.storage.where}" goes on`);
    return 0;
  },
};

/** A recipe and whether it fits. */
interface Judged extends Pick<MemoryVerdict, "plan" | "refusal"> {
  recipe: Recipe;
}

/** The verdict on a run changed so that it fits; the same where it fits already or nothing helps. */
function fitted(verdict: MemoryVerdict, asked: Recipe, output: Output): Judged {
  const { reason, fit } = verdict;
  if (reason === null || !fit) return { ...verdict, recipe: asked };
  output.note(`Changed so that it fits: ${settingsLine(fit)}`);
  output.note(`  since as asked for ${reason}`);
  output.event({ event: "fitted", reason, changes: fit.changes });
  return { recipe: fit.recipe, plan: fit.plan, refusal: null };
}

/** What the events have shown so far. */
interface Seen {
  ready?: boolean;
  before?: SampleCompletion[];
  after?: SampleCompletion[];
}

/** Takes back a run that never began, so that its name is free for the next attempt. */
function forget(where: string): void {
  rmSync(join(where, "recipe.json"), { force: true });
  if (readdirSync(where).length === 0) rmdirSync(where);
}

interface Prepared {
  recipe: Recipe;
  /** Makes or opens the run directory of the recipe as it is trained: nothing is written before the model was read. */
  run(recipe: Recipe, config: ModelConfig): Promise<RunDirectory>;
  resume: FoundCheckpoint | null;
}

async function prepare(args: TrainArguments, context: CommandContext, lock: RunLock): Promise<Prepared> {
  const recipe = await recipeFromFlags(args, context);
  const runs = join(context.root, "runs");
  const where = args.out === undefined ? null : resolve(context.cwd, args.out);
  return {
    recipe,
    resume: null,
    run: async (trained) => {
      const folder =
        where ??
        join(
          runs,
          freshRunName(
            recipe.name,
            new Date(),
            (await listRuns(runs)).map((name) => basename(name)),
          ),
        );
      lock.take(folder, true);
      return createRun(openDiskStorage(folder), trained as unknown as Record<string, unknown>);
    },
  };
}

async function prepareResume(
  args: TrainArguments,
  context: CommandContext,
  lock: RunLock,
): Promise<Prepared> {
  const refuse = (flag: string) =>
    new ConfigError(
      "cli/resume-conflict",
      `Cannot use --${flag} with --resume: a run goes on with the recipe it was started with`,
      { hint: `Leave --${flag} out, or start a new run.` },
    );
  for (const flag of ["recipe", "model", "data", "out", "seed", "fit"] as const)
    if (args[flag] !== undefined && args[flag] !== false) throw refuse(flag);
  const storage = openDiskStorage(resolve(context.cwd, args.resume!));
  // Before the checkpoints are looked at, which sweeps away what a crash left half written.
  lock.take(storage.where);
  const saved = await openRun(storage);
  const recipe = await resolveRecipe({
    base: { content: saved.recipe, where: join(storage.where, "recipe.json") },
    sets: args.set,
    overrides: { steps: args.steps },
    locate: (path) => resolve(context.cwd, path),
  });
  if ((saved.recipe.seed ?? recipe.seed) !== recipe.seed) throw refuse("set seed");
  const found = await latestCheckpoint(storage);
  for (const { path, reason } of found?.skipped ?? [])
    context.output.note(`Passed over the damaged checkpoint ${path}: ${reason}`);
  if (!found) await refuseDamaged(storage);
  // Before the recipe is written back: a refused change must not hold for the next resume.
  else {
    await checkTrained(recipe, storage, found.path);
    checkSteps(recipe, storage, found.state.step);
  }
  context.output.note(
    found ? `Going on from ${found.path}` : "There is no checkpoint yet: starting from the beginning",
  );
  if (found?.state.step === recipe.steps)
    context.output.note(`All ${recipe.steps} steps are done; train on with --steps above ${recipe.steps}`);
  const run = async (_: Recipe, config: ModelConfig) => {
    if (found) await checkModel(config, storage, found.path);
    // What was changed holds for the next resume as well.
    const text = `${JSON.stringify(recipe, null, 2)}\n`;
    await storage.writeFile("recipe.json", new TextEncoder().encode(text));
    return openRun(storage);
  };
  return { recipe, resume: found, run };
}

/** A recipe of fewer steps than were trained would be written back and say what never was. */
function checkSteps({ steps }: Recipe, storage: RunStorage, done: number): void {
  if (steps >= done) return;
  throw new ConfigError(
    "cli/resume-conflict",
    `Cannot go on with ${storage.where} for ${steps} steps in all: ${done} are done`,
    { hint: `Give --steps ${done + 1} or more; its earlier checkpoints are models of their own (--model).` },
  );
}

/** Starting anew over checkpoints that cannot be read would lose what may still be mended. */
async function refuseDamaged(storage: RunStorage): Promise<void> {
  const damaged = (await storage.list("checkpoints")).filter((name) => /^step-\d+$/.test(name));
  if (damaged.length === 0) return;
  throw new DataError(
    "runs/no-checkpoint",
    `Cannot go on with ${storage.where}: none of its checkpoints (${damaged.join(", ")}) is whole`,
    { hint: "Mend them or move them away; without any, the run starts from its beginning." },
  );
}

interface Announced {
  parameters: number;
  plan: MemoryPlan | null;
  missingBytes: number;
}

function announce(output: Output, recipe: Recipe, { parameters, plan, missingBytes }: Announced): void {
  output.note(
    `${output.paint("bold", recipe.name)}: ${recipe.steps} steps of ${recipe.trainer.batchSize} completions, ${recipe.mode}, ${parameters.toLocaleString("en")} parameters`,
  );
  if (missingBytes > 0) output.note(`Download: ${mib(missingBytes)} of weights, once`);
  if (!plan) return;
  output.note(
    `Memory: ${mib(plan.trainerBytes)} for the trainer and ${mib(plan.generatorBytes)} for ${recipe.generator.workers} generator${recipe.generator.workers > 1 ? "s" : ""}`,
  );
}

function report(output: Output, recipe: Recipe, event: TrainingEvent, seen: Seen): void {
  if (event.kind === "ready") {
    seen.ready = true;
    output.note(`GPU: ${event.adapter}; ${mib(event.allocatedBytes)} allocated`);
    if (event.evaluates) output.note(`Evaluating on ${event.heldOut} held-out problems …`);
  } else if (event.kind === "evaluated") {
    const { metrics, samples } = event.result;
    if (event.when !== "during") seen[event.when] = samples;
    output.event({ event: "evaluation", when: event.when, step: event.step, ...metrics });
    output.note(
      `${event.when}: pass@1 ${percent(metrics["pass@1"])}  maj@${recipe.evaluation.samples} ${percent(metrics[`maj@${recipe.evaluation.samples}`])}  length ${metrics.mean_length.toFixed(1)}`,
    );
  } else if (event.kind === "stepped") {
    const m = event.metrics;
    output.event(m);
    output.note(
      stepLine({
        step: event.step,
        steps: recipe.steps,
        reward: m.reward,
        rewardStd: m.reward_std,
        deadShare: m.frac_reward_zero_std,
        length: m["completions/mean_length"],
        mismatchKl: m["trainer/mismatch_kl"],
        staleness: m["sample/staleness_mean"],
        generatedTokensPerSecond: m["rollout/generated_tok_s"],
        trainedTokensPerSecond: m["perf/trained_tok_s_wall_clock"],
        stepSeconds: m.step_time ?? 0,
        remainingSeconds: event.remainingSeconds,
      }),
    );
    output.bar.update(event.step, recipe.steps, recipe.name);
  } else if (event.kind === "unsaved") {
    output.note(`The steps up to ${event.step} could not be saved: ${describeError(event.cause)}`);
  } else if (event.kind === "restarted") {
    output.note(`${event.worker} died and was started again: ${describeError(event.cause)}`);
    output.event({ event: "restarted", worker: event.worker, cause: describeError(event.cause) });
  }
}

function conclude(output: Output, summary: TrainingSummary, seen: Seen, where: string): void {
  const { before, after } = summary.eval;
  const names = Object.keys(after ?? before ?? {});
  const cell = (metrics: Record<string, number> | null, name: string) =>
    metrics && name in metrics ? metrics[name].toFixed(3) : "–";
  if (names.length > 0)
    output.print(
      formatTable(
        ["", "before", "after"],
        names.map((name) => [name, cell(before, name), cell(after, name)]),
      ),
    );
  for (const [i, { prompt, completion }] of (seen.before ?? []).entries()) {
    output.print(`\n${prompt}`);
    output.print(`  before  ${completion}`);
    if (seen.after?.[i]) output.print(`  after   ${seen.after[i].completion}`);
  }
  output.print(
    `\n${summary.steps} steps, ${summary.samples} completions trained on, ${summary.generated_tokens} tokens generated, ${summary.wall_s.toFixed(0)} s`,
  );
  output.print(`The run is in ${where}`);
  output.event({ ...summary });
}

function percent(share: number | undefined): string {
  return share === undefined ? "–" : `${(100 * share).toFixed(1)} %`;
}
