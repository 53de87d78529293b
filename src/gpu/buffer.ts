/** Storage buffers and the views of them that kernels bind. */
import type { Gpu } from "./device.ts";

/** Bits of GPUBufferUsage, which is missing where there is no WebGPU: memory is planned there too. */
export const BUFFER_USAGE = {
  mapRead: 0x1,
  copySource: 0x4,
  copyDestination: 0x8,
  uniform: 0x40,
  storage: 0x80,
  queryResolve: 0x200,
} as const;

let nextId = 1;

/** What a kernel binds: a byte range of one buffer; the offset is a multiple of 256. */
export interface BufferView {
  readonly id: number;
  readonly label: string;
  readonly buffer: GPUBuffer;
  /** Bytes. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/** A storage buffer of 4-byte elements; disposes with `using`. */
export class GpuBuffer implements BufferView, Disposable {
  readonly id = nextId++;
  readonly offset = 0;
  readonly label: string;
  readonly buffer: GPUBuffer;
  readonly size: number;
  private readonly gpu: Gpu;
  private alive = true;

  constructor(gpu: Gpu, buffer: GPUBuffer, label: string) {
    this.gpu = gpu;
    this.buffer = buffer;
    this.label = label;
    this.size = buffer.size;
    gpu.allocatedBytes += this.size;
    gpu.allocations++;
  }

  /** Elements. */
  get length(): number {
    return this.size / 4;
  }

  /** The `length` elements from element `start` on; `start` is a multiple of 64 (256 bytes). @throws RangeError */
  view(start: number, length: number): BufferView {
    if (start % 64 !== 0 || (start + length) * 4 > this.size) {
      throw new RangeError(
        `Cannot view elements ${start}..${start + length} of ${this.label} (${this.length} elements): the start must be a multiple of 64 and the end inside`,
      );
    }
    return {
      id: this.id,
      label: this.label,
      buffer: this.buffer,
      offset: start * 4,
      size: Math.max(4, length * 4),
    };
  }

  /** Queues a write of `values` at element `start`; it happens before the commands of the next submit. */
  write(values: Float32Array | Uint32Array | Int32Array, start = 0): void {
    if ((start + values.length) * 4 > this.size) {
      throw new RangeError(
        `Cannot write ${values.length} elements at ${start} into ${this.label}: it has ${this.length}`,
      );
    }
    if (values.length > 0)
      this.gpu.device.queue.writeBuffer(this.buffer, start * 4, values as GPUAllowSharedBufferSource);
  }

  /** Queues a write of f16 values, given as their bits, at the `start`-th half of the buffer; both are even. */
  writeHalves(bits: Uint16Array, start = 0): void {
    if (start % 2 !== 0 || bits.length % 2 !== 0 || (start + bits.length) * 2 > this.size) {
      throw new RangeError(
        `Cannot write ${bits.length} halves at ${start} into ${this.label} of ${this.size / 2}: even numbers that end inside are needed`,
      );
    }
    if (bits.length > 0)
      this.gpu.device.queue.writeBuffer(this.buffer, start * 2, bits as GPUAllowSharedBufferSource);
  }

  /** Reads `length` elements from `start` on. */
  async readFloats(start = 0, length = this.length - start): Promise<Float32Array> {
    const [bytes] = await this.gpu.staging.read([{ source: this, start, length }]);
    return new Float32Array(bytes);
  }

  async readWords(start = 0, length = this.length - start): Promise<Uint32Array> {
    const [bytes] = await this.gpu.staging.read([{ source: this, start, length }]);
    return new Uint32Array(bytes);
  }

  [Symbol.dispose](): void {
    if (!this.alive) return;
    this.alive = false;
    this.gpu.allocatedBytes -= this.size;
    this.buffer.destroy();
  }
}

/** A view from its element `start`, a multiple of 64, to its end; the view itself for `start` 0. @throws RangeError */
export function viewFrom(view: BufferView, start: number): BufferView {
  if (start === 0) return view;
  if (start % 64 !== 0 || start * 4 >= view.size) {
    throw new RangeError(
      `Cannot view ${view.label} (${view.size / 4} elements) from ${start} on: a multiple of 64 inside is needed`,
    );
  }
  const { id, label, buffer, offset, size } = view;
  return { id, label, buffer, offset: offset + start * 4, size: size - start * 4 };
}
