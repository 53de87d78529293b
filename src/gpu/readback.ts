/** Reads buffers back through reusable staging buffers: one submit and one wait however many ranges are read. */
import { BUFFER_USAGE, type BufferView } from "./buffer.ts";
import type { Gpu } from "./device.ts";

export interface ReadRange {
  source: BufferView;
  /** First element (4 bytes each) within the view. */
  start?: number;
  /** Elements. */
  length: number;
}

/** Bytes of the buffer through which `size` bytes are read: a run settles on a few, as sizes grow by powers of two. */
export function stagingBytes(size: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1024, size)));
}

export class StagingPool {
  private readonly gpu: Gpu;
  private readonly idle: GPUBuffer[] = [];

  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /** The ranges' bytes, each in an ArrayBuffer of its own. @throws GpuLostError, ShaderError */
  async read(ranges: readonly ReadRange[]): Promise<ArrayBuffer[]> {
    const { device } = this.gpu;
    const total = ranges.reduce((sum, range) => sum + range.length * 4, 0);
    const staging = this.take(total);
    const encoder = device.createCommandEncoder({ label: "readback" });
    let at = 0;
    for (const { source, start = 0, length } of ranges) {
      if (length > 0)
        encoder.copyBufferToBuffer(source.buffer, source.offset + start * 4, staging, at, length * 4);
      at += length * 4;
    }
    device.queue.submit([encoder.finish()]);
    const submits = this.gpu.queueLog?.submitted(0) ?? 0;
    const mapped = staging.mapAsync(GPUMapMode.READ, 0, Math.max(4, total));
    const outcome = await Promise.race([mapped.then(() => null), this.gpu.lost]).catch((cause: unknown) => {
      this.gpu.assertHealthy();
      throw cause;
    });
    if (outcome) throw outcome;
    this.gpu.queueLog?.finished(submits);
    this.gpu.assertHealthy();
    const bytes = staging.getMappedRange(0, Math.max(4, total));
    at = 0;
    const copies = ranges.map(({ length }) => {
      const copy = bytes.slice(at, at + length * 4);
      at += length * 4;
      return copy;
    });
    staging.unmap();
    this.idle.push(staging);
    return copies;
  }

  private take(size: number): GPUBuffer {
    const found = this.idle.findIndex((buffer) => buffer.size >= size);
    if (found >= 0) return this.idle.splice(found, 1)[0];
    const rounded = stagingBytes(size);
    this.gpu.allocations++;
    this.gpu.supportBytes += rounded;
    return this.gpu.device.createBuffer({
      label: "staging",
      size: rounded,
      usage: BUFFER_USAGE.mapRead | BUFFER_USAGE.copyDestination,
    });
  }
}
