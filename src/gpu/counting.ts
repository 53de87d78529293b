/** A device that makes no buffers but counts them: what plans memory runs the same constructors as what uses it. */
import { Gpu } from "./device.ts";

export interface CountedBuffer {
  label: string;
  /** Bytes. */
  size: number;
}

export interface CountingGpu {
  gpu: Gpu;
  /** In the order in which they were made, without those that were destroyed. */
  buffers: ReadonlySet<CountedBuffer>;
}

export type MemoryLimits = Pick<GPUSupportedLimits, "maxBufferSize" | "maxStorageBufferBindingSize">;

/** What WebGPU promises on every adapter. */
export const GUARANTEED_LIMITS: MemoryLimits = {
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
};

/** A counting stand-in for a device of these limits: buffers too large for it are refused as it would refuse them. */
export function countingGpu(limits: MemoryLimits, maxMemoryBytes?: number): CountingGpu {
  const buffers = new Set<CountedBuffer>();
  const device = {
    limits,
    features: new Set<string>(),
    lost: new Promise(() => undefined),
    queue: { writeBuffer: () => undefined, submit: () => undefined },
    addEventListener: () => undefined,
    createBuffer: ({ label = "", size }: GPUBufferDescriptor) => {
      const counted = { label, size };
      buffers.add(counted);
      return { size, label, destroy: () => buffers.delete(counted) };
    },
  };
  const adapter = { info: { description: "a plan" } };
  const gpu = new Gpu(device as unknown as GPUDevice, adapter as GPUAdapter, { maxMemoryBytes });
  return { gpu, buffers };
}
