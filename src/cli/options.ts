/** The flags of every command: the single table that parsing, `--help` and the bodies' argument types come from. */
import type { CommandSpec } from "./command.ts";
import { benchSpec, doctorSpec, modelsSpec } from "./machine_options.ts";
import {
  define,
  dtype,
  json,
  maxTokens,
  requiredModel,
  seed,
  set,
  stop,
  temperature,
} from "./shared_options.ts";

export { benchSpec, doctorSpec, modelsSpec };

export const trainSpec = define({
  name: "train",
  summary: "Improve a policy by asynchronous GRPO and show that it got better",
  onInterrupt: "Finishing this step and saving",
  examples: [
    { line: "npm run train", does: "the built-in policy and recipe, evaluated before and after" },
    { line: "npm run train -- --recipe smoke --json", does: "a short run, one JSON object a step" },
    {
      line: "npm run train -- --set trainer.learningRate=1e-4 --seed 1",
      does: "one setting changed, another seed",
    },
    { line: "npm run train -- --model DIR --data problems.jsonl", does: "your own model and problems" },
    {
      line: "npm run train -- --model OWNER/NAME --recipe gsm8k --dry-run",
      does: "what a run would take, before any weights are downloaded",
    },
    { line: "npm run train -- --resume runs/NAME", does: "go on from the newest checkpoint" },
  ],
  options: {
    recipe: {
      type: "text",
      placeholder: "NAME|FILE",
      description: "Recipe by name (public/recipes) or file",
    },
    model: {
      ...requiredModel,
      required: undefined,
      description: `${requiredModel.description}; the recipe's otherwise`,
    },
    data: {
      type: "text",
      placeholder: "FILE",
      description: "JSONL or Parquet file of problems instead of the recipe's task, or hub:owner/name/path",
    },
    set,
    seed,
    steps: { type: "integer", min: 1, max: 1000000, placeholder: "N", description: "Batches to train on" },
    out: {
      type: "text",
      placeholder: "DIR",
      description: "Run directory; a fresh one under runs/ otherwise",
    },
    resume: { type: "text", placeholder: "DIR", description: "Go on with the run in this directory" },
    dryRun: { type: "flag", description: "Print the resolved recipe and its memory, then stop" },
    fit: {
      type: "flag",
      description: "Change settings where the run would not fit into memory, as little as it takes",
    },
    json,
  },
  showsSettings: true,
});

export const evalSpec = define({
  name: "eval",
  summary: "Measure pass@1, pass@k and maj@k of a model",
  examples: [
    {
      line: "npm run eval -- --model builtin:chain-sum --task chain_sum",
      does: "the policy that ships with the project",
    },
    {
      line: "npm run eval -- --model runs/NAME/checkpoints/step-000030 --data test.jsonl --samples 8",
      does: "a checkpoint on a file",
    },
    {
      line: "npm run eval -- --model DIR --recipe gsm8k --data hub:openai/gsm8k/main/test-00000-of-00001.parquet",
      does: "a file of the hub, its rows asked as the recipe asks its own",
    },
  ],
  options: {
    model: requiredModel,
    task: { type: "text", placeholder: "NAME", description: "Task whose held-out problems are asked" },
    data: {
      type: "text",
      placeholder: "FILE",
      description: "JSONL or Parquet file of problems, or hub:owner/name/path; all of them are asked",
    },
    recipe: {
      type: "text",
      placeholder: "NAME|FILE",
      description: "Recipe that says how the rows of `--data` are asked",
    },
    samples: {
      type: "integer",
      default: 8,
      min: 1,
      max: 1024,
      placeholder: "K",
      description: "Completions of each problem",
    },
    temperature: { ...temperature, default: 1 },
    maxTokens,
    stop,
    dtype,
    limit: {
      type: "integer",
      min: 1,
      max: 10000000,
      placeholder: "N",
      description: "Ask the first N problems only",
    },
    seed,
    json,
  },
});

export const generateSpec = define({
  name: "generate",
  summary: "Let a model complete a prompt",
  examples: [
    {
      line: 'npm run generate -- --model builtin:chain-sum --prompt "7 + 9 - 5 ="',
      does: "text streams to stdout",
    },
    {
      line: "npm run generate -- --model DIR --prompt-ids 1,2,3 --temperature 0 --ids",
      does: "token ids in, token ids out",
    },
  ],
  options: {
    model: requiredModel,
    prompt: { type: "text", placeholder: "TEXT", mayBeEmpty: true, description: "Prompt as text" },
    promptIds: { type: "ids", placeholder: "1,2,3", description: "Prompt as token ids" },
    temperature: { ...temperature, default: 1 },
    topK: {
      type: "integer",
      default: 0,
      min: 0,
      max: 65536,
      placeholder: "K",
      description: "Sample among the K most probable tokens; 0: all",
    },
    topP: {
      type: "number",
      default: 1,
      min: 1e-6,
      max: 1,
      placeholder: "P",
      description: "Sample within the smallest set of probability P",
    },
    minP: {
      type: "number",
      default: 0,
      min: 0,
      max: 1,
      placeholder: "P",
      description: "Drop tokens below P times the most probable one",
    },
    maxTokens,
    stop,
    dtype,
    samples: {
      type: "integer",
      default: 1,
      min: 1,
      max: 1024,
      placeholder: "N",
      description: "Completions of the prompt",
    },
    seed,
    ids: {
      type: "flag",
      description: "Print each completion's token ids as one JSON array and nothing else",
    },
    json,
  },
});

