/**
 * Opens the stages that a recipe describes, in the order in which they need each other: tasks, weights, trainer,
 * generators, verifiers. Front ends call this and the loop; they know no stage.
 */

import { loraSettings } from "./config/lora.ts";
import type { Recipe } from "./config/schema.ts";
import { taskMixture } from "./config/schema.ts";
import type { Knobs } from "./control.ts";
import type { ModelText } from "./data/source.ts";
import { weightsHandle } from "./data/weights_handle.ts";
import { DataError } from "./errors.ts";
import { type EvaluationResult, evaluate } from "./evaluation/evaluate.ts";
import type { SamplingOptions } from "./generator/api.ts";
import { GeneratorPool } from "./generator/pool.ts";
import type { LoopStages } from "./loop.ts";
import type { TraceEvent } from "./metrics/trace.ts";
import { memoryShares } from "./planner/share.ts";
import type { Problem, PromptTokens } from "./rollout.ts";
import type { Task } from "./tasks/api.ts";
import { dataTask } from "./tasks/data_task.ts";
import { makeMixture } from "./tasks/registry.ts";
import { loadChatTemplate } from "./text/chat_template.ts";
import { encodePrompt, encodePrompts, type PromptEncoder } from "./text/prompt_tokens.ts";
import { loadTokenizer, type Tokenizer } from "./text/tokenizer.ts";
import { freshOptimizer, type OptimizerState } from "./trainer/api.ts";
import { TrainerClient, type TrainerClientOptions } from "./trainer/client.ts";
import { trainedLayout } from "./trainer/trained.ts";
import { VerifierPool } from "./verifier/pool.ts";
import { createWeightExchange, shardPayload } from "./weights/api.ts";

export interface StageInputs {
  recipe: Recipe;
  model: ModelText;
  /** What `data.file` holds, where the recipe names one. */
  problems?: readonly Problem[];
  /** Where the optimiser begins, when not at the model's weights. */
  start?: OptimizerState;
  newestCheckpoint: TrainerClientOptions["newestCheckpoint"];
  /** A worker died and another took its place. */
  onRestart(worker: string, cause: unknown): void;
  /** The least silence of a worker with a GPU that counts as a hang; a minute by default. */
  silenceMs?: number;
  /** What workers did when, as it becomes known. */
  onTrace?(events: readonly TraceEvent[]): void;
}

export interface Stages extends LoopStages {
  task: Task;
  tokenizer: Tokenizer;
  /** Longest prompt and completion together, in tokens. */
  maxSequence: number;
  heldOut: Problem[];
  /** Answers and grades the held-out problems with the newest weights. */
  evaluate(): Promise<EvaluationResult>;
  /** Changes what may be changed while the loop runs; it holds for sequences and batches begun from now on. */
  turn(knobs: Knobs): Promise<void>;
  adapter: string;
  allocatedBytes: number;
  dispose(): void;
}

/** Problems looked at to find the longest prompt of a task without end. */
const PROBED_PROMPTS = 2048;

/** What is known of a run once its model and its problems are: enough to plan its memory. */
export interface TaskSurvey {
  task: Task;
  tokenizer: Tokenizer;
  encoder: PromptEncoder;
  heldOut: Problem[];
  /** Longest prompt and completion together, in tokens. */
  maxSequence: number;
}

/** Opens the task and looks how long its prompts get. @throws ConfigError, DataError */
export async function surveyTask(
  inputs: Pick<StageInputs, "recipe" | "model" | "problems">,
): Promise<TaskSurvey> {
  const { recipe, model } = inputs;
  const { generator: g, evaluation: e } = recipe;
  const tokenizer = await loadTokenizer({ ...model, modelConfig: model.config.raw });
  const encoder: PromptEncoder = { tokenizer, template: await loadChatTemplate(model) };
  const task = openTask(inputs);
  const heldOut = task.heldOut(e.problems);
  const maxSequence = longestPrompt(task, heldOut, encoder) + Math.max(g.maxTokens, e.maxTokens);
  if (maxSequence > model.config.maxPositions) {
    throw new DataError(
      "model/too-short",
      `Cannot train on sequences of ${maxSequence} tokens: the model was made for ${model.config.maxPositions}`,
      {
        hint: "Lower generator.maxTokens and evaluation.maxTokens, or choose shorter problems.",
      },
    );
  }
  return { task, tokenizer, encoder, heldOut, maxSequence };
}

