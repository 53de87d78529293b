/**
 * Generators whose matrices or whose cache are in f16. Sums are f32, so that f16 matrices must give exactly the model whose
 * weights were rounded; against the unrounded one the difference is bounded by what rounding can do.
 */
import { describe, expect, it, type TestContext } from "vitest";
import type { PromptGroup, SamplingOptions } from "../../src/generator/api.ts";
import { DecodePass, type DecodeRow } from "../../src/generator/decode_pass.ts";
import { GeneratorEngine } from "../../src/generator/engine.ts";
import { HALF_FORMS, type HalfForm } from "../../src/kernels/stored.ts";
import { ADAPTER_MODULES } from "../../src/model/adapters/config.ts";
import { freshAdapters } from "../../src/model/adapters/init.ts";
import { fromFloat16, toFloat16 } from "../../src/model/float16.ts";
import { freshWeights, smallLlamaConfig } from "../../src/model/init.ts";
import { packTensors } from "../../src/model/layout.ts";
import { memoryTensors } from "../../src/model/load.ts";
import type { MatrixPrecision } from "../../src/model/parameters.ts";
import { Policy } from "../../src/model/policy.ts";
import type { Rollout } from "../../src/rollout.ts";
import { makeTask } from "../../src/tasks/registry.ts";
import { loadTokenizer } from "../../src/text/tokenizer.ts";
import { drawToken, logProbability } from "../../src/ui/views/chat/distribution.ts";
import { expectClose, largest, normals } from "../gpu_harness.ts";
import { formGpu } from "../kernels/stored_forms.ts";
import { hasModel, tinyModel } from "../loop/tiny.ts";

const config = smallLlamaConfig({
  vocabSize: 32,
  width: 48,
  layers: 2,
  heads: 6,
  kvHeads: 2,
  mlpWidth: 100,
  maxPositions: 64,
  eosId: 1,
  padId: 0,
});
type Tensors = ReturnType<typeof freshWeights>;
interface Precisions {
  precision: MatrixPrecision;
  cachePrecision: MatrixPrecision;
}
const adapters = { rank: 4, alpha: 8, targets: ADAPTER_MODULES };
const sampling: SamplingOptions = { temperature: 0.7, topK: 0, topP: 1, minP: 0, maxTokens: 16, seed: 3 };

/** Matrices large enough for attention and the head to choose. */
function sharpWeights(): Tensors {
  const tensors = freshWeights(config, 5);
  for (const [name, tensor] of tensors)
    if (!name.includes("norm")) tensors.set(name, { ...tensor, data: tensor.data.map((x) => 4 * x) });
  return tensors;
}

/** What f16 keeps of the matrices; norms stay as they are. */
function rounded(tensors: Tensors): Tensors {
  const round = (data: Float32Array) => Float32Array.from(fromFloat16(toFloat16(data)));
  return new Map(
    [...tensors].map(([name, tensor]) => [
      name,
      name.includes("norm") ? tensor : { ...tensor, data: round(tensor.data) },
    ]),
  );
}

function group(groupId: number, size: number, length: number, settings = sampling): PromptGroup {
  return {
    groupId,
    problemId: `${groupId}`,
    taskId: "t",
    promptTokens: Uint32Array.from({ length }, (_, i) => 2 + ((groupId * 7 + i * 5) % 30)),
    rolloutIds: Uint32Array.from({ length: size }, (_, i) => groupId * 16 + i),
    sampling: settings,
  };
}

async function decodeAll(engine: GeneratorEngine, groups: PromptGroup[]): Promise<Rollout[]> {
  engine.admit(groups);
  const done: Rollout[] = [];
  while (engine.busy) done.push(...(await engine.advance()));
  return done.sort((a, b) => a.id - b.id);
}

/** Log-probabilities of a rollout's tokens by the trainer's forward pass. */
async function replay(policy: Policy, { promptTokens, completionTokens, temperature }: Rollout) {
  const tokens = Uint32Array.from([...promptTokens, ...completionTokens.slice(0, -1)]);
  policy.load({
    tokens,
    positions: tokens.map((_, i) => i),
    offsets: Uint32Array.of(0, tokens.length),
    rows: completionTokens.map((_, t) => promptTokens.length - 1 + t),
    targets: completionTokens,
  });
  policy.forward(temperature);
  policy.recorder.submit();
  return policy.head.logprobs.readFloats(0, completionTokens.length);
}

interface Step {
  token: number;
  logprob: number;
  /** (V) that the token was drawn from. */
  logits: Float32Array;
}

/** One completion, step by step, with the logits of each. Its tokens are `forced` where these are given. */
async function steps(
  form: HalfForm,
  context: TestContext,
  precisions: Precisions,
  forced: readonly number[] = [],
): Promise<Step[]> {
  const gpu = await formGpu(form, context);
  const options = { config, concurrency: 1, maxSequence: 64, decodeChunk: 1, eosIds: [], ...precisions };
  using pass = await DecodePass.create(gpu, options);
  pass.weights.write(packTensors(pass.weights.layout, sharpWeights()));
  const { promptTokens: prompt } = group(3, 1, 21);
  const taken: Step[] = [];
  for (let k = 0; k < sampling.maxTokens; k++) {
    const completion = taken.map(({ token }, i) => forced[i] ?? token);
    const row: DecodeRow = {
      rolloutId: 0,
      slot: 0,
      prompt,
      completion,
      token: completion[k - 1] ?? 0,
      position: prompt.length + k - 1,
      produced: k,
    };
    pass.load([row], sampling.maxTokens);
    if (k === 0) pass.prefill([{ tokens: prompt, slots: [0] }], [row], 0, sampling);
    else pass.step(1, 1, sampling);
    const ring = await pass.read(1, 1);
    const at = k === 0 ? 0 : 4;
    const logits = await pass.readLogits(0);
    taken.push({ token: ring[at], logprob: new Float32Array(ring.buffer)[at + 1], logits });
  }
  return taken;
}

