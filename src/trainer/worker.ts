/** The trainer as a worker serves it: engine plus publishing. Implements `TrainerApi`. */
import { requireSelfTest, settleHalfForm } from "../bench/require_self_test.ts";
import type { Recipe } from "../config/schema.ts";
import { openWeights } from "../data/weights_handle.ts";
import { WorkerError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import { logQueue } from "../gpu/queue_log.ts";
import { traceClock } from "../metrics/trace.ts";
import {
  openWeightWriter,
  type PayloadLayout,
  packShard,
  shardPayload,
  type WeightWriter,
} from "../weights/api.ts";
import type {
  OptimizerState,
  TrainerApi,
  TrainerKnobs,
  TrainerOptions,
  TrainerReady,
  TrainerStep,
} from "./api.ts";
import type { TrainingBatch } from "./batch.ts";
import { TrainerEngine } from "./engine.ts";

export class TrainerWorker implements Omit<TrainerApi, "hang"> {
  private readonly open: (maxMemoryBytes?: number) => Promise<Gpu>;
  private running: {
    engine: TrainerEngine;
    writer: WeightWriter;
    recipe: Recipe;
    payload: PayloadLayout;
    version: number;
  } | null = null;

  constructor(open: (maxMemoryBytes?: number) => Promise<Gpu>) {
    this.open = open;
  }

  async start({
    recipe,
    config,
    maxSequence,
    model,
    start,
    weights,
    firstVersion,
    maxMemoryBytes,
  }: TrainerOptions): Promise<TrainerReady> {
    const gpu = await this.open(maxMemoryBytes);
    if (recipe.gpu.selfTest) await requireSelfTest(gpu);
    if (recipe.gpu.selfTest && recipe.trainer.frozenDtype === "f16") await settleHalfForm(gpu);
    const engine = await TrainerEngine.create(gpu, { recipe, config, maxSequence });
    await engine.load({ model: await openWeights(model, config), state: start });
    const writer = openWeightWriter(weights);
    const payload = shardPayload(engine.policy.trained.layout, recipe.weights.dtype);
    // A worker that takes over goes on after whatever its predecessor published, also in its last moments.
    const version = Math.max(firstVersion, writer.newestVersion() + 1);
    this.running = { engine, writer, recipe, payload, version };
    await this.publish(null);
    // The worker's own track begins here as well.
    logQueue(gpu);
    return { adapter: gpu.adapterName, allocatedBytes: gpu.allocatedBytes + gpu.supportBytes, version };
  }

  async step(batch: TrainingBatch): Promise<TrainerStep> {
    const running = this.started();
    const { spans } = running.engine;
    const from = traceClock();
    const done = await running.engine.step(batch);
    const computed = traceClock();
    running.version += running.recipe.trainer.minibatches;
    await this.publish(done.trained);
    const { version } = running;
    const published = spans.add("publish", computed, { version });
    const { trained: _, ...rest } = done;
    return {
      ...rest,
      version,
      computeMs: computed - from,
      publishMs: published - computed,
      spans: spans.take(),
      gpuSpans: running.engine.policy.gpu.queueLog?.take() ?? [],
    };
  }

  state(): Promise<OptimizerState> {
    return this.started().engine.state();
  }

  turn(knobs: TrainerKnobs): void {
    this.started().engine.turn(knobs);
  }

  loseDevice(): void {
    this.started().engine.policy.gpu.destroy();
  }

  /** Publishes what is trained: as it was read already, or read now. */
  private async publish(shards: readonly Float32Array[] | null): Promise<void> {
    const { engine, writer, version, payload } = this.started();
    await writer.publish(version, async (bytes) => {
      const pack = (shard: number, values: Float32Array) => packShard(payload, shard, values, bytes);
      if (shards) shards.forEach((values, shard) => void pack(shard, values));
      else await engine.streamTrained(pack);
    });
  }

  private started() {
    if (!this.running)
      throw new WorkerError("trainer/not-started", "Cannot use the trainer: start() has not been called");
    return this.running;
  }
}
