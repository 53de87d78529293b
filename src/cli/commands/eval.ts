/** `eval`: pass@1, pass@k and maj@k of a model on a task's held-out problems or a file. Deno only. */
import { answerPrompts, completionLimit } from "../../answering.ts";
import { rowOptions } from "../../data/problems.ts";
import type { RowOptions } from "../../data/rows.ts";
import type { ModelText } from "../../data/source.ts";
import { ConfigError, DataError } from "../../errors.ts";
import { type EvaluationResult, evaluate, type RefusedRow } from "../../evaluation/evaluate.ts";
import { openGpu } from "../../gpu/device.ts";
import type { MatrixPrecision } from "../../model/parameters.ts";
import type { Problem } from "../../rollout.ts";
import { makeTask } from "../../tasks/registry.ts";
import { outOfScope, type PolicyScope, readScope } from "../../tasks/scope.ts";
import { loadChatTemplate } from "../../text/chat_template.ts";
import { StopTexts } from "../../text/stop_texts.ts";
import { loadTokenizer } from "../../text/tokenizer.ts";
import { createScorer } from "../../verifier/score.ts";
import type { Arguments, Command, CommandContext } from "../command.ts";
import { openPolicy } from "../models.ts";
import { evalSpec } from "../options.ts";
import { openProblems } from "../problems.ts";
import { recipeFromFlags } from "../recipes.ts";
import { formatTable } from "../table.ts";

type EvalArguments = Arguments<typeof evalSpec.options>;

/** Held-out problems of a task that are asked without `--limit`. */
const TASK_PROBLEMS = 256;

interface Questions {
  problems: Problem[];
  /** Names of the reward functions that judge. */
  rewards: readonly string[];
}

export const command: Command<typeof evalSpec.options> = {
  ...evalSpec,
  async run(args, context) {
    checkSource(args);
    const model = await openPolicy(args.model, context);
    const scope = readScope(model.generationConfig);
    const { problems, rewards } = await askedQuestions(args, scope, context);
    const asked = keepInScope(problems, scope);
    const from = performance.now();
    const result = await answerAndGrade(args, context, model, asked.problems, rewards);
    // The evaluation counts rows within what it was given.
    const refused = [
      ...asked.refused,
      ...result.refused.map((one) => ({ ...one, row: asked.rows[one.row - 1] })),
    ].sort((a, b) => a.row - b.row);
    report({ ...result, refused }, args, context, (performance.now() - from) / 1000);
    return 0;
  },
};

function checkSource({ task, data, recipe }: EvalArguments): void {
  if (recipe !== undefined && data === undefined) {
    throw new ConfigError(
      "cli/bad-source",
      "Cannot use `--recipe` without `--data`: it says how a file's rows are asked",
      {
        hint: "name the file as well, such as `--data hub:owner/name/test.parquet`",
      },
    );
  }
  if ((task === undefined) !== (data === undefined)) return;
  const found =
    task === undefined ? "neither `--task` nor `--data` is given" : "`--task` and `--data` are both given";
  throw new ConfigError("cli/bad-source", `Cannot evaluate: ${found}, exactly one is needed`, {
    hint: "write `--task chain_sum` for held-out problems of a task, or `--data FILE.jsonl` for all rows of a file",
  });
}

async function askedQuestions(
  args: EvalArguments,
  scope: PolicyScope,
  context: CommandContext,
): Promise<Questions> {
  if (args.task !== undefined) {
    // As the policy was trained, where its folder says; else with the task's own defaults.
    const options = scope.tasks.find(({ name }) => name === args.task)?.options;
    const task = makeTask(args.task, options && { ...options }, 0);
    return { problems: task.heldOut(args.limit ?? TASK_PROBLEMS), rewards: task.rewards };
  }
  const file = args.data as string;
  const problems = await openProblems(file, await askedAs(args, context), context);
  // A model that says nothing of its training may answer in any form: the answer is looked for wherever it stands.
  return {
    problems: problems.slice(0, args.limit),
    rewards: scope.rewards.length > 0 ? scope.rewards : ["accuracy"],
  };
}

/** How a recipe asks the rows of its data file; without one, the rows say themselves. */
async function askedAs({ recipe, model, data }: EvalArguments, context: CommandContext): Promise<RowOptions> {
  if (recipe === undefined) return {};
  const resolved = await recipeFromFlags({ recipe, model, data }, context);
  return resolved.data ? rowOptions(resolved.data) : {};
}

