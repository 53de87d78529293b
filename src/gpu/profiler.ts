/** Times every dispatch of a recorder by timestamp queries, summed by kernel. For `bench`; not for training. */
import type { Gpu } from "./device.ts";
import type { AnyKernel } from "./kernel.ts";
import type { DispatchObserver, Recorder } from "./recorder.ts";

const CAPACITY = 2048; // dispatches: two queries each, within WebGPU's limit of 4096

export interface KernelTime {
  key: string;
  label: string;
  dispatches: number;
  /** Seconds on the GPU. */
  seconds: number;
  flops: number;
  bytes: number;
}

export class Profiler implements DispatchObserver {
  private readonly gpu: Gpu;
  private readonly queries: GPUQuerySet;
  private readonly resolved: GPUBuffer;
  private readonly staging: GPUBuffer;
  private pending: { kernel: AnyKernel; flops: number; bytes: number }[] = [];

  /** Whether the device can time dispatches. */
  static supported(gpu: Gpu): boolean {
    return gpu.device.features.has("timestamp-query");
  }

  constructor(gpu: Gpu) {
    this.gpu = gpu;
    const { device } = gpu;
    this.queries = device.createQuerySet({ label: "profiler", type: "timestamp", count: 2 * CAPACITY });
    this.resolved = device.createBuffer({
      label: "timestamps",
      size: 16 * CAPACITY,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    this.staging = device.createBuffer({
      label: "timestamps read",
      size: 16 * CAPACITY,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }

  before(kernel: AnyKernel, flops: number, bytes: number): GPUComputePassTimestampWrites | undefined {
    if (this.pending.length === CAPACITY) return undefined;
    const at = 2 * this.pending.length;
    this.pending.push({ kernel, flops, bytes });
    return { querySet: this.queries, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
  }

  /** Submits, waits, and returns the times by kernel since the last call, the longest first. */
  async collect(recorder: Recorder): Promise<KernelTime[]> {
    recorder.submit();
    const { device } = this.gpu;
    const count = this.pending.length;
    const encoder = device.createCommandEncoder({ label: "profiler" });
    encoder.resolveQuerySet(this.queries, 0, 2 * count, this.resolved, 0);
    encoder.copyBufferToBuffer(this.resolved, 0, this.staging, 0, 16 * count);
    device.queue.submit([encoder.finish()]);
    await this.staging.mapAsync(GPUMapMode.READ, 0, 16 * count);
    const stamps = new BigUint64Array(this.staging.getMappedRange(0, 16 * count).slice(0));
    this.staging.unmap();
    const times = new Map<string, KernelTime>();
    this.pending.forEach(({ kernel, flops, bytes }, i) => {
      const { key, label } = kernel;
      const time = times.get(key) ?? { key, label, dispatches: 0, seconds: 0, flops: 0, bytes: 0 };
      time.dispatches++;
      time.seconds += Number(stamps[2 * i + 1] - stamps[2 * i]) / 1e9;
      time.flops += flops;
      time.bytes += bytes;
      times.set(key, time);
    });
    this.pending = [];
    return [...times.values()].sort((a, b) => b.seconds - a.seconds);
  }

  destroy(): void {
    this.queries.destroy();
    this.resolved.destroy();
    this.staging.destroy();
  }
}
