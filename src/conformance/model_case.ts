/**
 * A whole model against its vectors: logits, log-probabilities and entropies, then every loss with its gradient norm and,
 * where they are given, all gradients. What runs is what trains: Policy, batches and packing of the trainer, LossPass.
 */
import { loadModelFiles } from "../data/source.ts";
import { DataError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import { Recorder } from "../gpu/recorder.ts";
import { headBlock } from "../model/head.ts";
import { packTensors, unpackTensors } from "../model/layout.ts";
import { encodeLinear } from "../model/linear.ts";
import { Policy } from "../model/policy.ts";
import { type BatchObjective, gatherMicroBatch, inputLengths } from "../trainer/batch.ts";
import { LossPass, lossKernels } from "../trainer/losses/loss_pass.ts";
import type { LossSettings, PolicyLoss } from "../trainer/losses/policy_loss.ts";
import { SUMMARY_WIDTH, totalLoss } from "../trainer/losses/totals.ts";
import { packSequences } from "../trainer/packing.ts";
import { type LossBatch, lossBatch, packRows, readSequences, type Sequence } from "./batch.ts";
import { type CaseResult, type Check, failedCase, judge, largest, onePlus } from "./compare.ts";
import { type LossFile, namedLoss } from "./loss_names.ts";
import { GRADIENT } from "./tolerances.ts";
import { readVectors, type VectorSource, Vectors } from "./vectors.ts";

/** Loss-like numbers after a few f32 layers: relative and absolute. */
const LOSS = 1e-5;

interface ModelRun {
  /** Path of the model's folder. */
  path: string;
  source: VectorSource;
  policy: Policy;
  forward: Vectors;
  sequences: Sequence[];
}

/** Checks the model in folder `path`. @throws DataError where its files cannot be used, GpuLimitError */
export async function* runModelCase(
  gpu: Gpu,
  source: VectorSource,
  path: string,
): AsyncGenerator<CaseResult> {
  const files = await loadModelFiles(modelSource(source, path));
  const forward = await readVectors(source, `${path}/forward.safetensors`);
  const sequences = readSequences(forward);
  const longest = Math.max(...sequences.map(({ tokens }) => tokens.length));
  const rows = sequences.reduce((sum, { tokens }) => sum + tokens.length, 0);
  using policy = await Policy.create(gpu, { config: files.config, capacity: rows, maxPositions: longest });
  const run: ModelRun = { path, source, policy, forward, sequences };
  policy.weights.write(packTensors(policy.decoder.layout, files.tensors));
  yield judge(`${path} logits`, [await logitsCheck(run)]);
  yield* supervisedCases(run);
  yield* lossCases(run);
  const { loss } = await readLosses(source, path);
  for (const file of await source.list(path)) {
    const name = /^grad-(.+)\.safetensors$/.exec(file)?.[1];
    if (name !== undefined && !Object.hasOwn(loss, name))
      yield failedCase(`${path} gradients ${name}`, "losses.json does not have that loss");
  }
}

function modelSource(source: VectorSource, path: string) {
  return {
    where: `${source.where}/${path}`,
    read: (name: string) => source.read(`${path}/${name}`),
    list: () => source.list(path),
  };
}

/** Logits of every position, from the hidden states that the head normalises and by the head's own tiles. */
async function logitsCheck({ policy, forward, sequences }: ModelRun): Promise<Check> {
  const { gpu, head, decoder, weights } = policy;
  const { vocabSize: vocab, width } = decoder.config;
  const batch = packRows(sequences, false);
  const rows = batch.tokens.length;
  policy.load(batch);
  policy.forward(1);
  policy.recorder.submit();
  const got = new Float32Array(rows * vocab);
  const recorder = new Recorder(gpu, "logits");
  using logits = gpu.buffer("logits", rows * head.tile);
  for (const { view: weight, start, rows: tile } of weights.tiles(headBlock(decoder.config), head.tile)) {
    encodeLinear(
      recorder,
      { x: head.normed, weight, bias: null, y: logits },
      { rows, outputs: tile, inputs: width },
    );
    recorder.submit();
    const part = await logits.readFloats(0, rows * tile);
    for (let n = 0; n < rows; n++) got.set(part.subarray(n * tile, (n + 1) * tile), n * vocab + start);
  }
  const want = forward.exact("logits");
  const rowScales = Float64Array.from({ length: rows }, (_, n) =>
    largest(Float64Array.from({ length: vocab }, (_, v) => want[n * vocab + v])),
  );
  // Matrix products one after another: relative to the row's largest logit.
  return { name: "logits", got, want, scale: (i) => rowScales[Math.floor(i / vocab)], tolerance: LOSS };
}

/** Log-probabilities and entropies of all next tokens, and the gradient of their mean negative log-likelihood. */
async function* supervisedCases(run: ModelRun): AsyncGenerator<CaseResult> {
  const { path, source, policy, forward, sequences } = run;
  const batch = packRows(sequences, true);
  const rows = batch.tokens.length;
  using gradient = policy.gpu.bufferFrom("gradient", new Float32Array(rows).fill(-1 / rows));
  policy.load(batch);
  policy.forward(1);
  policy.accumulate(gradient, 1);
  policy.recorder.submit();
  const logprobs = await policy.head.logprobs.readFloats(0, rows);
  const entropy = await policy.head.entropy.readFloats(0, rows);
  for (const [name, tensor, got] of [
    ["token log-probabilities", "token_logprobs", logprobs],
    ["entropies", "entropy", entropy],
  ] as const) {
    const want = forward.exact(tensor);
    yield judge(`${path} ${name}`, [{ name: tensor, got, want, scale: onePlus(want), tolerance: LOSS }]);
  }
  const losses = await readLosses(source, path);
  if (Object.hasOwn(losses.loss, "sft")) {
    const loss = -logprobs.reduce((sum, value) => sum + value, 0) / rows;
    yield* oneLoss(run, losses, "sft", loss);
  } else yield failedCase(`${path} loss sft`, "losses.json does not have it");
}

/** Every policy loss that the file lists. */
async function* lossCases(run: ModelRun): AsyncGenerator<CaseResult> {
  const { path, source, sequences } = run;
  const losses = await readLosses(source, path);
  let advantages: Check | null = null;
  for (const name of Object.keys(losses.loss)) {
    if (name === "sft") continue;
    const named = namedLoss(name, losses);
    if (!named) {
      yield failedCase(`${path} loss ${name}`, "no policy loss of that name");
      continue;
    }
    const objective: BatchObjective = {
      advantage: "magistral",
      weight: named.loss.weight,
      maxCompletionTokens: losses.dr_grpo_max_len,
    };
    const minibatch = lossBatch(sequences, objective);
    if (!advantages) {
      const want = minibatch.advantages;
      advantages = {
        name: "advantages",
        got: minibatch.batch.advantages,
        want,
        scale: onePlus(want),
        tolerance: LOSS,
      };
      yield judge(`${path} advantages`, [advantages]);
    }
    yield* oneLoss(run, losses, name, await accumulateLoss(run.policy, named, minibatch));
  }
}

/** Records and submits the gradient of a loss over micro-batches; gives its value. */
async function accumulateLoss(
  policy: Policy,
  { loss, settings }: { loss: PolicyLoss; settings: LossSettings },
  { batch, refLogprobs }: LossBatch,
): Promise<number> {
  const { gpu } = policy;
  await gpu.compile(lossKernels(loss, settings));
  const lengths = inputLengths(batch);
  // At least two micro-batches wherever there are two sequences.
  const capacity = Math.max(...lengths, Math.ceil(lengths.reduce((sum, one) => sum + one, 0) / 2));
  const plan = packSequences(lengths, capacity);
  using pass = new LossPass(gpu, loss, settings, {
    tokens: capacity,
    sequences: lengths.length,
    minibatchSequences: lengths.length,
  });
  let firstSequence = 0;
  for (const sequences of plan.microBatches) {
    const micro = gatherMicroBatch(batch, sequences);
    const reference = sequences.flatMap((i) => [
      ...refLogprobs.subarray(batch.completionOffsets[i], batch.completionOffsets[i + 1]),
    ]);
    using offsets = gpu.bufferFrom("offsets", micro.completionOffsets);
    using oldLogprob = gpu.bufferFrom("old logprobs", micro.generatorLogprobs);
    using refLogprob = gpu.bufferFrom("reference logprobs", Float32Array.from(reference));
    using advantage = gpu.bufferFrom("advantages", micro.advantages);
    using weight = gpu.bufferFrom("token weights", micro.weights);
    policy.load(micro);
    policy.forward(1);
    const { logprobs: logprob, entropy } = policy.head;
    pass.encode(
      policy.recorder,
      { offsets, logprob, oldLogprob, refLogprob, advantage, weight, entropy },
      { sequences: sequences.length, tokens: micro.targets.length, firstSequence },
    );
    policy.accumulate(pass.grad, 1);
    policy.recorder.submit();
    await gpu.idle();
    firstSequence += sequences.length;
  }
  return totalLoss(await pass.summary.readFloats(0, SUMMARY_WIDTH * firstSequence), firstSequence).loss;
}

/** Judges value, gradient norm and, where there is a file of them, gradients; leaves the gradients zeroed. */
async function* oneLoss(
  run: ModelRun,
  losses: LossFile,
  name: string,
  value: number,
): AsyncGenerator<CaseResult> {
  const { path, source, policy } = run;
  const gradients = unpackTensors(policy.decoder.layout, await policy.gradients.read(policy.gpu));
  // A step of length 0: the norm as training takes it, weights untouched, gradients zeroed.
  const still = { learningRate: 0, beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0 };
  policy.update({ ...still, maxGradNorm: Number.POSITIVE_INFINITY }, 1);
  policy.recorder.submit();
  const norm = await policy.norm.readFloats(0, 1);
  const [wantValue, wantNorm] = [[losses.loss[name]], [losses.grad_norm[name] ?? Number.NaN]];
  yield judge(`${path} loss ${name}`, [
    { name: "loss", got: [value], want: wantValue, scale: onePlus(wantValue), tolerance: LOSS },
  ]);
  yield judge(`${path} gradient norm ${name}`, [
    { name: "grad_norm", got: norm, want: wantNorm, scale: largest(wantNorm), tolerance: GRADIENT },
  ]);
  const bytes = await source.read(`${path}/grad-${name}.safetensors`);
  if (bytes !== null) yield judge(`${path} gradients ${name}`, gradientChecks(new Vectors(bytes), gradients));
}

function gradientChecks(vectors: Vectors, gradients: ReadonlyMap<string, { data: Float32Array }>): Check[] {
  const checks = vectors.names.map((name): Check => {
    const want = vectors.exact(name);
    const got = gradients.get(name)?.data ?? new Float32Array(0);
    return { name, got, want, scale: largest(want), tolerance: GRADIENT };
  });
  const unknown = [...gradients.keys()].filter((name) => !vectors.names.includes(name));
  // A parameter that the vectors leave out is an empty tensor to them.
  return [...checks, ...unknown.map((name) => ({ name, got: [0], want: [], scale: 1, tolerance: GRADIENT }))];
}

async function readLosses(source: VectorSource, path: string): Promise<LossFile> {
  const bytes = await source.read(`${path}/losses.json`);
  const bad = (cause?: unknown) =>
    new DataError(
      "conformance/bad-vectors",
      `Cannot read ${path}/losses.json: losses, norms and clip are needed`,
      {
        cause,
      },
    );
  if (bytes === null) throw bad();
  let file: LossFile;
  try {
    file = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw bad(cause);
  }
  if (!file?.loss || !file.grad_norm || typeof file.clip?.high !== "number") throw bad();
  return file;
}
