/** `export`: a model as files that other programs load, an ONNX file held against our own output. Deno only. */
import { existsSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { readModelName } from "../../config/model_name.ts";
import type { ModelFiles, ModelText } from "../../data/source.ts";
import { loadAllWeights } from "../../data/weights_handle.ts";
import { ConfigError } from "../../errors.ts";
import { decoderGraph } from "../../export/onnx_decoder.ts";
import { joinWeights, packOnnx, type WeightPiece, weightsLength } from "../../export/onnx_file.ts";
import { OnnxPolicy } from "../../export/onnx_policy.ts";
import { type Comparison, comparePolicy, greedyTokens, randomPrompts } from "../../export/verify.ts";
import { openGpu } from "../../gpu/device.ts";
import { adapterFolderFiles } from "../../model/adapters/peft.ts";
import { openDiskStorage } from "../../runs/disk.ts";
import { modelFolderFiles, modelTextFiles, type WeightDtype } from "../../runs/model_folder.ts";
import { loadTokenizer } from "../../text/tokenizer.ts";
import type { Arguments, Command, CommandContext } from "../command.ts";
import { openModel, openPolicy } from "../models.ts";
import { exportSpec } from "../options.ts";

type ExportArguments = Arguments<typeof exportSpec.options>;

/** Tokens after each prompt that must be the same, where the model has room for them. */
const VERIFIED_TOKENS = 64;
/** Bytes of weights that onnxruntime-web has been seen to load, and some more: it has 4 GiB. */
const LARGEST_VERIFIED = 3 * 2 ** 30;
/** Of one write; more than 2 GiB at once is refused by file systems' calls. */
const WRITE_BYTES = 2 ** 26;

export const command: Command<typeof exportSpec.options> = {
  ...exportSpec,
  async run(args, context) {
    checkFlags(args);
    const source = await openModel(args.model, context);
    const out = resolve(context.cwd, args.out);
    if (resolve(source.where) === out)
      throw refusal(`${out} is the model's own folder`, "name another `--out`");
    if (existsSync(join(out, "state.json")))
      throw refusal(`${out} is a run's checkpoint, which other files would spoil`, "name another `--out`");
    const policy = await openPolicy(args.model, context);
    if (args.format === "peft") {
      report(context, out, await writeFiles(out, adapterFiles(policy, (args.dtype ?? "F32") as WeightDtype)));
      return 0;
    }
    const model = await loadAllWeights(policy);
    if (args.format === "onnx") return await exportOnnx(model, out, args, context);
    const files = modelFolderFiles(model, (args.dtype ?? "F32") as WeightDtype);
    report(context, out, await writeFiles(out, files));
    return 0;
  },
};

/**
 * The policy's own adapters as a PEFT folder; those of a model that it started from are not in it. Other programs do not know
 * our names: a policy of the project is named by its folder.
 */
function adapterFiles(policy: ModelText, dtype: WeightDtype): Record<string, Uint8Array> {
  const adapter = policy.adapters?.at(-1);
  if (!adapter)
    throw refusal("this policy has no adapters, its weights were trained themselves", "write `--format hf`");
  const { baseModel } = adapter;
  const handle = policy.source?.handle;
  const ours = baseModel !== null && readModelName(baseModel).kind === "builtin";
  const named = ours && handle?.kind === "folder" ? handle.path : baseModel;
  return { ...adapterFolderFiles({ ...adapter, baseModel: named }, dtype), ...modelTextFiles(policy) };
}

function refusal(what: string, hint: string): ConfigError {
  return new ConfigError("cli/bad-export", `Cannot export: ${what}`, { hint });
}

function checkFlags({ format, dtype, noVerify, prompt, out }: ExportArguments): void {
  if (format === "onnx" && dtype !== undefined && dtype !== "F32") {
    throw refusal(
      `an ONNX file in ${dtype} is not written, its weights are F32`,
      "leave `--dtype` out, or write `--format hf`",
    );
  }
  if (format !== "onnx" && (noVerify || prompt.length > 0)) {
    throw refusal("`--no-verify` and `--prompt` belong to `--format onnx`", "leave them out");
  }
  if (format !== "onnx" && out.endsWith(".onnx")) {
    throw refusal(`\`${out}\` is no name for a folder`, "write `--format onnx`, or name a folder");
  }
}

/** A file ending in .onnx is written alone; a folder also gets the config and the tokenizer, as transformers.js wants it. */
async function exportOnnx(
  model: ModelFiles,
  out: string,
  args: ExportArguments,
  context: CommandContext,
): Promise<number> {
  const alone = out.endsWith(".onnx");
  const file = alone ? out : join(out, "onnx", "model.onnx");
  const weightsName = `${basename(file)}_data`;
  const prompts = await readPrompts(args.prompt, model);
  const { model: bytes, weights } = await packOnnx(decoderGraph(model.config, model.tensors), weightsName);
  let size = 0;
  if (!alone) {
    const { "model.safetensors": _, ...texts } = modelFolderFiles({
      ...model,
      config: weights ? withExternalWeights(model) : model.config,
      tensors: new Map(),
    });
    size += await writeFiles(out, texts);
  }
  if (weights) size += await writeWeights(join(dirname(file), weightsName), weights, context);
  size += await writeFiles(dirname(file), { [basename(file)]: bytes });
  report(context, out, size);
  if (args.noVerify) return 0;
  if (weights && weightsLength(weights) > LARGEST_VERIFIED) {
    context.output.note("Not verified: onnxruntime-web has 4 GiB of memory, too little for these weights");
    return 0;
  }
  const beside = weights ? [{ path: weightsName, data: joinWeights(weights) }] : [];
  const policy = await OnnxPolicy.open(bytes, model.config, beside);
  return await verify(policy, model, prompts, context);
}

const verifiedTokens = ({ config }: ModelFiles) =>
  Math.max(1, Math.min(VERIFIED_TOKENS, config.maxPositions - 1));

async function readPrompts(texts: readonly string[], model: ModelFiles): Promise<number[][]> {
  const count = verifiedTokens(model);
  if (texts.length === 0) return randomPrompts(model.config, count);
  const tokenizer = await loadTokenizer({ ...model, modelConfig: model.config.raw });
  return texts.map((text) => {
    const ids = [...tokenizer.encode(text)];
    const room = model.config.maxPositions - count;
    if (ids.length >= 1 && ids.length <= room) return ids;
    throw new ConfigError(
      "cli/bad-prompt",
      `Cannot verify with a prompt of ${ids.length} tokens: 1 to ${room} leave room for ${count} more`,
      { hint: "give another `--prompt`, or none" },
    );
  });
}

/** Compares with our own output and gives the exit code: 0 where every token is the same. */
async function verify(
  policy: OnnxPolicy,
  model: ModelFiles,
  prompts: readonly number[][],
  { output, interrupt }: CommandContext,
): Promise<number> {
  const count = verifiedTokens(model);
  output.note(
    `Verifying ${count} greedy tokens after ${prompts.length === 1 ? "1 prompt" : `${prompts.length} prompts`} …`,
  );
  const gpu = await openGpu({ label: "export" });
  try {
    const ours = await greedyTokens(gpu, model, prompts, count, interrupt.signal);
    const comparisons = await comparePolicy(policy, prompts, ours);
    for (const [i, comparison] of comparisons.entries()) {
      output.print(`prompt ${i + 1}, ${comparison.prompt.length} tokens: ${verdict(comparison)}`);
      output.event({ event: "verified", ...comparison });
    }
    return comparisons.every(({ difference }) => difference === null) ? 0 : 1;
  } finally {
    gpu.destroy();
    await policy.release();
  }
}

function verdict({ ours, theirs, difference }: Comparison): string {
  if (!difference) return `all ${ours.length} greedy tokens the same in onnxruntime-web and here`;
  const { at, gap } = difference;
  const nearTie = gap < 1e-3 ? ", a near tie that rounding decides" : "";
  return `token ${at + 1} is ${theirs[at]} in onnxruntime-web and ${ours[at]} here (logits ${gap.toPrecision(2)} apart${nearTie})`;
}

/** What transformers.js reads to find the weights. */
function withExternalWeights({ config }: ModelFiles): ModelFiles["config"] {
  return { ...config, raw: { ...config.raw, "transformers.js_config": { use_external_data_format: true } } };
}

/** Writes files into a folder and gives their bytes. */
async function writeFiles(folder: string, files: Record<string, Uint8Array>): Promise<number> {
  const storage = openDiskStorage(folder);
  for (const [name, bytes] of Object.entries(files)) await storage.writeFile(name, bytes);
  return Object.values(files).reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** Writes the file of weights piece by piece, under its name when it is whole. */
async function writeWeights(
  path: string,
  weights: readonly WeightPiece[],
  { interrupt }: CommandContext,
): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  const handle = await open(part, "w");
  try {
    for (const { offset, bytes } of weights) {
      for (let from = 0; from < bytes.byteLength; ) {
        interrupt.signal.throwIfAborted();
        const length = Math.min(WRITE_BYTES, bytes.byteLength - from);
        from += (await handle.write(bytes, from, length, offset + from)).bytesWritten;
      }
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, path);
  return weightsLength(weights);
}

function report({ output }: CommandContext, out: string, bytes: number): void {
  output.print(`Wrote ${out} (${(bytes / 2 ** 20).toFixed(1)} MiB)`);
  output.event({ event: "exported", out, bytes });
}
