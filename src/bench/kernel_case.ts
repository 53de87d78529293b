/** One kernel at one size: what is timed, and how much work it is. */
import type { BufferView, GpuBuffer } from "../gpu/buffer.ts";
import type { Gpu } from "../gpu/device.ts";
import type { AnyKernel, Dims, Kernel } from "../gpu/kernel.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { HALF_FORMS, type HalfForm } from "../kernels/stored.ts";
import { toFloat16 } from "../model/float16.ts";

export type Contents = Float32Array | Uint32Array;

export interface KernelCase {
  /** Label of the kernel, and what it is used for where there is more than one use: `linear_vec4 gate_up`. */
  name: string;
  /** Name of the set of sizes. */
  set: string;
  kernel: AnyKernel;
  dims: Readonly<Record<string, number>>;
  flops: number;
  bytes: number;
  /** Compiles and allocates. @throws GpuLimitError, ShaderError */
  prepare(gpu: Gpu): Promise<PreparedCase>;
}

export interface PreparedCase extends Disposable {
  encode(recorder: Recorder): void;
}

export interface CaseOptions<B extends string> {
  set: string;
  /** What the kernel is used for here. */
  use?: string;
  /** Index tensors; every other binding is filled with small numbers. */
  contents?: Partial<Record<B, Contents>>;
  /** Bindings that hold f16, two to a word; all others hold f32. */
  halves?: readonly B[];
  /** Where the kernel itself cannot know how much work its data makes. */
  work?: { flops?: number; bytes?: number };
}

/** Describes a kernel at a size; nothing is allocated before `prepare`. */
export function kernelCase<P extends string, B extends string>(
  kernel: Kernel<P, B>,
  dims: Dims<P>,
  options: CaseOptions<B>,
): KernelCase {
  const { set, use, contents = {} as Partial<Record<B, Contents>>, halves = [], work = {} } = options;
  return {
    name: use ? `${kernel.label} ${use}` : kernel.label,
    set,
    kernel,
    dims,
    flops: work.flops ?? kernel.spec.flops(dims),
    bytes: work.bytes ?? kernel.spec.bytes(dims),
    async prepare(gpu) {
      await gpu.compile([kernel]);
      const buffers: GpuBuffer[] = [];
      const views = {} as Record<B, BufferView>;
      const names = Object.keys(kernel.spec.bindings) as B[];
      const dispose = () => {
        for (const buffer of buffers) buffer[Symbol.dispose]();
      };
      try {
        await gpu.withRoom(kernel.label, () => {
          for (const name of names) {
            const length = Math.max(1, kernel.spec.bindings[name].length(dims));
            const buffer = gpu.buffer(name, length);
            buffers.push(buffer);
            views[name] = buffer;
            const small = halves.includes(name) ? smallHalves : smallFloats;
            buffer.write(contents[name] ?? small(length));
          }
        });
      } catch (error) {
        dispose();
        throw error;
      }
      return { encode: (recorder) => kernel.encode(recorder, views, dims), [Symbol.dispose]: dispose };
    },
  };
}

/** Numbers between −0.5 and 0.5, none of them subnormal; fast to make, because there are many. */
export function smallFloats(length: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(length);
  const block = Math.min(length, 4096);
  let state = 1;
  for (let i = 0; i < block; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = state / 2 ** 32 - 0.5;
  }
  for (let at = block; at < length; at += block) values.copyWithin(at, 0, Math.min(block, length - at));
  return values;
}

/** Whole numbers below `limit`, spread by a fixed rule. */
export function smallWords(length: number, limit: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length }, (_, i) => Math.imul(i + 1, 2654435761) >>> 0).map((v) => v % limit);
}

/** f32 values rounded to f16, two to a word; an even number of them. */
export function packHalves(values: Float32Array): Uint32Array<ArrayBuffer> {
  const bits = new Uint16Array(values.length);
  toFloat16(values, bits);
  return new Uint32Array(bits.buffer);
}

/** (length) words of two f16 each, between −0.5 and 0.5. */
function smallHalves(length: number): Uint32Array<ArrayBuffer> {
  const values = new Uint32Array(length);
  const block = Math.min(length, 2048);
  values.set(packHalves(smallFloats(2 * block)));
  for (let at = block; at < length; at += block) values.copyWithin(at, 0, Math.min(block, length - at));
  return values;
}

/** The forms in which this device can run the kernels on f16; the last is the one it runs them in. */
export function halfForms(gpu: Gpu): readonly HalfForm[] {
  return gpu.tier.startsWith("f16") ? HALF_FORMS : ["packed"];
}
