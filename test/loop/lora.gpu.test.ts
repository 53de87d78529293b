/** Adapters in the loop: the figures of a run, what travels and what is saved, resuming, and deaths. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loraSettings } from "../../src/config/lora.ts";
import { layoutAdapters } from "../../src/model/adapters/layout.ts";
import { layoutParameters } from "../../src/model/layout.ts";
import type { WeightBoardHandle } from "../../src/weights/board.ts";
import {
  caught,
  hasModel,
  recordWorkers,
  removeFolders,
  type Trained,
  tinyModel,
  tinyRecipe,
  train,
  withoutTiming,
} from "./tiny.ts";

const lora = (trainer: Record<string, unknown> = {}, settings: Record<string, unknown> = {}) =>
  tinyRecipe({
    mode: "sync",
    steps: 3,
    trainer: { groupSize: 2, batchSize: 8, learningRate: 1e-2, lora: { rank: 8 }, ...trainer },
    ...settings,
  });

/** Adapters and moments of a checkpoint, as bytes. */
async function saved(folder: string, step: number): Promise<Buffer> {
  const checkpoint = join(folder, "checkpoints", `step-${String(step).padStart(6, "0")}`);
  const files = ["adapter_model.safetensors", "optimizer.safetensors"];
  return Buffer.concat(await Promise.all(files.map((name) => readFile(join(checkpoint, name)))));
}

/** Weight boards that workers are told of while `work` goes on. */
async function boardsOf(work: () => Promise<unknown>): Promise<WeightBoardHandle[]> {
  const boards: WeightBoardHandle[] = [];
  const look = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    if ("slots" in value && "byteLength" in value) boards.push(value as WeightBoardHandle);
    else for (const inner of Object.values(value)) look(inner);
  };
  const Original = globalThis.Worker;
  globalThis.Worker = class extends Original {
    override postMessage(message: unknown, transfer?: StructuredSerializeOptions | Transferable[]) {
      look(message);
      super.postMessage(message, transfer as Transferable[]);
    }
  };
  try {
    await work();
  } finally {
    globalThis.Worker = Original;
  }
  return boards;
}

