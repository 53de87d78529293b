/** Conformance on the reference vectors, and on vectors that are wrong on purpose: those must fail and say why. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { CaseResult } from "../../src/conformance/compare.ts";
import { type ConformanceOptions, runConformance } from "../../src/conformance/run.ts";
import type { VectorSource } from "../../src/conformance/vectors.ts";
import { parseSafetensors, type WritableTensor, writeSafetensors } from "../../src/model/safetensors.ts";
import { runInProcess } from "../cli/in_process.ts";
import { testGpu } from "../gpu_harness.ts";

const root = new URL("../../../shared/reference/vectors/", import.meta.url);
const hasVectors = existsSync(root);

/** Files in memory by path. */
function memory(files: Record<string, Uint8Array>): VectorSource {
  return {
    where: "memory",
    list: async (folder) => {
      const prefix = folder === "" ? "" : `${folder}/`;
      const below = Object.keys(files).filter((path) => path.startsWith(prefix));
      return [...new Set(below.map((path) => path.slice(prefix.length).split("/")[0]))].sort();
    },
    read: async (path) => files[path] ?? null,
  };
}

const folder: VectorSource = {
  where: "vectors",
  list: async (name) => {
    const path = new URL(`${name}/`, root);
    return existsSync(path) ? readdirSync(name === "" ? root : path).sort() : [];
  },
  read: async (path) => {
    const file = new URL(path, root);
    return existsSync(file) ? readFileSync(file) : null;
  },
};

async function run(source: VectorSource, options?: ConformanceOptions): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for await (const result of runConformance(await testGpu(), source, options)) results.push(result);
  return results;
}

const failures = (results: readonly CaseResult[]) =>
  results.filter(({ pass }) => !pass).map(({ name, detail }) => `${name}: ${detail}`);

const silu = (x: number) => x / (1 + Math.exp(-x));

/** A correct file for `swiglu` on one row; what a test changes is put over it. */
function swigluFile(
  changes: Record<string, number[]> = {},
  metadata: Record<string, string> = { op: "swiglu" },
) {
  const [gate, up, dy] = [
    [0.5, -1.25, 2],
    [1.5, 0.75, -3],
    [1, -2, 0.5],
  ];
  const slope = (x: number) => (1 + x * (1 - 1 / (1 + Math.exp(-x)))) / (1 + Math.exp(-x));
  const values: Record<string, number[]> = {
    gate,
    up,
    out: gate.map((g, i) => silu(g) * up[i]),
    grad_out: dy,
    grad_gate: gate.map((g, i) => dy[i] * up[i] * slope(g)),
    grad_up: gate.map((g, i) => dy[i] * silu(g)),
    ...changes,
  };
  const isInput = (name: string) => name === "gate" || name === "up";
  const tensors = Object.entries(values).map(([name, data]): [string, WritableTensor] => [
    name,
    { dtype: isInput(name) ? "F32" : "F64", shape: [1, data.length], data },
  ]);
  return writeSafetensors(Object.fromEntries(tensors), metadata);
}

