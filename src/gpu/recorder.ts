/**
 * Records dispatches into one compute pass and submits them. Parameters of all dispatches lie in one uniform arena
 * that is uploaded once a submit; bind groups are made once per (kernel, buffers) and kept. A recorder submits by
 * itself when the estimated work or the arena is full, so that no submit runs long enough for a watchdog.
 */
import { BUFFER_USAGE, type BufferView } from "./buffer.ts";
import type { Gpu } from "./device.ts";
import type { AnyKernel } from "./kernel.ts";
import type { Phase, PhaseTimer } from "./phases.ts";

const SLOT = 256; // bytes: the guaranteed minUniformBufferOffsetAlignment
const SLOTS = 1024;

export interface RecorderCounters {
  dispatches: number;
  submits: number;
  flops: number;
  bytes: number;
}

/** Called once per dispatch while profiling: the pass's timestamps are the caller's. */
export interface DispatchObserver {
  /** Timestamp writes for a pass that holds this dispatch alone, or undefined to leave it out. */
  before(kernel: AnyKernel, flops: number, bytes: number): GPUComputePassTimestampWrites | undefined;
}

export class Recorder {
  readonly gpu: Gpu;
  readonly counters: RecorderCounters = { dispatches: 0, submits: 0, flops: 0, bytes: 0 };
  observer: DispatchObserver | null = null;
  /** Times the phases that are entered; null where nobody wants to know. */
  phases: PhaseTimer | null = null;
  private readonly label: string;
  private readonly arena: GPUBuffer;
  private readonly arenaBytes = new ArrayBuffer(SLOT * SLOTS);
  private readonly asU32 = new Uint32Array(this.arenaBytes);
  private readonly asI32 = new Int32Array(this.arenaBytes);
  private readonly asF32 = new Float32Array(this.arenaBytes);
  private readonly groups = new Map<string, GPUBindGroup>();
  private readonly offsets = new Uint32Array(1);
  private slot = 0;
  private pendingFlops = 0;
  private encoder: GPUCommandEncoder | null = null;
  private pass: GPUComputePassEncoder | null = null;

  constructor(gpu: Gpu, label: string) {
    this.gpu = gpu;
    this.label = label;
    this.arena = gpu.device.createBuffer({
      label: `${label} params`,
      size: SLOT * SLOTS,
      usage: BUFFER_USAGE.uniform | BUFFER_USAGE.copyDestination,
    });
    gpu.allocations++;
    gpu.supportBytes += SLOT * SLOTS;
  }

  /** Adds a dispatch; called by `Kernel.encode`, which has checked the shapes. */
  dispatch(
    kernel: AnyKernel,
    views: readonly BufferView[],
    values: readonly number[],
    grid: readonly [number, number, number],
    flops: number,
    bytes: number,
  ): void {
    if (
      this.slot === SLOTS ||
      (this.pendingFlops > 0 && this.pendingFlops + flops > this.gpu.maxFlopsPerSubmit)
    )
      this.submit();
    const base = (this.slot * SLOT) / 4;
    for (let i = 0; i < values.length; i++) {
      const type = kernel.paramTypes[i];
      if (type === "f32") this.asF32[base + i] = values[i];
      else if (type === "u32") this.asU32[base + i] = values[i];
      else this.asI32[base + i] = values[i];
    }
    const pipeline = this.gpu.pipeline(kernel.key);
    let key = kernel.key;
    for (let i = 0; i < kernel.access.length; i++)
      key += `|${views[i].id}:${views[i].offset}:${views[i].size}`;
    let group = this.groups.get(key);
    if (!group) {
      group = this.gpu.device.createBindGroup({
        label: kernel.key,
        layout: pipeline.layout,
        entries: [
          { binding: 0, resource: { buffer: this.arena, offset: 0, size: SLOT } },
          ...kernel.access.map((_, i) => ({
            binding: i + 1,
            resource: { buffer: views[i].buffer, offset: views[i].offset, size: views[i].size },
          })),
        ],
      });
      this.groups.set(key, group);
    }
    this.offsets[0] = this.slot * SLOT;
    const timestampWrites = this.observer?.before(kernel, flops, bytes);
    if (timestampWrites) this.endPass();
    const pass = this.openPass(timestampWrites);
    pass.setPipeline(pipeline.pipeline);
    pass.setBindGroup(0, group, this.offsets, 0, 1);
    pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
    if (timestampWrites) this.endPass();
    this.slot++;
    this.pendingFlops += flops;
    this.counters.dispatches++;
    this.counters.flops += flops;
    this.counters.bytes += bytes;
  }

  /** Copies `length` elements. The buffers must differ. */
  copy(from: BufferView, fromStart: number, to: BufferView, toStart: number, length: number): void {
    this.endPass();
    this.openEncoder().copyBufferToBuffer(
      from.buffer,
      from.offset + fromStart * 4,
      to.buffer,
      to.offset + toStart * 4,
      length * 4,
    );
  }

  /** Zeroes `length` elements from `start` on. */
  clear(view: BufferView, start = 0, length = view.size / 4 - start): void {
    this.endPass();
    this.openEncoder().clearBuffer(view.buffer, view.offset + start * 4, length * 4);
  }

  /** What is recorded from here on belongs to a phase, in passes of its own. */
  enter(phase: Phase): void {
    if (!this.phases) return;
    if (this.phases.submitsBetween) this.submit();
    else this.endPass();
    this.phases.enter(phase);
  }

  /** Submits the last of a step's phases. */
  submitLast(): void {
    this.endPass();
    this.phases?.close?.(() => this.openEncoder());
    this.submit();
  }

  /** Sends what was recorded; does nothing when nothing was. */
  submit(): void {
    if (!this.encoder) return;
    this.endPass();
    const { queue } = this.gpu.device;
    // Ordered on the queue: earlier submits have read their parameters before this write lands.
    if (this.slot > 0) queue.writeBuffer(this.arena, 0, this.arenaBytes, 0, this.slot * SLOT);
    this.phases?.submitted?.();
    queue.submit([this.encoder.finish()]);
    this.gpu.queueLog?.submitted(this.slot);
    this.encoder = null;
    this.slot = 0;
    this.pendingFlops = 0;
    this.counters.submits++;
  }

  /** Frees the parameter arena; the recorder is of no use afterwards. */
  dispose(): void {
    this.gpu.supportBytes -= SLOT * SLOTS;
    this.arena.destroy();
  }

  private openEncoder(): GPUCommandEncoder {
    this.encoder ??= this.gpu.device.createCommandEncoder({ label: this.label });
    return this.encoder;
  }

  private openPass(timestampWrites?: GPUComputePassTimestampWrites): GPUComputePassEncoder {
    this.pass ??= this.openEncoder().beginComputePass({
      label: this.label,
      timestampWrites: timestampWrites ?? this.phases?.writes?.(),
    });
    return this.pass;
  }

  private endPass(): void {
    this.pass?.end();
    this.pass = null;
  }
}
