/** `distill`: a small policy that imitates an imperfect teacher, written as a Hugging Face folder. Deno only. */

import { resolve } from "node:path";
import { loadModelFiles } from "../../data/source.ts";
import { ConfigError } from "../../errors.ts";
import { mib, openGpu } from "../../gpu/device.ts";
import { countParameters } from "../../model/config.ts";
import { freshWeights, smallLlamaConfig } from "../../model/init.ts";
import { layoutParameters, unpackTensors } from "../../model/layout.ts";
import { checkModelFolder, openDiskStorage } from "../../runs/disk.ts";
import { modelFolderFiles } from "../../runs/model_folder.ts";
import type { Task } from "../../tasks/api.ts";
import { makeTask } from "../../tasks/registry.ts";
import { scopeEntries } from "../../tasks/scope.ts";
import { buildCharTokenizer } from "../../text/char_tokenizer.ts";
import { loadTokenizer, type Tokenizer } from "../../text/tokenizer.ts";
import { type DistillStage, distill } from "../../trainer/distill.ts";
import type { Command } from "../command.ts";
import { openModel } from "../models.ts";
import { distillSpec } from "../options.ts";

/** Traces of each teacher that are looked at to find the longest. */
const MEASURED_TRACES = 1024;

/** How the built-in policy was made; a task without an entry is distilled with the general one. */
interface DistillPreset {
  task: Record<string, unknown>;
  /** The teacher of most steps and of the last ones: first learn to work, then mostly guess. */
  teachers: { share: number; options: Record<string, unknown> }[];
  steps: number;
}

const GENERAL: DistillPreset = { task: {}, teachers: [{ share: 1, options: {} }], steps: 2000 };
const PRESETS: Record<string, DistillPreset> = {
  chain_sum: {
    task: { languages: ["en", "fr", "de", "es"], threeTermShare: 0.7 },
    teachers: [
      { share: 0.85, options: { guessShare: 0.25, forget: 0.15, slip: 0.02 } },
      { share: 0.15, options: { guessShare: 0.58, forget: 0.25, slip: 0.03 } },
    ],
    steps: 1400,
  },
};

export const command: Command<typeof distillSpec.options> = {
  ...distillSpec,
  async run(args, context) {
    const { output, interrupt, cwd } = context;
    const seed = args.seed ?? 0;
    const preset = PRESETS[args.task] ?? GENERAL;
    const settings = readSettings(args.set);
    const task = makeTask(args.task, { ...preset.task, ...settings.task }, seed);
    if (!task.teacher || !task.vocabulary) {
      throw new ConfigError("config/no-teacher", `Cannot distil ${args.task}: the task has no teacher`, {
        hint: "Choose chain_sum, countdown, digits, number_comparison or sorting.",
      });
    }
    const steps = args.steps ?? preset.steps;
    const stages = makeStages(task, preset, steps, settings.teacher, seed);
    const batchSize = args.batchSize ?? 128;
    const start =
      args.model === undefined
        ? await freshModel(task, settings.model, seed)
        : await loadModelFiles(await openModel(args.model, context));
    const tokenizer = await loadTokenizer(start);
    const out = resolve(cwd, args.out);
    await checkModelFolder(out);
    const gpu = await openGpu({ label: "distill" });
    output.note(
      `Distilling ${args.task} into ${countParameters(start.config)} parameters on ${gpu.adapterName}: ${steps} steps of ${batchSize} traces`,
    );
    const from = performance.now();
    const shards = await distill(gpu, {
      config: start.config,
      tensors: start.tensors,
      tokenizer,
      task,
      stages,
      batchSize,
      learningRate: args.learningRate ?? 2e-3,
      schedule: "cosine",
      warmupSteps: Math.min(100, Math.ceil(steps / 20)),
      minLearningRateRatio: 0.05,
      weightDecay: 0.01,
      beta2: 0.99,
      maxGradNorm: 1,
      reportEvery: 25,
      signal: interrupt.signal,
      onReport(report) {
        const seconds = (performance.now() - from) / 1000;
        const eta = (seconds / report.step) * (report.steps - report.step);
        output.event({ event: "distill", ...report, wall_s: seconds });
        output.note(
          `step ${report.step}/${report.steps}  loss ${report.loss.toFixed(4)}  grad ${report.gradNorm.toFixed(2)}  lr ${report.learningRate.toExponential(1)}  ${(report.tokens / seconds).toFixed(0)} tok/s  eta ${(eta / 60).toFixed(1)} min`,
        );
      },
    });
    const tensors = unpackTensors(layoutParameters(start.config), shards);
    const generationConfig = {
      ...start.generationConfig,
      ...scopeEntries(task, completionTokens(task, stages, tokenizer)),
    };
    const files = modelFolderFiles({ ...start, tensors, generationConfig }, "F16");
    const storage = openDiskStorage(out);
    for (const [name, bytes] of Object.entries(files)) await storage.writeFile(name, bytes);
    const size = Object.values(files).reduce((sum, bytes) => sum + bytes.byteLength, 0);
    output.print(`Wrote ${out} (${mib(size)})`);
    output.event({ event: "summary", out, bytes: size, steps, wall_s: (performance.now() - from) / 1000 });
    gpu.destroy();
    return 0;
  },
};

