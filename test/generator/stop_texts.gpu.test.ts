/** Stop texts in the generator, in its worker and in a model that streams: the built-in policy, with and without them. */
import { describe, expect, it } from "vitest";
import { LoadedModel } from "../../src/answering.ts";
import type { PromptGroup, SamplingOptions } from "../../src/generator/api.ts";
import { GeneratorEngine } from "../../src/generator/engine.ts";
import type { FinishedGroup } from "../../src/generator/pool.ts";
import { memoryTensors } from "../../src/model/load.ts";
import type { Rollout } from "../../src/rollout.ts";
import { openStages } from "../../src/stages.ts";
import { makeTask } from "../../src/tasks/registry.ts";
import { StopTexts } from "../../src/text/stop_texts.ts";
import { loadTokenizer } from "../../src/text/tokenizer.ts";
import { freshStart } from "../../src/training_checkpoint.ts";
import { testGpu } from "../gpu_harness.ts";
import { hasModel, tinyModel, tinyRecipe } from "../loop/tiny.ts";

const sampling: SamplingOptions = { temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: 24, seed: 3 };

async function builtin() {
  const model = await tinyModel();
  const tokenizer = await loadTokenizer(model);
  const task = makeTask("chain_sum", {}, 5);
  const groups = Array.from({ length: 6 }, (_, groupId): PromptGroup => {
    const problem = task.sample(groupId);
    return {
      groupId,
      problemId: problem.id,
      taskId: problem.taskId,
      promptTokens: tokenizer.encode(String(problem.prompt)),
      rolloutIds: Uint32Array.from({ length: 4 }, (_, i) => groupId * 4 + i),
      sampling,
    };
  });
  return { model, tokenizer, groups };
}

/** Decodes all groups, five sequences at a time; rollouts by id. */
async function decode(
  { model, tokenizer, groups }: Awaited<ReturnType<typeof builtin>>,
  texts: string[],
  decodeChunk: number,
) {
  const options = {
    config: model.config,
    concurrency: 5,
    maxSequence: 64,
    decodeChunk,
    recomputeCache: false,
    eosIds: [...tokenizer.eosIds],
  };
  const stops = texts.length > 0 ? new StopTexts(tokenizer, texts) : null;
  using engine = await GeneratorEngine.create(await testGpu(), options, stops);
  await engine.load(memoryTensors(model.tensors), 4);
  engine.admit(groups);
  const done: Rollout[] = [];
  while (engine.busy) done.push(...(await engine.advance()));
  return { done: done.sort((a, b) => a.id - b.id), report: engine.takeReport() };
}

/** Tokens up to the first of which the text has one of the texts; all where none comes. */
function untilStop(decode: (ids: Uint32Array) => string, tokens: Uint32Array, texts: string[]): number {
  for (let end = 1; end <= tokens.length; end++)
    if (texts.some((text) => decode(tokens.subarray(0, end)).includes(text))) return end;
  return tokens.length;
}

describe.skipIf(!hasModel)("stop texts", () => {
  it.each([1, 4, 24])(
    "cut every record at the token that completes the text, chunks of %i",
    async (chunk) => {
      const policy = await builtin();
      const { tokenizer } = policy;
      const texts = ["3", "7", "12"];
      const free = await decode(policy, [], chunk);
      const { done, report } = await decode(policy, texts, chunk);
      expect(done.map(({ id }) => id)).toEqual(free.done.map(({ id }) => id));
      let stopped = 0;
      for (const [i, rollout] of done.entries()) {
        const whole = free.done[i];
        const end = untilStop((ids) => tokenizer.decode(ids), whole.completionTokens, texts);
        const text = tokenizer.decode(rollout.completionTokens);
        const found = texts.some((one) => text.includes(one));
        expect(rollout).toEqual({
          ...whole,
          completionTokens: whole.completionTokens.slice(0, end),
          generatorLogprobs: whole.generatorLogprobs.slice(0, end),
          generatorEntropies: whole.generatorEntropies.slice(0, end),
          policyVersions: whole.policyVersions.slice(0, end),
          finishReason: found ? "stop" : whole.finishReason,
        });
        if (found) {
          expect(texts.some((one) => text.endsWith(one))).toBe(true);
          stopped++;
        }
      }
      expect(stopped).toBeGreaterThan(6);
      expect(report.generatedTokens).toBe(
        done.reduce((sum, { completionTokens }) => sum + completionTokens.length, 0),
      );
      // What a prefill drew was drawn in no decode step.
      expect(report.activeRows).toBe(report.generatedTokens - done.length);
    },
  );

  it("ends what a loaded model streams at the same token, and tells of no token after it", async () => {
    const { model, tokenizer, groups } = await builtin();
    const files = { files: model, eosIds: tokenizer.eosIds };
    using loaded = await LoadedModel.open(await testGpu(), files, { concurrency: 3, maxSequence: 64 });
    const asked = { prompt: groups[0].promptTokens, samples: 7, sampling };
    const free = await loaded.stream(asked);
    const told: number[][] = Array.from({ length: 7 }, () => []);
    const reasons: (string | null)[] = [];
    const texts = ["1", "5"];
    const cut = await loaded.stream({
      ...asked,
      stops: new StopTexts(tokenizer, texts),
      onTokens: (sample, tokens, finish, logprobs) => {
        expect(logprobs).toHaveLength(tokens.length);
        told[sample].push(...tokens);
        reasons[sample] = finish;
      },
    });
    expect(told).toEqual(cut.map(({ tokens }) => tokens));
    expect(reasons).toEqual(cut.map(({ finishReason }) => finishReason));
    for (const [i, { tokens, logprobs }] of cut.entries()) {
      const whole = Uint32Array.from(free[i].tokens);
      const end = untilStop((ids) => tokenizer.decode(ids), whole, texts);
      expect(tokens).toEqual(free[i].tokens.slice(0, end));
      expect(logprobs).toEqual(free[i].logprobs.slice(0, end));
    }
    expect(cut.some(({ tokens }, i) => tokens.length < free[i].tokens.length)).toBe(true);
  });

  it("reach the generator's worker from the recipe, for training and for evaluation", async () => {
    const texts = ["1", "2"];
    const stages = await openStages({
      recipe: tinyRecipe({ generator: { stop: texts } }),
      model: await tinyModel(),
      newestCheckpoint: async () => ({ state: freshStart().optimizer, step: 0 }),
      onRestart: (worker, cause) => expect.fail(`${worker} died: ${cause}`),
    });
    try {
      const prompts = [0, 1, 2, 3].map((group) => stages.prompt(group));
      const trained = new Promise<FinishedGroup>((resolve) => stages.generator.onGroup(resolve));
      stages.generator.submit(0, prompts[0], 8);
      const { rollouts } = await trained;
      const evaluated = await stages.generator.sample(prompts, 4, { ...sampling, temperature: 0.5 });
      let stopped = 0;
      for (const { completionTokens, finishReason } of [...rollouts, ...evaluated.flat()]) {
        const decode = (ids: Uint32Array) => stages.tokenizer.decode(ids);
        expect(untilStop(decode, completionTokens, texts)).toBe(completionTokens.length);
        if (!texts.some((text) => decode(completionTokens).endsWith(text))) continue;
        expect(finishReason).toBe("stop");
        stopped++;
      }
      expect(stopped).toBeGreaterThan(8);
    } finally {
      stages.dispose();
    }
  });
});
