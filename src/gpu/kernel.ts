/**
 * A kernel as data: its WGSL, its binding table, its parameters, how many workgroups it needs and what it costs.
 * The twin of a shader exports exactly one of these. `encode` checks shapes, allocates nothing and awaits nothing.
 */
import type { BufferView } from "./buffer.ts";
import type { Recorder } from "./recorder.ts";

export type ParamType = "u32" | "i32" | "f32";
export type Access = "read" | "read_write";

/** Numbers by parameter name. */
export type Dims<P extends string> = Record<P, number>;

export interface BindingSpec<P extends string> {
  access: Access;
  /** Elements (4 bytes each) that the kernel may touch; a smaller buffer is refused. */
  length(dims: Dims<P>): number;
}

export interface KernelSpec<P extends string, B extends string> {
  /** The file stem, which is also the entry point. */
  label: string;
  /** WGSL. */
  code: string;
  /** Fields of the Params struct in order: scalars only, 4 bytes each, at most 64. */
  params: Record<P, ParamType>;
  /** Storage bindings in order from @binding(1). */
  bindings: Record<B, BindingSpec<P>>;
  /** Values for the shader's override constants. */
  overrides?: Record<string, number>;
  /** Workgroups; each at most 65535 (see `spread`). `overrides` are the effective ones. */
  grid(dims: Dims<P>, overrides: Record<string, number>): readonly [number, number, number];
  /** Floating-point operations, a multiply-add counted as two. */
  flops(dims: Dims<P>): number;
  /** Bytes that must move at least. */
  bytes(dims: Dims<P>): number;
}

export interface AnyKernel {
  readonly key: string;
  readonly label: string;
  readonly code: string;
  readonly overrides: Record<string, number>;
  readonly paramTypes: readonly ParamType[];
  readonly access: readonly Access[];
}

export class Kernel<P extends string, B extends string> implements AnyKernel {
  /** Label and overrides: one pipeline each. */
  readonly key: string;
  readonly label: string;
  readonly code: string;
  readonly overrides: Record<string, number>;
  readonly paramTypes: readonly ParamType[];
  readonly access: readonly Access[];
  readonly spec: KernelSpec<P, B>;
  private readonly paramNames: readonly P[];
  private readonly bindingNames: readonly B[];
  private readonly views: BufferView[] = [];
  private readonly values: number[] = [];

  constructor(spec: KernelSpec<P, B>) {
    this.spec = spec;
    this.label = spec.label;
    this.code = spec.code;
    this.overrides = spec.overrides ?? {};
    this.key = [
      spec.label,
      ...Object.entries(this.overrides).map(([name, value]) => `${name}=${value}`),
    ].join(" ");
    this.paramNames = Object.keys(spec.params) as P[];
    this.paramTypes = this.paramNames.map((name) => spec.params[name]);
    this.bindingNames = Object.keys(spec.bindings) as B[];
    this.access = this.bindingNames.map((name) => spec.bindings[name].access);
  }

  /** The same shader with other override constants: a pipeline of its own. */
  with(overrides: Record<string, number>): Kernel<P, B> {
    return new Kernel({ ...this.spec, overrides: { ...this.overrides, ...overrides } });
  }

  /** Adds one dispatch to the recorder. @throws RangeError when a buffer is too small for the dimensions. */
  encode(recorder: Recorder, bindings: Record<B, BufferView>, dims: Dims<P>): void {
    const { spec, views, values } = this;
    for (let i = 0; i < this.bindingNames.length; i++) {
      const name = this.bindingNames[i];
      const view = bindings[name];
      const needed = spec.bindings[name].length(dims) * 4;
      if (!(view.size >= needed)) {
        throw new RangeError(
          `Cannot run ${this.label}: ${name} (${view.label}) has ${view.size} bytes, ${needed} are needed for ${JSON.stringify(dims)}`,
        );
      }
      views[i] = view;
    }
    for (let i = 0; i < this.paramNames.length; i++) values[i] = dims[this.paramNames[i]];
    const grid = spec.grid(dims, this.overrides);
    if (grid[0] > 0 && grid[1] > 0 && grid[2] > 0) {
      recorder.dispatch(this, views, values, grid, spec.flops(dims), spec.bytes(dims));
    }
  }
}

export function defineKernel<P extends string, B extends string>(spec: KernelSpec<P, B>): Kernel<P, B> {
  return new Kernel(spec);
}

/** Workgroups along one axis for `count` items, clamped to what WebGPU guarantees; kernels stride over the rest. */
export function spread(count: number): number {
  return Math.min(65535, Math.ceil(count));
}
