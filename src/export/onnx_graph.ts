/** Puts an ONNX graph together: every call adds one operator and gives the name of what it makes. */
import {
  FLOAT,
  INT64,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from "./onnx_proto.ts";

/** Weights as a model has them. */
export interface NamedTensors {
  get(name: string): { shape: readonly number[]; data: Float32Array } | undefined;
}

export class GraphBuilder {
  readonly inputs: OnnxValue[] = [];
  readonly outputs: OnnxValue[] = [];
  private readonly nodes: OnnxNode[] = [];
  private readonly initializers = new Map<string, OnnxTensor>();
  private readonly weights: NamedTensors;
  private made = 0;

  constructor(weights: NamedTensors) {
    this.weights = weights;
  }

  /** Adds an operator with one output, called `output` if that is given. */
  op(
    opType: string,
    input: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    output?: string,
  ): string {
    return this.ops(opType, input, 1, attributes, output)[0];
  }

  /** Adds an operator with `count` outputs. */
  ops(
    opType: string,
    input: readonly string[],
    count: number,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    output?: string,
  ): string[] {
    const name = `${opType}_${this.made++}`;
    const names = Array.from({ length: count }, (_, i) => output ?? (count === 1 ? name : `${name}.${i}`));
    this.nodes.push({ opType, name, input, output: names, attributes });
    return names;
  }

  /** A weight of the model under its own name; asked for again, the same one. @throws RangeError */
  weight(name: string): string {
    const tensor = this.weights.get(name);
    if (!tensor) throw new RangeError(`Cannot export ${name}: the model has no tensor of that name`);
    return this.floats(name, tensor.shape, tensor.data);
  }

  /** A tensor of the graph's own; the first one of a name counts. */
  floats(name: string, dims: readonly number[], values: Float32Array): string {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return this.initializer({ name, dims, dataType: FLOAT, rawData });
  }

  float(value: number): string {
    return this.floats(`float_${value}`, [], Float32Array.of(value));
  }

  /** A list of integers, for shapes and axes. */
  integers(...values: number[]): string {
    return this.int64(`integers_${values.join("_")}`, [values.length], values);
  }

  integer(value: number): string {
    return this.int64(`integer_${value}`, [], [value]);
  }

  graph(name: string): OnnxGraph {
    const { nodes, inputs, outputs } = this;
    return { name, nodes, inputs, outputs, initializers: [...this.initializers.values()] };
  }

  private int64(name: string, dims: readonly number[], values: readonly number[]): string {
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.initializer({ name, dims, dataType: INT64, rawData });
  }

  private initializer(tensor: OnnxTensor): string {
    if (!this.initializers.has(tensor.name)) this.initializers.set(tensor.name, tensor);
    return tensor.name;
  }
}
