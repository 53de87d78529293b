/**
 * Opens a WebGPU device and is the one owner of what hangs on it: compiled pipelines, buffers, read-back.
 * Only `src/gpu` touches `GPUDevice`; everything else is given a `Gpu`.
 */
import { GpuLimitError, GpuLostError, GpuUnavailableError, ShaderError } from "../errors.ts";
import { BUFFER_USAGE, GpuBuffer } from "./buffer.ts";
import type { AnyKernel } from "./kernel.ts";
import { compilePipeline, type Pipeline } from "./pipeline.ts";
import type { QueueLog } from "./queue_log.ts";
import { StagingPool } from "./readback.ts";

/** What the adapter offers beyond WebGPU's guaranteed limits. */
export type Tier = "base" | "f16" | "subgroups" | "f16+subgroups";

export interface GpuOptions {
  label?: string;
  /** Request nothing beyond the guaranteed limits and no features: what every adapter has. */
  baseOnly?: boolean;
  /** Refuse to allocate more than this in all; unlimited without it. */
  maxMemoryBytes?: number;
}

const OPTIONAL_FEATURES = ["shader-f16", "subgroups", "timestamp-query"] as const;
const RAISED_LIMITS = ["maxBufferSize", "maxStorageBufferBindingSize"] as const;

export class Gpu {
  readonly device: GPUDevice;
  readonly label: string;
  readonly adapterName: string;
  readonly tier: Tier;
  /** How kernels read f16: by the shaders' own type where the device has it, else as pairs in words. */
  halfForm: "native" | "packed";
  readonly maxMemoryBytes: number;
  /** Resolves once, when the device is gone. */
  readonly lost: Promise<GpuLostError>;
  readonly staging: StagingPool;
  /** Bytes of all live storage buffers. */
  allocatedBytes = 0;
  /** Bytes of the buffers that carry dispatches' parameters and read-back. */
  supportBytes = 0;
  /** Buffers made so far: constant after the first step of a run. */
  allocations = 0;
  /** Estimated work after which a recorder submits by itself; `calibrateSubmits` fits it to the adapter. */
  maxFlopsPerSubmit = 2e9;
  /** When the queue had work; null where nobody takes it. */
  queueLog: QueueLog | null = null;
  private readonly pipelines = new Map<string, Pipeline>();
  private uncaptured: GPUError | null = null;
  private lossReason: GpuLostError | null = null;

  constructor(device: GPUDevice, adapter: GPUAdapter, options: GpuOptions) {
    this.device = device;
    this.label = options.label ?? "webgrpo";
    this.adapterName = describeAdapter(adapter);
    this.tier = tierOf(device.features);
    this.halfForm = device.features.has("shader-f16") ? "native" : "packed";
    this.maxMemoryBytes = options.maxMemoryBytes ?? Number.POSITIVE_INFINITY;
    this.staging = new StagingPool(this);
    device.addEventListener("uncapturederror", (event) => {
      this.uncaptured ??= (event as GPUUncapturedErrorEvent).error;
    });
    this.lost = device.lost.then((info) => {
      this.lossReason = new GpuLostError(
        "gpu/lost",
        `The GPU device "${this.label}" is gone: ${info.message || info.reason}`,
        {
          hint: "Close other pages or programs that use the GPU; a run continues from its newest checkpoint with --resume.",
        },
      );
      return this.lossReason;
    });
  }

  /** @throws the first validation error that no error scope caught, or GpuLostError. */
  assertHealthy(): void {
    if (this.lossReason) throw this.lossReason;
    if (this.uncaptured) {
      const found = this.uncaptured;
      this.uncaptured = null;
      throw new ShaderError(
        "gpu/validation",
        `WebGPU refused a command on "${this.label}": ${found.message}`,
      );
    }
  }

  /** Compiles every kernel that is not compiled yet, in parallel. @throws ShaderError */
  async compile(kernels: readonly AnyKernel[]): Promise<void> {
    const missing = new Map<string, AnyKernel>();
    for (const kernel of kernels) if (!this.pipelines.has(kernel.key)) missing.set(kernel.key, kernel);
    const built = await Promise.all(
      [...missing.values()].map((kernel) => compilePipeline(this.device, kernel)),
    );
    for (const pipeline of built) this.pipelines.set(pipeline.key, pipeline);
  }

  /** @throws RangeError when the kernel was not compiled beforehand. */
  pipeline(key: string): Pipeline {
    const found = this.pipelines.get(key);
    if (!found)
      throw new RangeError(
        `Cannot dispatch ${key}: it was not compiled; call gpu.compile([...]) at start-up`,
      );
    return found;
  }

