/**
 * A device that computes nothing but notes what is dispatched: what plans a run's time records with the code of the run,
 * so that plan and run cannot drift apart.
 */
import type { MemoryLimits } from "./counting.ts";
import { Gpu } from "./device.ts";
import { type AnyKernel, type Dims, Kernel } from "./kernel.ts";
import type { Pipeline } from "./pipeline.ts";

export interface RecordedDispatch {
  kernel: Kernel<string, string>;
  dims: Dims<string>;
  /** Workgroups. */
  grid: readonly [number, number, number];
  /** What the host had written into each binding, in the bindings' order; null where it had written nothing. */
  contents: (Uint8Array | null)[];
}

/** A bound range, as `Recorder` binds it. */
interface Bound {
  buffer: object;
  offset?: number;
}

interface Pending {
  dispatch: RecordedDispatch;
  /** Bytes into the parameters of the submit. */
  slot: number;
}

export class RecordingGpu extends Gpu {
  /** All so far, in their order; sizes are known from the submit on. */
  readonly dispatches: RecordedDispatch[] = [];
  private readonly kernels = new Map<string, AnyKernel>();

  /** `like`: what the recorded code may look at of the device that it will run on. */
  constructor(limits: MemoryLimits, like: Partial<Pick<Gpu, "halfForm">> = {}) {
    const notes = new Notes();
    const adapter = { info: { description: "a recording" } };
    super(notes.device(limits) as unknown as GPUDevice, adapter as GPUAdapter, {});
    this.halfForm = like.halfForm ?? this.halfForm;
    notes.dispatches = this.dispatches;
    notes.kernelOf = (key) => this.kernels.get(key);
  }

  /** Kernels that were asked for, each once. */
  get compiled(): readonly AnyKernel[] {
    return [...this.kernels.values()];
  }

  override async compile(kernels: readonly AnyKernel[]): Promise<void> {
    for (const kernel of kernels) this.kernels.set(kernel.key, kernel);
  }

  override pipeline(key: string): Pipeline {
    return { key, pipeline: {} as GPUComputePipeline, layout: {} as GPUBindGroupLayout };
  }
}

/** What stands behind the device. */
class Notes {
  dispatches: RecordedDispatch[] = [];
  kernelOf: (key: string) => AnyKernel | undefined = () => undefined;
  /** The newest write to each buffer. */
  private readonly written = new Map<object, { offset: number; bytes: Uint8Array }>();
  private readonly arenas = new Set<object>();
  private pending: Pending[] = [];
  private bound: { key: string; views: Bound[] } = { key: "", views: [] };
  private slot = 0;

  device(limits: MemoryLimits) {
    const nothing = () => undefined;
    const pass = {
      setPipeline: nothing,
      setBindGroup: (_: number, group: typeof this.bound, offsets: Uint32Array) => {
        this.bound = group;
        this.slot = offsets[0];
      },
      dispatchWorkgroups: (...grid: [number, number, number]) => this.dispatched(grid),
      end: nothing,
    };
    return {
      limits,
      features: new Set<string>(),
      lost: new Promise(nothing),
      addEventListener: nothing,
      pushErrorScope: nothing,
      popErrorScope: async () => null,
      queue: {
        writeBuffer: (...write: Parameters<Notes["wrote"]>) => this.wrote(...write),
        submit: nothing,
        onSubmittedWorkDone: async () => undefined,
      },
      createBuffer: ({ label = "", size }: GPUBufferDescriptor) => ({ size, label, destroy: nothing }),
      createBindGroup: ({ label: key, entries }: { label: string; entries: { resource: Bound }[] }) => {
        const [arena, ...views] = entries.map(({ resource }) => resource);
        this.arenas.add(arena.buffer);
        return { key, views };
      },
      createCommandEncoder: () => ({
        beginComputePass: () => pass,
        copyBufferToBuffer: nothing,
        clearBuffer: nothing,
        finish: nothing,
      }),
    };
  }

  private dispatched(grid: [number, number, number]): void {
    const { key, views } = this.bound;
    const kernel = this.kernelOf(key);
    if (!(kernel instanceof Kernel)) throw new RangeError(`Cannot record ${key}: it was not compiled`);
    const dispatch = { kernel, dims: {}, grid, contents: views.map((view) => this.contentsOf(view)) };
    this.dispatches.push(dispatch);
    this.pending.push({ dispatch, slot: this.slot });
  }

  private contentsOf({ buffer, offset = 0 }: Bound): Uint8Array | null {
    const write = this.written.get(buffer);
    return write && offset >= write.offset ? write.bytes.subarray(offset - write.offset) : null;
  }

  /** As `GPUQueue.writeBuffer`, lengths in bytes where `from` is an ArrayBuffer. */
  private wrote(buffer: object, offset: number, from: ArrayBuffer | ArrayBufferView): void {
    if (this.arenas.has(buffer)) {
      const words = from as ArrayBuffer;
      for (const { dispatch, slot } of this.pending) dispatch.dims = dimsAt(dispatch.kernel, words, slot);
      this.pending = [];
      return;
    }
    const bytes = ArrayBuffer.isView(from)
      ? new Uint8Array(from.buffer, from.byteOffset, from.byteLength)
      : new Uint8Array(from);
    this.written.set(buffer, { offset, bytes });
  }
}

function dimsAt({ spec, paramTypes }: Kernel<string, string>, params: ArrayBuffer, slot: number) {
  const arrays = { f32: Float32Array, u32: Uint32Array, i32: Int32Array };
  const names = Object.keys(spec.params);
  return Object.fromEntries(
    names.map((name, i) => [name, new arrays[paramTypes[i]](params, slot + 4 * i, 1)[0]]),
  );
}