const PRECISIONS: Precisions[] = [
  { precision: "f16", cachePrecision: "f32" },
  { precision: "f32", cachePrecision: "f16" },
  { precision: "f16", cachePrecision: "f16" },
];

describe.each(HALF_FORMS)("a generator in f16, %s", (form) => {
  // Broken on purpose once: the policy's weights not rounded, which the first test refuses.
  it("decodes the model whose matrices are rounded, adapters beside it or not", async (context) => {
    const gpu = await formGpu(form, context);
    const weights = sharpWeights();
    const tensors = freshAdapters(config, adapters, 4);
    [...tensors.values()].forEach(({ data }, i) => {
      data.set(normals(data.length, 20 + i, 0.15));
    });
    for (const adapted of [null, adapters]) {
      const options = { config, concurrency: 11, maxSequence: 48, decodeChunk: 4, recomputeCache: false };
      const of = { ...options, eosIds: [1], precision: "f16" as const, adapters: adapted };
      using engine = await GeneratorEngine.create(gpu, of);
      await engine.load(memoryTensors(weights), 0);
      if (adapted) engine.setWeights(packTensors(engine.versioned.layout, tensors), 0);
      const done = await decodeAll(engine, [group(1, 4, 9), group(2, 3, 1), group(3, 8, 13)]);
      expect(done).toHaveLength(15);
      using policy = await Policy.create(gpu, { config, capacity: 64, maxPositions: 64, adapters: adapted });
      policy.weights.write(packTensors(policy.decoder.layout, rounded(weights)));
      if (adapted) policy.trained.write(packTensors(policy.trained.layout, tensors));
      for (const rollout of done) {
        const want = await replay(policy, rollout);
        expectClose(`rollout ${rollout.id}`, rollout.generatorLogprobs, want, {
          atol: 1e-5 * Math.max(1, largest(want)),
        });
      }
    }
  });

  it.for(PRECISIONS)(
    "stays near f32 with matrices in $precision and cache in $cachePrecision",
    async (of) => {
      const context = { skip: () => undefined } as unknown as TestContext;
      const exact = await steps(form, context, { precision: "f32", cachePrecision: "f32" });
      const tokens = exact.map(({ token }) => token);
      const half = await steps(form, context, of, tokens);
      // A weight is off by 2⁻¹¹ of itself at most, a cached key or value by 2⁻¹⁰ (to either neighbour). One after another
      // there are four matrices and two cached tensors in each of two layers, and the table at both ends; norms keep the
      // relative size of an error, and no product makes it larger than its own rounding does.
      const matrices = of.precision === "f16" ? 2 * 4 + 2 : 0;
      const cached = of.cachePrecision === "f16" ? 2 * 2 * 2 : 0;
      const bound = (matrices + cached) * 2 ** -11;
      const size = Math.max(...exact.map(({ logits }) => largest(logits)));
      let worst = 0;
      half.forEach(({ logits }, k) => {
        expectClose(`logits of step ${k}`, logits, exact[k].logits, { atol: bound * size });
        worst = Math.max(worst, largest(logits.map((value, id) => value - exact[k].logits[id])));
      });
      // It is f16 that was used.
      expect(worst).toBeGreaterThan(2 ** -14 * size);
    },
  );

  it.for(PRECISIONS)("records what it drew from, $precision and $cachePrecision", async (of, context) => {
    for (const [k, { token, logprob, logits }] of (await steps(form, context, of)).entries()) {
      expect(drawToken(logits, sampling.temperature, sampling.seed, k)).toBe(token);
      expect(Math.abs(logProbability(logits, token, sampling.temperature) - logprob)).toBeLessThan(1e-5);
    }
  });

  it.skipIf(!hasModel)("takes the built-in policy's most probable tokens nearly always", async (context) => {
    const gpu = await formGpu(form, context);
    const model = await tinyModel();
    const tokenizer = await loadTokenizer(model);
    const task = makeTask("chain_sum", {}, 5);
    const greedy = { ...sampling, temperature: 0, maxTokens: 24 };
    const groups = Array.from({ length: 64 }, (_, id): PromptGroup => {
      const promptTokens = tokenizer.encode(String(task.sample(id).prompt));
      return { ...group(id, 1, 1, greedy), promptTokens };
    });
    const decode = async (precision: MatrixPrecision) => {
      const sizes = { concurrency: 64, maxSequence: 64, decodeChunk: 8, recomputeCache: false };
      const of = { precision, cachePrecision: precision };
      const eosIds = [...tokenizer.eosIds];
      using engine = await GeneratorEngine.create(gpu, { config: model.config, ...sizes, eosIds, ...of });
      await engine.load(memoryTensors(model.tensors), 0);
      return decodeAll(engine, groups);
    };
    const [exact, half] = [await decode("f32"), await decode("f16")];
    const same = exact.filter(({ completionTokens }, i) =>
      completionTokens.every((token, t) => token === half[i].completionTokens[t]),
    );
    // All 64 when this was written, in both forms; its matrices are f16 as they lie on disk, so the cache alone is rounded.
    expect(same.length).toBeGreaterThanOrEqual(60);
  });
});
