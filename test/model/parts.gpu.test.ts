/** A vocabulary's table that lies in several parts gives what it gives in one: logits, log-probabilities, gradients. */
import { describe, expect, it } from "vitest";
import { Recorder } from "../../src/gpu/recorder.ts";
import { compileModel } from "../../src/model/compile.ts";
import { type Decoder, encodeLayers, makeDecoder } from "../../src/model/decoder.ts";
import {
  encodeFinalNorm,
  encodeHead,
  encodeHeadBackward,
  encodeLogits,
  HeadWorkspace,
} from "../../src/model/head.ts";
import { freshWeights, smallLlamaConfig } from "../../src/model/init.ts";
import { layoutParameters, packTensors, unpackTensors } from "../../src/model/layout.ts";
import { Parameters } from "../../src/model/parameters.ts";
import { Workspace } from "../../src/model/workspace.ts";
import { normals, testGpu } from "../gpu_harness.ts";

/** A model of an embedding and a head alone. */
const config = {
  ...smallLlamaConfig({
    vocabSize: 301,
    width: 16,
    layers: 1,
    heads: 2,
    kvHeads: 1,
    mlpWidth: 8,
    maxPositions: 16,
    eosId: 1,
    padId: 0,
  }),
  layers: 0,
};
const ROWS = 9;
const tokens = Uint32Array.from({ length: ROWS }, (_, i) => (i * 97 + 63) % 301);
const upstream = normals(ROWS, 3);

/** One pass of embedding and head, there and back. */
async function run(maxElements: number) {
  const gpu = await testGpu();
  await compileModel(gpu, config, { precision: "f32", adapted: false });
  const whole = makeDecoder(gpu, config, 16);
  const decoder: Decoder = { ...whole, layout: layoutParameters(config, maxElements) };
  using rotations = whole.rotations;
  const recorder = new Recorder(gpu, "parts");
  using weights = new Parameters(gpu, decoder.layout, "weights");
  using gradients = new Parameters(gpu, decoder.layout, "gradients");
  weights.write(packTensors(decoder.layout, freshWeights(config, 5)));
  using space = new Workspace(gpu, config, ROWS, "none", "test");
  using head = new HeadWorkspace(decoder, ROWS, "head");
  using logits = gpu.buffer("logits", ROWS * config.vocabSize);
  using dLogprobs = gpu.bufferFrom("d logprobs", upstream);
  using dx = gpu.buffer("dx", ROWS * config.width);
  space.ids.write(tokens);
  head.index.write(Uint32Array.from(tokens, (_, i) => i));
  head.targets.write(tokens.toReversed());
  encodeLayers(recorder, decoder, { base: weights, adapters: null }, space, ROWS, () => {
    throw new Error("this model has no layers");
  });
  encodeFinalNorm(recorder, decoder, weights, head, space.output, ROWS, ROWS);
  encodeLogits(recorder, decoder, weights, head.normed, logits, ROWS);
  encodeHead(recorder, decoder, weights, head, ROWS, 0.8);
  encodeHeadBackward(recorder, decoder, weights, gradients, head, dLogprobs, dx, ROWS, ROWS, 0.8);
  recorder.submit();
  const found = {
    parts: decoder.layout.blocks.get("embedding")?.parts.length,
    embedded: await space.output.readFloats(),
    logits: await logits.readFloats(),
    logprobs: await head.logprobs.readFloats(),
    dx: await dx.readFloats(),
    gradients: unpackTensors(decoder.layout, await gradients.read(gpu)),
  };
  recorder.dispose();
  expect(rotations.size).toBeGreaterThan(0);
  return found;
}

const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

// Broken on purpose once: columns of the second part written over those of the first; targets seen from the part's start.
describe("a table in several parts", () => {
  it("gives the logits, log-probabilities and gradients of a whole one", async () => {
    const whole = await run(2 ** 20);
    const cut = await run(64 * 16);
    expect([whole.parts, cut.parts]).toEqual([1, 5]);
    expect(cut.embedded).toEqual(whole.embedded);
    expect(largest(whole.embedded)).toBeGreaterThan(0);
    expect(cut.logits).toEqual(whole.logits);
    // Sums over the vocabulary are taken part by part: a few roundings of their size apart.
    for (const name of ["logprobs", "dx"] as const) {
      const bound = 1e-6 * largest(whole[name]) * Math.sqrt(301);
      for (const [i, value] of cut[name].entries())
        expect(Math.abs(value - whole[name][i])).toBeLessThan(bound);
    }
    for (const [name, { data }] of cut.gradients) {
      const want = whole.gradients.get(name)?.data ?? new Float32Array();
      const bound = 1e-6 * largest(want) * Math.sqrt(301);
      expect(largest(want), name).toBeGreaterThan(0);
      for (const [i, value] of data.entries()) expect(Math.abs(value - want[i]), name).toBeLessThan(bound);
    }
  });
});
