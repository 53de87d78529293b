/**
 * Counts what a stretch of code asks of WebGPU, at the interface itself, so that nothing can be left out: dispatches,
 * submits, uploads, read-backs, and objects made. For benchmarks and tests alone; browser-safe.
 */

export interface Tally {
  dispatches: number;
  passes: number;
  submits: number;
  /** Writes from the host into a buffer. */
  uploads: number;
  /** Buffers mapped for the host to read. */
  readbacks: number;
  buffers: number;
  bindGroups: number;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

interface Watched {
  prototype: object;
  method: string;
  counter: keyof Tally;
}

function watched(): Watched[] {
  return [
    {
      prototype: GPUComputePassEncoder.prototype,
      method: "dispatchWorkgroups",
      counter: "dispatches",
    },
    { prototype: GPUCommandEncoder.prototype, method: "beginComputePass", counter: "passes" },
    { prototype: GPUQueue.prototype, method: "submit", counter: "submits" },
    { prototype: GPUQueue.prototype, method: "writeBuffer", counter: "uploads" },
    { prototype: GPUBuffer.prototype, method: "mapAsync", counter: "readbacks" },
    { prototype: GPUDevice.prototype, method: "createBuffer", counter: "buffers" },
    { prototype: GPUDevice.prototype, method: "createBindGroup", counter: "bindGroups" },
  ];
}

/** Runs `work` and counts; every device of this thread counts. */
export async function tally<T>(work: () => Promise<T>): Promise<{ result: T; counts: Tally }> {
  const counts: Tally = {
    dispatches: 0,
    passes: 0,
    submits: 0,
    uploads: 0,
    readbacks: 0,
    buffers: 0,
    bindGroups: 0,
  };
  const restored = watched().map(({ prototype, method, counter }) => {
    const original = Object.getOwnPropertyDescriptor(prototype, method)!;
    const call = original.value as Method;
    Object.defineProperty(prototype, method, {
      ...original,
      value(this: unknown, ...args: unknown[]) {
        counts[counter]++;
        return call.apply(this, args);
      },
    });
    return () => Object.defineProperty(prototype, method, original);
  });
  try {
    return { result: await work(), counts };
  } finally {
    for (const restore of restored) restore();
  }
}
