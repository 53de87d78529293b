/** The chat's worker side on a device: two policies of a run in memory, one with weights of its own. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openModelMemory } from "../../../../src/data/source.ts";
import { DataError } from "../../../../src/errors.ts";
import { type Gpu, openGpu } from "../../../../src/gpu/device.ts";
import { writeCheckpoint } from "../../../../src/runs/checkpoint.ts";
import type { ChatSource, ChatToken } from "../../../../src/ui/views/chat/api.ts";
import { ChatServer } from "../../../../src/ui/views/chat/chat_server.ts";
import { drawToken, logProbability } from "../../../../src/ui/views/chat/distribution.ts";
import { memoryFiles } from "../../../runs/memory_files.ts";
import { adapterFolder, modelFolder, task, tokenizerFiles } from "./tiny_policy.ts";

const [problem] = task.heldOut(1);
const prompt = problem.prompt as string;
const source: ChatSource = {
  base: "https://page/",
  model: "builtin:tiny",
  run: "sums",
  verifier: { rewards: ["magistral"], lengthMax: 12, lengthCache: 0 },
};

const memory = memoryFiles();

function save(step: number, run = "sums", modelFiles = modelFolder(step)): Promise<string> {
  return writeCheckpoint(
    memory.open(`runs/${run}`),
    {
      state: {
        step,
        weightVersion: step,
        optimizerStep: step,
        dataCursor: 0,
        inFlight: [],
        random: {},
        recipeHash: "",
      },
      modelFiles,
    },
    { keep: 1 },
  );
}

let opened = 0;
let gpu: Gpu;
const server = new ChatServer({
  openGpu: async () => {
    opened++;
    gpu = await openGpu({ label: "chat test", baseOnly: true });
    return gpu;
  },
  findModel: async ({ model }) => {
    if (model === "hub/far") throw new DataError("model/no-folder", "it is not downloaded");
    if (model === "stored:adapted") return { source: openModelMemory(adapterFolder(0.5), model) };
    return { source: openModelMemory(modelFolder(0)) };
  },
  openStorage: (folder) => memory.open(folder),
});

async function ask(which: "first" | "newest", seed = 4, temperature = 1) {
  const told: ChatToken[] = [];
  const answer = await server.chat({ which, prompt, temperature, seed }, (tokens) => told.push(...tokens));
  expect(told).toEqual(answer.tokens);
  return answer;
}

beforeAll(() => server.open(source));
afterAll(() => server.loseDevice());

describe("ChatServer", () => {
  it("knows the first policy's task, and no newest one before a checkpoint is saved", async () => {
    const subject = await server.open(source);
    expect(subject).toMatchObject({
      first: { version: 0, step: 0 },
      newest: null,
      maxTokens: 12,
      conversational: false,
    });
    expect(subject.tasks).toEqual([{ name: "chain_sum", options: { ...task.options } }]);
    expect(await server.newerStep()).toBeNull();
    await expect(server.nextTokens("newest", prompt, [], 8)).rejects.toMatchObject({
      code: "chat/no-checkpoint",
    });
  });

  it("reads a prompt token by token, and says why it cannot", async () => {
    const read = await server.read(prompt);
    expect(read.ok && read.tokens.join("")).toBe(prompt);
    expect(await server.read("3 × 4")).toEqual({ ok: false, reason: expect.stringContaining("×") });
    expect(await server.read("1".repeat(64))).toEqual({
      ok: false,
      reason: expect.stringContaining("52 fit"),
    });
  });

  it("gives next tokens that a stream with the same seed draws", async () => {
    const { tokens } = await ask("first");
    const begun: number[] = [];
    for (const [at, token] of tokens.entries()) {
      const { logits, top } = await server.nextTokens("first", prompt, begun, 5);
      expect(top.map(({ id }) => logits[id])).toEqual([...logits].sort((a, b) => b - a).slice(0, 5));
      expect(drawToken(logits, 1, 4, at)).toBe(token.id);
      expect(logProbability(logits, token.id, 1)).toBeCloseTo(token.logprob, 4);
      begun.push(token.id);
    }
  });

  it("takes a saved checkpoint when it is asked to, and not before", async () => {
    await save(5);
    expect(await server.newerStep()).toBe(5);
    expect(await server.renew()).toEqual({ version: 5, step: 5 });
    expect(await server.newerStep()).toBeNull();
    const [before, five] = [await ask("first"), await ask("newest")];
    expect([before.version, five.version]).toEqual([0, 5]);
    expect(five.tokens).not.toEqual(before.tokens);
    await save(6);
    expect((await ask("newest")).tokens).toEqual(five.tokens);
    expect(await server.renew()).toEqual({ version: 6, step: 6 });
    expect((await ask("newest")).tokens).not.toEqual(five.tokens);
    expect((await ask("first")).tokens).toEqual(before.tokens);
  });

  it("leaves a checkpoint that is being written alone", async () => {
    const files = memory.open("runs/sums");
    await files.writeFile("checkpoints/step-000009/model.safetensors", new Uint8Array(8));
    const changes = memory.changes;
    expect(await server.newerStep()).toBeNull();
    expect(await server.renew()).toEqual({ version: 6, step: 6 });
    expect(memory.changes).toBe(changes);
    await files.remove("checkpoints/step-000009");
  });

  it("answers both policies side by side, and what was stopped with what it has", async () => {
    const both = await Promise.all([ask("first"), ask("newest")]);
    expect(both[0].tokens).toEqual((await ask("first")).tokens);
    const stopped = ask("first", 4);
    server.stop();
    expect((await stopped).finishReason).toBe("stopped");
    expect((await ask("first")).tokens).toEqual(both[0].tokens);
  });

  it("judges as training does", async () => {
    const ids = (text: string) =>
      [...text.matchAll(/<think>|<\/think>|\\boxed\{|<eos>|./g)].map(
        ([token]) => (tokenizerFiles.tokenizerJson.model as { vocab: Record<string, number> }).vocab[token],
      );
    const right = await server.grade(problem, ids(`<think></think>\\boxed{${problem.answer}}<eos>`));
    expect(right).toMatchObject({
      correct: true,
      reward: 1,
      found: problem.answer,
      expected: problem.answer,
    });
    const wrong = await server.grade(problem, ids("<think></think>\\boxed{99}<eos>"));
    expect(wrong).toMatchObject({ correct: false, reward: 0.1, found: "99", expected: problem.answer });
    const formless = await server.grade(problem, ids(`${problem.answer}`));
    expect(formless).toMatchObject({ correct: false, reward: 0, found: null });
    expect(formless?.reason).toContain("<think>");
  });

  it("opens a new device after one was lost", async () => {
    const before = await ask("first");
    const devices = opened;
    server.loseDevice();
    await expect.poll(() => ask("first").catch(() => null)).toEqual(before);
    expect(opened).toBe(devices + 1);
    expect((await ask("newest")).version).toBe(6);
  });

  it("lays a checkpoint of adapters over the model that the run began with", async () => {
    await save(1, "adapted", adapterFolder(0));
    expect((await server.open({ ...source, run: "adapted" })).newest).toEqual({ version: 1, step: 1 });
    const first = await server.nextTokens("first", prompt, [], 3);
    const same = await server.nextTokens("newest", prompt, [], 3);
    expect(same.logits).toEqual(first.logits);
    const made = gpu.allocations;
    await save(2, "adapted", adapterFolder(0.5));
    expect(await server.renew()).toEqual({ version: 2, step: 2 });
    expect(gpu.allocations).toBe(made);
    const changed = await server.nextTokens("newest", prompt, [], 3);
    expect(Math.max(...changed.logits.map((logit, i) => Math.abs(logit - first.logits[i])))).toBeGreaterThan(
      0.05,
    );
    await server.open(source);
  });

  it("keeps the policy that it has where a newer checkpoint is damaged, and takes the next whole one", async () => {
    const adapted = { ...source, run: "adapted" };
    expect((await server.open(adapted)).newest).toEqual({ version: 2, step: 2 });
    const before = await ask("newest");
    const files = adapterFolder(0.5);
    await save(3, "adapted", { ...files, "adapter_model.safetensors": new Uint8Array(64) });
    await expect(server.renew()).rejects.toMatchObject({ name: "DataError" });
    expect(await ask("newest")).toEqual(before);
    // Of every parameter: the device has given the former weights up when these turn out to be cut.
    const { "model.safetensors": whole, ...rest } = modelFolder(4);
    const cut = whole.slice(0, whole.length - 4);
    await save(4, "adapted", { ...rest, "model.safetensors": cut });
    await expect(server.renew()).rejects.toMatchObject({ name: "DataError" });
    await save(5, "adapted", files);
    expect(await server.renew()).toEqual({ version: 5, step: 5 });
    expect((await ask("newest")).tokens).toEqual(before.tokens);
    await server.open(source);
  });

  it("begins with adapters where the run's model is a folder of them", async () => {
    await server.open({ ...source, run: "adapted" });
    const trained = await server.nextTokens("newest", prompt, [], 3);
    await server.open({ ...source, model: "stored:adapted", run: null });
    const first = await server.nextTokens("first", prompt, [], 3);
    // Here merged into the weights, there beside them: the same sums in another order, rounded to f32.
    first.logits.forEach((logit, i) => {
      expect(logit).toBeCloseTo(trained.logits[i], 4);
    });
    await server.open(source);
  });

  it("refuses a model that is not here, and goes on with one that is", async () => {
    await expect(server.open({ ...source, model: "hub/far" })).rejects.toMatchObject({
      code: "model/no-folder",
    });
    expect((await server.open(source)).newest).toEqual({ version: 6, step: 6 });
  });
});