describe("runConformance()", () => {
  it("goes by what a file says it holds, not by its name", async () => {
    const [result] = await run(memory({ "kernels/linear-9x9x9.safetensors": swigluFile() }));
    expect(result).toMatchObject({ name: "kernels/linear-9x9x9", pass: true, tolerance: 1e-5 });
    expect(result.error).toBeLessThan(1e-6);
  });

  it.each([
    ["a wrong result", swigluFile({ out: [0.4769, -0.2087814, -5.2847825] }), "out [0] got 0.466"],
    ["a wrong gradient", swigluFile({ grad_up: [0.3112, 0.5571, 0.9] }), "grad_up [2] got 0.88"],
    ["NaN", swigluFile({ out: [Number.NaN, 0, 0] }), "out [0] got"],
    ["a result of another size", swigluFile({ out: [0.4669] }), "3 elements instead of 1"],
    ["an unknown operation", swigluFile({}, { op: "gelu" }), "unknown operation gelu"],
    ["no operation", swigluFile({}, {}), "unknown operation (none named)"],
    ["a result that nothing computes", swigluFile({ grad_bias: [1] }), "nothing computes grad_bias"],
    ["missing tensors", swigluFile({}, { op: "linear" }), "the tensor x is missing"],
    ["a damaged file", swigluFile().subarray(0, 40), "Cannot read the safetensors file"],
  ])("fails %s", async (_, file, detail) => {
    const results = await run(
      memory({ "kernels/a.safetensors": file, "kernels/b.safetensors": swigluFile() }),
    );
    expect(results.map(({ pass }) => pass)).toEqual([false, true]);
    expect(failures(results)[0]).toContain(`kernels/a: `);
    expect(failures(results)[0]).toContain(detail);
  });

  it("fails files that no check knows and models without their parts; refuses a directory without vectors", async () => {
    const config = new TextEncoder().encode("{}");
    const results = await run(
      memory({ "rmsprop.safetensors": swigluFile(), "models/m/config.json": config }),
    );
    expect(failures(results)).toEqual([
      expect.stringMatching(/^models\/m: Cannot run a model of architecture null/),
      "rmsprop: no check knows this file",
    ]);
    await expect(run(memory({ "notes.txt": config }))).rejects.toMatchObject({
      code: "conformance/no-vectors",
    });
    await expect(run(memory({ "adamw.safetensors": config }), { only: "sgd" })).rejects.toMatchObject({
      code: "conformance/no-vectors",
    });
  });

  it("tells a distribution that is a few percent off, and a sampler that draws what was filtered out", async () => {
    const logits = [2, 1, 0, -1];
    const softmax = (keep: (p: number) => boolean) => {
      const weights = logits.map(Math.exp);
      const total = weights.reduce((sum, one) => sum + one, 0);
      const kept = weights.map((one) => (keep(one / total) ? one : 0));
      return kept.map((one) => one / kept.reduce((sum, other) => sum + other, 0));
    };
    const right = softmax(() => true);
    const tensor = (data: number[]): WritableTensor => ({ dtype: "F64", shape: [1, 4], data });
    const file = writeSafetensors({
      logits: tensor(logits),
      t1: tensor(right),
      "t1-top_k2": tensor(softmax((p) => p > 0.2)),
      "t1-min_p0": tensor([right[0] - 0.03, right[1] + 0.03, right[2], right[3]]),
      "t1-top_k4": tensor(softmax((p) => p > 0.2)),
      "t1-top_a3": tensor(right),
    });
    const failed = failures(await run(memory({ "sampling.safetensors": file }), { draws: 20_000 }));
    expect(failed.map((text) => text.split(":")[0]).sort()).toEqual([
      "sampling t1-min_p0 frequencies",
      "sampling t1-min_p0 reported",
      "sampling t1-top_a3",
      "sampling t1-top_k4 frequencies",
      "sampling t1-top_k4 reported",
    ]);
  });
});

describe.skipIf(!hasVectors)("runConformance() on the reference vectors", () => {
  // The kernels' vectors have a test of their own that runs in browsers as well.
  it.each(["models", "adamw"])("passes %s", async (only) => {
    const results = await run(folder, { only });
    expect(failures(results)).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(only === "models" ? 100 : 1);
  });

  it("passes the sampler's distributions", async () => {
    // The command draws ten times as many; frequencies of 200,000 have a test of their own.
    const results = await run(folder, { only: "sampling", draws: 20_000 });
    expect(failures(results)).toEqual([]);
    expect(results).toHaveLength(10);
  });

  it("fails a model whose weights are a little off, in logits, losses and gradients", async () => {
    const path = "models/llama-gqa";
    const files: Record<string, Uint8Array> = {};
    for (const name of await folder.list(path))
      files[`${path}/${name}`] = (await folder.read(`${path}/${name}`))!;
    const { tensors } = parseSafetensors(files[`${path}/model.safetensors`]);
    const changed = [...tensors].map(([name, tensor]): [string, WritableTensor] => {
      const data = Float32Array.from(tensor.data() as Float32Array);
      if (name === "model.layers.1.self_attn.k_proj.weight") data[5] += 0.05;
      return [name, { dtype: "F32", shape: tensor.shape, data }];
    });
    files[`${path}/model.safetensors`] = writeSafetensors(Object.fromEntries(changed));
    const failed = failures(await run(memory(files))).join("\n");
    for (const part of [
      "logits",
      "token log-probabilities",
      "loss sft",
      "gradients sft",
      "gradients magistral",
    ]) {
      expect(failed).toContain(`${path} ${part}: `);
    }
  });
});

describe("conformance", () => {
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  const command = (...words: string[]) => runInProcess(["conformance", ...words], { cwd });

  it("refuses a folder that is not there", async () => {
    const { code, stdout, stderr } = await command("nowhere");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("DataError [conformance/no-folder]");
  });

  it.skipIf(!hasVectors)("prints a table, or one JSON object a case", async () => {
    const folderName = fileURLToPath(root);
    const { code, stdout } = await command(folderName, "--only", "kernels/rope");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^case +largest error +tolerance +result\n/);
    expect(stdout).toMatch(/\nkernels\/rope-9x2x8 .* pass\n/);
    const lines = (await command(folderName, "--only", "kernels/rope", "--json")).stdout.trim().split("\n");
    const events = lines.map((line) => JSON.parse(line));
    expect(events[0]).toMatchObject({ event: "case", pass: true, tolerance: 1e-6 });
    expect(events.at(-1)).toMatchObject({ event: "summary", cases: lines.length - 1, failed: 0 });
  });
});