export const distillSpec = define({
  name: "distill",
  summary: "Make a small policy by supervised learning from an imperfect teacher",
  onInterrupt: "Finishing this step and saving",
  examples: [
    {
      line: "npm run distill -- --task chain_sum --out my-policy",
      does: "the way the built-in policy was made",
    },
  ],
  options: {
    task: {
      type: "text",
      required: true,
      placeholder: "NAME",
      description: "Task whose teacher writes the traces",
    },
    out: {
      type: "text",
      required: true,
      placeholder: "DIR",
      description: "Folder for the policy, in Hugging Face layout",
    },
    model: {
      ...requiredModel,
      required: undefined,
      description: "Policy to go on from; fresh weights otherwise",
    },
    steps: { type: "integer", min: 1, max: 10000000, placeholder: "N", description: "Optimiser steps" },
    batchSize: { type: "integer", min: 1, max: 65536, placeholder: "N", description: "Traces in a step" },
    learningRate: { type: "number", min: 0, max: 1, placeholder: "R", description: "Peak learning rate" },
    set: { ...set, description: "Change one option of the teacher or the model, any number of times" },
    seed,
    json,
  },
});

export const conformanceSpec = define({
  name: "conformance",
  summary: "Check the WebGPU implementation against a directory of vectors",
  examples: [
    { line: "npm run conformance -- path/to/vectors", does: "case, largest error, tolerance, pass or fail" },
  ],
  positionals: [{ name: "dir", required: true, description: "Directory of vectors" }],
  options: {
    only: { type: "text", placeholder: "TEXT", description: "Only the cases whose name contains this" },
    json,
  },
});

export const recordSpec = define({
  name: "record",
  summary: "Make one file of a run, which the page plays, and a folder of its policy, which it asks",
  examples: [
    { line: "npm run record -- --run runs/NAME", does: "the recording that ships with the page, made anew" },
    {
      line: "npm run record -- --run runs/NAME --out my_run.json --groups 8",
      does: "another one, with more rollouts",
    },
  ],
  options: {
    run: { type: "text", required: true, placeholder: "DIR", description: "Folder of a run" },
    out: {
      type: "text",
      placeholder: "FILE",
      description:
        "File to write, public/demo/run.json when not given; the policy goes into NAME_policy/ beside it",
    },
    groups: {
      type: "integer",
      min: 1,
      max: 4096,
      default: 3,
      placeholder: "N",
      description: "Groups of rollouts kept of each step",
    },
    json,
  },
});

export const exportSpec = define({
  name: "export",
  summary: "Write a model for other programs: ONNX, a Hugging Face or a PEFT folder",
  examples: [
    {
      line: "npm run export -- --model runs/NAME/checkpoints/step-000030 --format onnx --out my-policy",
      does: "a folder that transformers.js loads, held against our own output",
    },
    {
      line: "npm run export -- --model builtin:chain-sum --format onnx --out policy.onnx",
      does: "the ONNX file alone",
    },
    {
      line: "npm run export -- --model DIR --format hf --dtype BF16 --out my-policy",
      does: "a folder in Hugging Face layout, weights in half width",
    },
    {
      line: "npm run export -- --model runs/NAME/checkpoints/step-000030 --format peft --out my-adapters",
      does: "the adapters of a run with LoRA",
    },
  ],
  options: {
    model: requiredModel,
    format: {
      type: "text",
      required: true,
      choices: ["onnx", "hf", "peft"],
      placeholder: "onnx|hf|peft",
      description:
        "ONNX with a key/value cache, the Hugging Face layout (both with adapters merged), or adapters alone",
    },
    out: {
      type: "text",
      required: true,
      placeholder: "FILE|DIR",
      description: "Folder to write; with ONNX also a file ending in .onnx",
    },
    dtype: {
      type: "text",
      choices: ["F32", "F16", "BF16"],
      placeholder: "F32|F16|BF16",
      description: "Width of the weights with `--format hf` or `peft`; F32 when not given",
    },
    prompt: {
      type: "texts",
      placeholder: "TEXT",
      description: "Verify after this prompt, any number of times; random tokens otherwise",
    },
    noVerify: { type: "flag", description: "Skip the comparison of 64 greedy tokens in onnxruntime-web" },
    json,
  },
});

/** All commands of the command line, in the order in which help lists them. */
export const commandSpecs: readonly CommandSpec[] = [
  trainSpec,
  evalSpec,
  generateSpec,
  distillSpec,
  conformanceSpec,
  recordSpec,
  exportSpec,
  modelsSpec,
  doctorSpec,
  benchSpec,
];
