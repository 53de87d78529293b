/** `distill`: a small policy that imitates an imperfect teacher, written as a Hugging Face folder. Deno only. */

import { resolve } from "node:path";
import { loadModelFiles } from "../../data/source.ts";
import { ConfigError } from "../../errors.ts";
import { mib, openGpu } from "../../gpu/device.ts";
import { countParameters } from "../../model/config.ts";
import { layoutParameters, unpackTensors } from "../../model/layout.ts";
import { checkModelFolder, openDiskStorage } from "../../runs/disk.ts";
import { modelFolderFiles } from "../../runs/model_folder.ts";
import type { Task } from "../../tasks/api.ts";
import { makeTask, TASKS } from "../../tasks/registry.ts";
import { scopeEntries } from "../../tasks/scope.ts";
import { loadTokenizer } from "../../text/tokenizer.ts";
import { type DistillStage, distill, longestTrace } from "../../trainer/distill.ts";
import type { Command } from "../command.ts";
import { freshPolicy } from "../distill_start.ts";
import { openModel } from "../models.ts";
import { distillSpec } from "../options.ts";

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
        hint: `Give it one as CONTRIBUTING.md says, or choose among ${TASKS.map(({ name }) => name).join(", ")}.`,
      });
    }
    const steps = args.steps ?? preset.steps;
    const stages = makeStages(task, preset, steps, settings.teacher, seed);
    const batchSize = args.batchSize ?? 128;
    const start =
      args.model === undefined
        ? await freshPolicy(task, settings.model, seed)
        : await loadModelFiles(await openModel(args.model, context));
    if (args.model !== undefined && Object.keys(settings.model).length > 0) {
      throw new ConfigError(
        "config/contradiction",
        "Cannot change the shape of a policy that is gone on from",
        {
          hint: "Leave `--set model.…` out, or leave `--model` out to begin with fresh weights.",
        },
      );
    }
    const tokenizer = await loadTokenizer(start);
    const longest = longestTrace({ task, tokenizer }, stages);
    if (longest.whole > start.config.maxPositions) {
      throw new ConfigError(
        "config/contradiction",
        `Cannot distil traces of ${longest.whole} tokens into a policy of ${start.config.maxPositions} positions`,
        {
          hint: "Give a fresh policy more by `--set model.maxPositions=N`, or make the task's problems shorter.",
        },
      );
    }
    const out = resolve(cwd, args.out);
    await checkModelFolder(out);
    const gpu = await openGpu({ label: "distill" });
    output.note(
      `Distilling ${args.task} into ${countParameters(start.config).toLocaleString("en")} parameters on ${gpu.adapterName}: ${steps} steps of ${batchSize} traces`,
    );
    const from = performance.now();
    const distilled = await distill(gpu, {
      config: start.config,
      tensors: start.tensors,
      tokenizer,
      task,
      stages,
      longest: longest.whole,
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
    const tensors = unpackTensors(layoutParameters(start.config), distilled.shards);
    const generationConfig = {
      ...start.generationConfig,
      ...scopeEntries(task, longest.completion),
    };
    const files = modelFolderFiles({ ...start, tensors, generationConfig }, "F16");
    const storage = openDiskStorage(out);
    for (const [name, bytes] of Object.entries(files)) await storage.writeFile(name, bytes);
    const size = Object.values(files).reduce((sum, bytes) => sum + bytes.byteLength, 0);
    const cut = distilled.steps < steps ? ` after ${distilled.steps} of ${steps} steps` : "";
    output.print(`Wrote ${out} (${mib(size)})${cut}`);
    output.event({
      event: "summary",
      out,
      bytes: size,
      steps: distilled.steps,
      wall_s: (performance.now() - from) / 1000,
    });
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

/** `--set teacher.KEY=VALUE`, `task.KEY=VALUE`, `model.KEY=VALUE`. */
function readSettings(sets: readonly string[]) {
  const settings: {
    teacher: Record<string, unknown>;
    task: Record<string, unknown>;
    model: Record<string, unknown>;
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