/** Starts everything. @throws ConfigError, DataError, GpuUnavailableError, GpuLimitError, WorkerError */
export async function openStages(inputs: StageInputs): Promise<Stages> {
  const { recipe, model } = inputs;
  const { generator: g, evaluation: e } = recipe;
  const { task, tokenizer, encoder, heldOut, maxSequence } = await surveyTask(inputs);
  const payload = shardPayload(trainedLayout(recipe, model.config), recipe.weights.dtype);
  const exchange = createWeightExchange({ byteLength: payload.byteLength, readers: g.workers });
  const weights = weightsHandle(model);
  const shares = memoryShares(recipe, model.config, maxSequence);
  const opened: { dispose(): void }[] = [];
  try {
    const trainer = await TrainerClient.start({
      recipe,
      config: model.config,
      maxSequence,
      model: weights,
      start: inputs.start ?? freshOptimizer(),
      weightHandle: () => exchange.writerHandle(),
      firstVersion: inputs.start?.step ?? 0,
      maxMemoryBytes: shares.trainer,
      newestCheckpoint: inputs.newestCheckpoint,
      onRestart: (cause) => inputs.onRestart("trainer", cause),
      silenceMs: inputs.silenceMs,
    });
    opened.push(trainer);
    const sampling: SamplingOptions = {
      temperature: g.temperature,
      topK: g.topK,
      topP: g.topP,
      minP: g.minP,
      maxTokens: g.maxTokens,
      seed: recipe.seed,
    };
    const generator = await GeneratorPool.start({
      workers: g.workers,
      config: model.config,
      concurrency: g.concurrency,
      maxSequence,
      decodeChunk: g.decodeChunk,
      recomputeCache: g.recomputeCache,
      eosIds: [...tokenizer.eosIds],
      stop: g.stop.length > 0 ? { texts: g.stop, tokenizer: tokenizer.files } : null,
      selfTest: recipe.gpu.selfTest,
      precision: g.dtype,
      cachePrecision: g.cacheDtype,
      adapters: loraSettings(recipe.trainer.lora),
      model: weights,
      format: recipe.weights.dtype,
      maxMemoryBytes: shares.generator,
      sampling,
      weightHandle: (reader) => exchange.readerHandle(reader),
      onRestart: (index, cause) => inputs.onRestart(`generator ${index}`, cause),
      silenceMs: inputs.silenceMs,
      onTrace: inputs.onTrace,
    });
    opened.push(generator);
    const v = recipe.verifier;
    const endTokens = tokenizer.eosIds
      .map((id) => tokenizer.tokenOf(id))
      .filter((token) => token !== undefined);
    const verifier = await VerifierPool.create({
      workers: v.workers,
      onTrace: inputs.onTrace,
      options: { ...v, endTokens, digits: { endToken: endTokens[0] } },
    });
    opened.push(verifier);
    return {
      task,
      tokenizer,
      maxSequence,
      heldOut,
      generator,
      verifier,
      trainer,
      adapter: trainer.ready.adapter,
      allocatedBytes:
        trainer.ready.allocatedBytes + generator.ready.reduce((sum, ready) => sum + ready.allocatedBytes, 0),
      prompt: (groupId) =>
        fittingPrompt(encodePrompt(task.sample(groupId), encoder), maxSequence - g.maxTokens),
      decode: (tokens) => tokenizer.decode(tokens),
      evaluate: () =>
        evaluate({
          problems: heldOut,
          samples: e.samples,
          encoder,
          generate: (prompts, samples) =>
            generator.sample(prompts, samples, {
              ...sampling,
              temperature: e.temperature,
              maxTokens: e.maxTokens,
              topK: 0,
              topP: 1,
              minP: 0,
            }),
          score: (groups) =>
            Promise.all(groups.map((group) => verifier.score(group, { global_step: trainer.version }))),
        }),
      async turn({ temperature, ...knobs }) {
        if (temperature !== undefined) generator.turn({ temperature });
        await trainer.turn(knobs);
      },
      dispose() {
        for (const stage of opened.reverse()) stage.dispose();
        exchange.close();
      },
    };
  } catch (error) {
    for (const stage of opened.reverse()) stage.dispose();
    exchange.close();
    throw error;
  }
}

function openTask({ recipe, problems = [] }: Pick<StageInputs, "recipe" | "problems">): Task {
  if (!recipe.data) return makeMixture(taskMixture(recipe), recipe.seed);
  const { heldOutShare, splitSeed } = recipe.data;
  return dataTask(problems, recipe.seed, { heldOutShare, splitSeed, rewards: recipe.verifier.rewards });
}

/** Tokens of the longest prompt, with room for a somewhat longer one where the task has no end. */
function longestPrompt(task: Task, heldOut: readonly Problem[], encoder: PromptEncoder): number {
  const probed = Array.from({ length: PROBED_PROMPTS }, (_, i) => task.sample(i));
  const { prompts, refused } = encodePrompts([...heldOut, ...probed], encoder);
  if (refused.length > 0) {
    const { problem, reason } = refused[0];
    throw new DataError(
      "data/no-tokens",
      `Cannot ask ${refused.length} of ${prompts.length + refused.length} problems, the first being ${problem.id}: ${reason}`,
      {
        hint: "Leave these problems out of the data, or train a model whose tokenizer has their characters.",
      },
    );
  }
  const longest = prompts.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
  return Math.ceil((longest + 2) / 8) * 8;
}

function fittingPrompt(prompt: PromptTokens, limit: number): PromptTokens {
  if (prompt.tokens.length <= limit) return prompt;
  throw new DataError(
    "data/prompt-too-long",
    `Cannot ask problem ${prompt.problem.id}: its prompt has ${prompt.tokens.length} tokens, ${limit} fit`,
    {
      hint: "Leave longer problems out of the data.",
    },
  );
}
