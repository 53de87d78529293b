/** The flags of the commands about this machine rather than a run: what it has, what it can, what lies on it. */
import { define, json, requiredModel, set } from "./shared_options.ts";

export const modelsSpec = define({
  name: "models",
  summary: "List downloaded models, fetch one, remove one",
  examples: [
    { line: "npm run models", does: "what has been downloaded, and where it lies" },
    { line: "npm run models -- --get HuggingFaceTB/SmolLM2-135M-Instruct", does: "download it now" },
    { line: "npm run models -- --remove HuggingFaceTB/SmolLM2-135M-Instruct", does: "give the space back" },
  ],
  options: {
    get: {
      type: "text",
      placeholder: "ID",
      description: "Download this model, or go on with it: owner/name[@revision]",
    },
    remove: { type: "text", placeholder: "ID", description: "Remove this model: owner/name" },
    json,
  },
});

export const doctorSpec = define({
  name: "doctor",
  summary: "Say what this machine can do, what is missing, and the command that mends it",
  examples: [
    { line: "npm run doctor", does: "adapter, limits, kernels' self-test, measured peaks" },
    {
      line: "npm run doctor -- --model OWNER/NAME --quick",
      does: "whether training it fits, and what would",
    },
  ],
  options: {
    model: {
      ...requiredModel,
      required: undefined,
      description: "Also say what training this model takes, without downloading its weights",
    },
    recipe: {
      type: "text",
      placeholder: "NAME|FILE",
      description: "Recipe to train by; the default one otherwise",
    },
    set,
    quick: { type: "flag", description: "Skip the self-test and the measurements" },
    json,
  },
});

export const benchSpec = define({
  name: "bench",
  summary: "Measure kernels and whole steps against this adapter's peaks",
  examples: [
    { line: "npm run bench", does: "a table of GFLOP/s, GB/s and tokens per second" },
    { line: "npm run bench -- --only linear --json", does: "some kernels, as JSON" },
    { line: "npm run bench -- --browser", does: "the same in Chrome, on its adapter" },
  ],
  options: {
    only: {
      type: "text",
      placeholder: "TEXT",
      description: "Only the kernels and steps whose name contains this",
    },
    model: {
      ...requiredModel,
      required: undefined,
      description: "Model whose shapes are measured; the built-in one otherwise",
    },
    repeats: {
      type: "integer",
      default: 5,
      min: 1,
      max: 10000,
      placeholder: "N",
      description: "Timed runs of each, the median counts",
    },
    browser: { type: "flag", description: "Measure in Chrome or Chromium instead of under Deno" },
    json,
  },
});
