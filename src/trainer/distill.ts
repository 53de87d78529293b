/**
 * Supervised cold start: a policy imitates an imperfect teacher's traces. Every step packs fresh problems with their
 * traces into one micro-batch, takes the mean negative log-likelihood of the completion's tokens, and one AdamW step.
 */
import { WebgrpoError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import type { ModelConfig } from "../model/config.ts";
import { packTensors } from "../model/layout.ts";
import { Policy } from "../model/policy.ts";
import type { Task, Teacher } from "../tasks/api.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { learningRateAt, type ScheduleShape } from "./schedule.ts";

/** A stretch of training with one teacher. */
export interface DistillStage {
  teacher: Teacher;
  steps: number;
}

export interface DistillOptions {
  config: ModelConfig;
  tensors: ReadonlyMap<string, { data: Float32Array }>;
  tokenizer: Tokenizer;
  task: Task;
  stages: readonly DistillStage[];
  /** Tokens of the longest problem with its trace, from `longestTrace`; the rare longer ones are passed over. */
  longest: number;
  /** Traces in a step. */
  batchSize: number;
  learningRate: number;
  schedule: ScheduleShape;
  warmupSteps: number;
  minLearningRateRatio: number;
  weightDecay: number;
  beta2: number;
  maxGradNorm: number;
  /** Steps between two read-backs of the loss. */
  reportEvery: number;
  onReport(report: DistillReport): void;
  signal?: AbortSignal;
}

export interface DistillReport {
  step: number;
  steps: number;
  /** Mean negative log-likelihood per completion token at this step, nats. */
  loss: number;
  gradNorm: number;
  learningRate: number;
  /** Completion tokens trained on so far. */
  tokens: number;
}

/** One problem and its trace as tokens. */
interface Example {
  prompt: Uint32Array;
  completion: Uint32Array;
}

export interface Distilled {
  /** Weights by shard of `layoutParameters`. */
  shards: Float32Array[];
  /** Steps done, fewer than asked for where the signal ended it. */
  steps: number;
}

/** Traces of each teacher that are looked at to find the longest. */
const MEASURED_TRACES = 1024;

/** Tokens of the longest of many traces, rounded up to a multiple of eight: alone, and with the problem before it. */
export function longestTrace(
  options: Pick<DistillOptions, "task" | "tokenizer">,
  stages: readonly DistillStage[],
): { completion: number; whole: number } {
  const examples = stages.flatMap(({ teacher }) => draw(options, teacher, 0, MEASURED_TRACES));
  const roomFor = (lengths: number[]) => Math.ceil(Math.max(...lengths) / 8) * 8;
  return {
    completion: roomFor(examples.map(({ completion }) => completion.length)),
    whole: roomFor(examples.map(length)),
  };
}

/** Distils. @throws DataError for text without tokens, GpuLimitError, WebgrpoError `trainer/not-finite` */
export async function distill(gpu: Gpu, options: DistillOptions): Promise<Distilled> {
  const { config, stages, batchSize, beta2, weightDecay, maxGradNorm, reportEvery, longest } = options;
  const steps = stages.reduce((sum, stage) => sum + stage.steps, 0);
  using policy = await Policy.create(gpu, { config, capacity: batchSize * longest, maxPositions: longest });
  using gradient = gpu.buffer("distillation gradient", batchSize * longest);
  policy.weights.write(packTensors(policy.decoder.layout, options.tensors));
  let index = 0;
  let tokens = 0;
  let step = 0;
  for (const stage of stages) {
    for (let end = step + stage.steps; step < end && !options.signal?.aborted; step++) {
      const examples = draw(options, stage.teacher, index, batchSize).filter(
        (example) => length(example) <= longest,
      );
      index += batchSize;
      const rows = pack(examples);
      const count = rows.targets.length;
      tokens += count;
      policy.load(rows);
      gradient.write(new Float32Array(count).fill(-1 / count));
      policy.forward(1);
      policy.accumulate(gradient, 1);
      const learningRate = learningRateAt(step, {
        shape: options.schedule,
        peak: options.learningRate,
        warmupSteps: options.warmupSteps,
        totalSteps: steps,
        floor: options.minLearningRateRatio,
      });
      policy.update({ learningRate, beta1: 0.9, beta2, eps: 1e-8, weightDecay, maxGradNorm }, step + 1);
      policy.recorder.submit();
      if ((step + 1) % reportEvery === 0 || step + 1 === steps) {
        const [logprobs, norm] = await gpu.staging.read([
          { source: policy.head.logprobs, length: count },
          { source: policy.norm, length: 2 },
        ]);
        const loss = -new Float32Array(logprobs).reduce((sum, value) => sum + value, 0) / count;
        const gradNorm = new Float32Array(norm)[0];
        if (!Number.isFinite(loss + gradNorm)) {
          throw new WebgrpoError(
            "trainer/not-finite",
            `Cannot go on distilling after step ${step + 1}: the loss is ${loss} and the gradient norm ${gradNorm}`,
            { hint: "Start again with a lower --learning-rate, or from a policy whose weights are finite" },
          );
        }
        options.onReport({ step: step + 1, steps, loss, gradNorm, learningRate, tokens });
      } else if ((step + 1) % 4 === 0) {
        // Bounds the work in flight, which would otherwise pile up in memory.
        await gpu.idle();
      }
    }
  }
  return { shards: await policy.weights.read(gpu), steps: step };
}

function draw(
  { task, tokenizer }: Pick<DistillOptions, "task" | "tokenizer">,
  teacher: Teacher,
  first: number,
  count: number,
): Example[] {
  return Array.from({ length: count }, (_, i) => {
    const problem = task.sample(first + i);
    const trace = teacher.trace(problem, first + i);
    return {
      prompt: tokenizer.encode(String(problem.prompt)),
      completion: tokenizer.encode(trace.completion),
    };
  });
}

function length({ prompt, completion }: Example): number {
  return prompt.length + completion.length;
}

/** Prompt and completion without the last token side by side; every completion token is a target. */
function pack(examples: readonly Example[]) {
  const total = examples.reduce((sum, example) => sum + length(example) - 1, 0);
  const targetCount = examples.reduce((sum, { completion }) => sum + completion.length, 0);
  const packed = {
    tokens: new Uint32Array(total),
    positions: new Uint32Array(total),
    offsets: new Uint32Array(examples.length + 1),
    rows: new Uint32Array(targetCount),
    targets: new Uint32Array(targetCount),
  };
  let row = 0;
  let target = 0;
  examples.forEach(({ prompt, completion }, b) => {
    packed.tokens.set(prompt, row);
    packed.tokens.set(completion.subarray(0, -1), row + prompt.length);
    const end = row + prompt.length + completion.length - 1;
    for (let position = 0; row + position < end; position++) packed.positions[row + position] = position;
    for (let t = 0; t < completion.length; t++) {
      packed.rows[target] = row + prompt.length - 1 + t;
      packed.targets[target++] = completion[t];
    }
    row = end;
    packed.offsets[b + 1] = row;
  });
  return packed;
}