/** Leaves out what the policy was not made for; `rows` says where the others stood, from 1. */
function keepInScope(problems: readonly Problem[], scope: PolicyScope) {
  const kept: Problem[] = [];
  const rows: number[] = [];
  const refused: RefusedRow[] = [];
  problems.forEach((problem, i) => {
    const reason = outOfScope(scope, problem);
    if (reason !== null) refused.push({ row: i + 1, id: problem.id, reason });
    else {
      kept.push(problem);
      rows.push(i + 1);
    }
  });
  if (kept.length === 0) {
    throw new DataError(
      "evaluation/out-of-scope",
      `Cannot evaluate any of ${problems.length} problems, row 1: ${refused[0]?.reason}`,
      { hint: "Give problems of the kind that the policy was trained on, or another model." },
    );
  }
  return { problems: kept, rows, refused };
}

async function answerAndGrade(
  args: EvalArguments,
  { output, interrupt }: CommandContext,
  model: ModelText,
  problems: readonly Problem[],
  rewards: readonly string[],
): Promise<EvaluationResult> {
  const tokenizer = await loadTokenizer({ ...model, modelConfig: model.config.raw });
  const encoder = { tokenizer, template: await loadChatTemplate(model) };
  const maxTokens = completionLimit(model, args.maxTokens);
  const stops = args.stop.length > 0 ? new StopTexts(tokenizer, args.stop) : null;
  const endTokens = tokenizer.eosIds
    .map((id) => tokenizer.tokenOf(id))
    .filter((token) => token !== undefined);
  const scorer = await createScorer({
    rewards: [...rewards],
    lengthMax: maxTokens,
    lengthCache: 0,
    endTokens,
    digits: { endToken: endTokens[0] },
  });
  const gpu = await openGpu({ label: "eval" });
  try {
    return await evaluate({
      problems,
      samples: args.samples,
      encoder,
      maxPromptTokens: model.config.maxPositions - maxTokens,
      generate: (prompts, samples) =>
        answerPrompts(
          gpu,
          { files: model, eosIds: tokenizer.eosIds, precision: args.dtype as MatrixPrecision | undefined },
          {
            prompts,
            samples,
            sampling: {
              temperature: args.temperature,
              topK: 0,
              topP: 1,
              minP: 0,
              maxTokens,
              seed: args.seed ?? 0,
            },
            stops,
            signal: interrupt.signal,
            onProgress: (finished, total) => output.bar.update(finished, total, "completions"),
          },
        ),
      async score(groups) {
        const graded = [];
        for (const group of groups) {
          interrupt.signal.throwIfAborted();
          graded.push(await scorer.scoreGroup(group, { global_step: 0 }));
          output.bar.update(graded.length, groups.length, "graded");
        }
        return graded;
      },
    });
  } finally {
    output.bar.clear();
    scorer.dispose();
    gpu.destroy();
  }
}

/** Row numbers by reason, in the order of the rows. */
function byReason(refused: readonly RefusedRow[]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const { row, reason } of refused) groups.set(reason, [...(groups.get(reason) ?? []), row]);
  return groups;
}

/** What the metrics are called in the table; the rest keep their names. */
const ROW_NAMES: Record<string, string> = { mean_length: "mean length", clipped_ratio: "truncated share" };

function report(
  result: EvaluationResult,
  args: EvalArguments,
  { output }: CommandContext,
  seconds: number,
): void {
  const { metrics, problems, samples, completions, generatedTokens, refused } = result;
  if (refused.length > 0) {
    output.note(`Refused ${refused.length} of ${problems + refused.length} problems:`);
    for (const [reason, rows] of byReason(refused)) output.note(`  ${reason}: row ${rows.join(", ")}`);
  }
  output.print(
    formatTable(
      ["metric", "value"],
      [
        ["problems", `${problems}`],
        ["completions of each", `${samples}`],
        ...Object.entries(metrics).map(([name, value]) => [
          ROW_NAMES[name] ?? name,
          value.toFixed(name === "mean_length" ? 2 : 4),
        ]),
        ["refused rows", `${refused.length}`],
      ],
    ),
  );
  output.event({
    event: "summary",
    model: args.model,
    ...(args.task === undefined ? { data: args.data } : { task: args.task }),
    problems,
    samples,
    completions,
    ...metrics,
    refused,
    generated_tokens: generatedTokens,
    wall_s: seconds,
  });
}