// Broken on purpose once: the hidden rows of `down` not computed again, with which bits differ.
describe.skipIf(!hasModel)("a run that trains adapters", () => {
  let whole: Trained;
  let bytes: Buffer;
  let boards: WeightBoardHandle[];
  beforeAll(async () => {
    boards = await boardsOf(async () => {
      whole = await train(lora());
    });
    bytes = await saved(whole.folder, 3);
  });
  afterAll(removeFolders);

  it("learns from what the adapters of this very step have written", () => {
    for (const row of whole.metrics) {
      expect(row["sample/staleness_max"]).toBe(0);
      // As for full training: one implementation on both sides, merged on neither.
      expect(row["trainer/mismatch_kl"]).toBeLessThan(1e-9);
      expect(row.grad_norm).toBeGreaterThan(0);
    }
    // B begins at zero: if nothing moved, every step would have the first one's entropy.
    const entropies = whole.metrics.map((row) => (row.entropy as number).toFixed(6));
    expect(new Set(entropies).size).toBe(3);
  });

  it("sends the adapters alone over the weight board", async () => {
    const { config } = await tinyModel();
    const settings = loraSettings(lora().trainer.lora)!;
    const size = ({ shards }: { shards: { length: number }[] }) =>
      4 * shards.reduce((sum, { length }) => sum + length, 0);
    const adapters = size(layoutAdapters(config, settings));
    // The trainer's and the generator's.
    expect(boards.map(({ byteLength }) => byteLength)).toEqual([adapters, adapters]);
    expect(10 * adapters).toBeLessThan(size(layoutParameters(config)));
  });

  it("has the same bits with activations computed again", async () => {
    const again = await train(lora({ recompute: true }));
    expect(withoutTiming(again.metrics)).toEqual(withoutTiming(whole.metrics));
    expect(bytes.equals(await saved(again.folder, 3))).toBe(true);
  });

  it("ends with the same adapters after an interruption within a step", async () => {
    const stop = new AbortController();
    const part = await train(lora(), {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.kind === "stepped" && event.step === 1) setTimeout(() => stop.abort(), 250);
      },
    });
    expect(part.summary.interrupted).toBe(true);
    const rest = await train(lora(), { resume: part.folder });
    expect(rest.summary).toMatchObject({ steps: 3, samples: 24, interrupted: false });
    expect(bytes.equals(await saved(part.folder, 3))).toBe(true);
    const loss = (trained: Trained) => trained.metrics.map((row) => [row.step, row.loss, row.grad_norm]);
    expect(loss(rest)).toEqual(loss(whole));
  });

  it.each([
    ["another rank", { lora: { rank: 4 } }, "adapters of rank 4, alpha 8, q_proj"],
    ["another alpha", { lora: { rank: 8, alpha: 8 } }, "adapters of rank 8, alpha 8, q_proj"],
    ["other layers", { lora: { rank: 8, targets: ["v_proj", "q_proj"] } }, "alpha 16, q_proj v_proj:"],
    ["no adapters", { lora: { rank: 0 } }, "with every parameter:"],
  ])("is not resumed with %s", async (_what, trainer, wanted) => {
    const error = await caught(train(lora(trainer), { resume: whole.folder }));
    expect(error).toMatchObject({ code: "config/contradiction", hint: expect.stringContaining("--model") });
    expect(error.message).toContain(wanted);
    expect(error.message).toContain("it holds adapters of rank 8, alpha 16, q_proj k_proj v_proj");
  });

  it("is not what a run of every parameter can be resumed as", async () => {
    const full = await train(lora({ lora: { rank: 0 } }, { steps: 1 }));
    const error = await caught(train(lora(), { resume: full.folder }));
    expect(error).toMatchObject({ code: "config/contradiction" });
    expect(error.message).toContain("with adapters of rank 8, alpha 16");
    expect(error.message).toContain("it holds every parameter");
  });

  describe("whose workers die", () => {
    const killing = async (stage: string, after: number, recipe = lora()) => {
      const workers = recordWorkers();
      let left = true;
      try {
        return await train(recipe, {
          onEvent: (event) => {
            if (event.kind !== "stepped" || event.step !== after || !left) return;
            left = false;
            setTimeout(() => workers.of(stage).at(-1)!.terminate(), 150);
          },
        });
      } finally {
        workers.restore();
      }
    };
    const restarted = ({ events }: Trained) =>
      events.flatMap((event) => (event.kind === "restarted" ? [event.worker] : []));

    it("goes on as if a generator had not died", async () => {
      const hurt = await killing("generator", 1);
      expect(restarted(hurt)).toEqual(["generator 0"]);
      expect(bytes.equals(await saved(hurt.folder, 3))).toBe(true);
    });

    it.each([
      ["the newest checkpoint", 2],
      ["fresh adapters where there is no checkpoint", 0],
    ])("goes on from %s after the trainer's death", async (_where, every) => {
      const recipe = lora({ loss: "grpo" }, { checkpoint: { every } });
      const hurt = await killing("trainer", 2, recipe);
      expect(restarted(hurt)).toEqual(["trainer"]);
      expect(hurt.events.find(({ kind }) => kind === "restarted")).toMatchObject({ step: every });
      // Rows of lost steps are forgotten: all that follow the checkpoint are the second trainer's.
      expect(hurt.metrics.map((row) => row.step)).toEqual([1, 2, 3]);
      const kl = hurt.metrics.map((row) => row.kl as number);
      expect(kl[0]).toBe(0);
      expect(Math.min(...kl.slice(1))).toBeGreaterThan(0);
      expect(hurt.metrics[2]["trainer/mismatch_kl"]).toBeLessThan(1e-9);
    });
  });
});
