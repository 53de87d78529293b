/** A generator's worker: one GPU device, continuous batched decoding, weights taken between two decode steps. */
import { GeneratorWorker } from "../src/generator/worker.ts";
import { openGpu } from "../src/gpu/device.ts";
import { serve } from "../src/rpc/connect.ts";
import { hang } from "../src/rpc/hang.ts";

const worker = new GeneratorWorker((maxMemoryBytes) => openGpu({ label: "generator", maxMemoryBytes }));

serve({
  start: worker.start.bind(worker),
  loseDevice: worker.loseDevice.bind(worker),
  hang,
});
