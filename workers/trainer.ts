/** The trainer's worker: one GPU device, one engine; publishes each version to the weight board. */
import { openGpu } from "../src/gpu/device.ts";
import { serve, transfer } from "../src/rpc/connect.ts";
import { hang } from "../src/rpc/hang.ts";
import type { TrainingBatch } from "../src/trainer/batch.ts";
import { TrainerWorker } from "../src/trainer/worker.ts";

const worker = new TrainerWorker((maxMemoryBytes) => openGpu({ label: "trainer", maxMemoryBytes }));

serve({
  start: worker.start.bind(worker),
  async step(batch: TrainingBatch) {
    const step = await worker.step(batch);
    return transfer(step, [step.trainerLogprobs.buffer, step.advantages.buffer]);
  },
  turn: worker.turn.bind(worker),
  loseDevice: worker.loseDevice.bind(worker),
  hang,
  async state() {
    const state = await worker.state();
    const arrays = [...state.weights, ...state.firstMoments, ...state.secondMoments];
    return transfer(
      state,
      arrays.map((array) => array.buffer),
    );
  },
});