  /** A zeroed storage buffer of `length` 4-byte elements (at least one). @throws GpuLimitError */
  buffer(label: string, length: number, extraUsage: GPUBufferUsageFlags = 0): GpuBuffer {
    const size = Math.max(4, Math.ceil(length) * 4);
    const { maxStorageBufferBindingSize, maxBufferSize } = this.device.limits;
    const allowed = Math.min(maxStorageBufferBindingSize, maxBufferSize);
    if (!(size <= allowed)) {
      throw new GpuLimitError(
        "gpu/buffer-too-large",
        `Cannot place ${label} of ${mib(size)} in one binding: this GPU allows ${mib(allowed)} per storage binding`,
        {
          hint: "Choose a smaller model or fewer micro-batch tokens, or a browser that grants larger bindings (see `npm run doctor`).",
        },
      );
    }
    if (this.allocatedBytes + size > this.maxMemoryBytes) {
      throw new GpuLimitError(
        "gpu/out-of-memory",
        `Cannot allocate ${label} of ${mib(size)}: ${mib(this.allocatedBytes)} of the ${mib(this.maxMemoryBytes)} allowed are in use`,
        {
          hint: "Lower trainer.microBatchTokens or generator.concurrency, choose a smaller model, or raise gpu.maxMemoryMiB.",
        },
      );
    }
    const { storage, copySource, copyDestination } = BUFFER_USAGE;
    const usage = storage | copySource | copyDestination | extraUsage;
    return new GpuBuffer(this, this.device.createBuffer({ label, size, usage }), label);
  }

  /** A buffer that holds `values`. */
  bufferFrom(label: string, values: Float32Array | Uint32Array | Int32Array): GpuBuffer {
    const made = this.buffer(label, values.length);
    made.write(values);
    return made;
  }

  /** Runs `allocate` and reports an adapter that has no room as a typed error. @throws GpuLimitError */
  async withRoom<T>(what: string, allocate: () => T): Promise<T> {
    this.device.pushErrorScope("out-of-memory");
    let made: T;
    try {
      made = allocate();
    } finally {
      const failure = await this.device.popErrorScope();
      if (failure) {
        // biome-ignore lint/correctness/noUnsafeFinally: the adapter's refusal outranks what followed from it
        throw new GpuLimitError(
          "gpu/out-of-memory",
          `Cannot allocate ${what}: the GPU has no room left (${failure.message})`,
          {
            hint: "Lower trainer.microBatchTokens or generator.concurrency, or choose a smaller model.",
          },
        );
      }
    }
    return made;
  }

  /** Hands what was written to the device, and resolves when it is there. @throws what `assertHealthy` throws */
  async flush(): Promise<void> {
    // Writes wait for a submit, even of nothing.
    this.device.queue.submit([]);
    await this.idle();
  }

  /** Resolves when all submitted work is done. @throws what `assertHealthy` throws. */
  async idle(): Promise<void> {
    const submits = this.queueLog?.submits ?? 0;
    await Promise.race([this.device.queue.onSubmittedWorkDone(), this.lost]);
    this.queueLog?.finished(submits);
    this.assertHealthy();
  }

  destroy(): void {
    this.device.destroy();
  }
}

/** Opens a device. @throws GpuUnavailableError when there is no WebGPU, no adapter or no device. */
export async function openGpu(options: GpuOptions = {}): Promise<Gpu> {
  const api = globalThis.navigator?.gpu;
  if (!api) {
    throw new GpuUnavailableError("gpu/no-webgpu", "Cannot open a GPU: this environment has no WebGPU", {
      hint: "Use Chrome 113 or newer (Linux: 144, or with --enable-unsafe-webgpu), or run under Deno with `npm run doctor`.",
    });
  }
  const adapter = await api.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new GpuUnavailableError(
      "gpu/no-adapter",
      "Cannot open a GPU: WebGPU is there but found no adapter",
      {
        hint: "Install a Vulkan driver (Debian, without a GPU: apt-get install mesa-vulkan-drivers libvulkan1) and run `npm run doctor`.",
      },
    );
  }
  const requiredFeatures: GPUFeatureName[] = [];
  const requiredLimits: Record<string, number> = {};
  if (!options.baseOnly) {
    for (const feature of OPTIONAL_FEATURES)
      if (adapter.features.has(feature)) requiredFeatures.push(feature);
    for (const limit of RAISED_LIMITS) requiredLimits[limit] = adapter.limits[limit];
  }
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ label: options.label, requiredFeatures, requiredLimits });
  } catch (cause) {
    throw new GpuUnavailableError("gpu/no-device", `Cannot open a device on ${describeAdapter(adapter)}`, {
      cause,
      hint: "Restart the browser or update the graphics driver; `npm run doctor` shows what the adapter offers.",
    });
  }
  return new Gpu(device, adapter, options);
}

/** Limits that a device of the best adapter could have; null where there is no adapter. */
export async function adapterLimits(): Promise<GPUSupportedLimits | null> {
  const adapter = await globalThis.navigator?.gpu?.requestAdapter({ powerPreference: "high-performance" });
  return adapter?.limits ?? null;
}

function describeAdapter(adapter: GPUAdapter): string {
  const { vendor, architecture, device, description } = adapter.info;
  return description || [vendor, architecture, device].filter(Boolean).join(" ") || "unnamed adapter";
}

function tierOf(features: GPUSupportedFeatures): Tier {
  const f16 = features.has("shader-f16");
  const subgroups = features.has("subgroups");
  if (f16 && subgroups) return "f16+subgroups";
  return f16 ? "f16" : subgroups ? "subgroups" : "base";
}

/** 1234567 → "1.2 MiB". */
export function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 100 * 2 ** 20 ? 1 : 0)} MiB`;
}