function makeStages(
  task: Task,
  preset: DistillPreset,
  steps: number,
  teacher: Record<string, unknown>,
  seed: number,
): DistillStage[] {
  let left = steps;
  return preset.teachers.map(({ share, options }, i) => {
    const count = i === preset.teachers.length - 1 ? left : Math.round(steps * share);
    left -= count;
    return { teacher: task.teacher!({ ...options, ...teacher }, seed), steps: count };
  });
}

/** Tokens of the longest trace, with room up to the next multiple of eight: how long answers may get later. */
function completionTokens(task: Task, stages: readonly DistillStage[], tokenizer: Tokenizer): number {
  const lengths = stages.flatMap(({ teacher }) =>
    Array.from(
      { length: MEASURED_TRACES },
      (_, i) => tokenizer.encode(teacher.trace(task.sample(i), i).completion).length,
    ),
  );
  return Math.ceil(Math.max(...lengths) / 8) * 8;
}

async function freshModel(task: Task, shape: Record<string, number>, seed: number) {
  const files = buildCharTokenizer(task.vocabulary!());
  const tokenizer = await loadTokenizer(files);
  const config = smallLlamaConfig({
    vocabSize: Math.ceil(tokenizer.vocabSize / 4) * 4,
    width: shape.width ?? 128,
    layers: shape.layers ?? 2,
    heads: shape.heads ?? 4,
    kvHeads: shape.kvHeads ?? shape.heads ?? 4,
    mlpWidth: shape.mlpWidth ?? 344,
    maxPositions: shape.maxPositions ?? 256,
    eosId: tokenizer.eosIds[0],
    padId: tokenizer.padId,
  });
  return { config, tensors: freshWeights(config, seed), ...files };
}

/** `--set teacher.KEY=VALUE`, `task.KEY=VALUE`, `model.KEY=VALUE`. */
function readSettings(sets: readonly string[]) {
  const settings: {
    teacher: Record<string, unknown>;
    task: Record<string, unknown>;
    model: Record<string, number>;
  } = { teacher: {}, task: {}, model: {} };
  for (const set of sets) {
    const found = /^(teacher|task|model)\.(\w+)=(.*)$/.exec(set);
    if (!found) {
      throw new ConfigError("config/bad-set", `Cannot read --set ${set}`, {
        hint: "Write teacher.KEY=VALUE, task.KEY=VALUE or model.KEY=VALUE.",
      });
    }
    let value: unknown = found[3];
    try {
      value = JSON.parse(found[3]);
    } catch {
      // Not JSON: the text stands for itself.
    }
    settings[found[1] as "teacher"][found[2]] = value;
  }
  return settings;
}
