/** Buffers and dispatches of one case: everything is given back when the case ends. */
import type { GpuBuffer } from "../gpu/buffer.ts";
import type { Gpu } from "../gpu/device.ts";
import { Recorder } from "../gpu/recorder.ts";

export class KernelRun implements Disposable {
  readonly gpu: Gpu;
  readonly recorder: Recorder;
  private readonly held: Disposable[] = [];

  constructor(gpu: Gpu, label: string) {
    this.gpu = gpu;
    this.recorder = new Recorder(gpu, label);
  }

  /** A buffer that holds `values`. @throws GpuLimitError */
  put(label: string, values: Float32Array | Uint32Array): GpuBuffer {
    return this.hold(this.gpu.bufferFrom(label, values));
  }

  /** A buffer of `length` elements filled with NaN, so that what a kernel leaves out shows. @throws GpuLimitError */
  blank(label: string, length: number): GpuBuffer {
    return this.put(label, new Float32Array(length).fill(Number.NaN));
  }

  /** Keeps something until the case ends. */
  hold<T extends Disposable>(held: T): T {
    this.held.push(held);
    return held;
  }

  /** Submits what was recorded and reads the buffers. */
  async read(...buffers: readonly GpuBuffer[]): Promise<Float32Array[]> {
    this.recorder.submit();
    const bytes = await this.gpu.staging.read(buffers.map((source) => ({ source, length: source.length })));
    return bytes.map((one) => new Float32Array(one));
  }

  [Symbol.dispose](): void {
    for (const one of this.held.reverse()) one[Symbol.dispose]();
  }
}
