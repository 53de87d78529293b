/** ONNX's published node tests beside the project, read for tests under Deno. */
import { existsSync, readFileSync } from "node:fs";
import { fromFloat16 } from "../../src/model/float16.ts";

const folder = new URL("../../../shared/material/numeric/onnx-node-tests/", import.meta.url);
export const hasOnnxCases = existsSync(folder);

interface EncodedTensor {
  name: string;
  dtype: string;
  shape: number[];
  /** Base64 of little-endian values. */
  data: string;
}

interface EncodedCase {
  name?: string;
  id?: string;
  nodes: { attrs?: Record<string, unknown>; outputs: string[] }[];
  inputs: EncodedTensor[];
  outputs: EncodedTensor[];
}

export interface OnnxTensor {
  dtype: string;
  shape: number[];
  values: Float64Array;
}

export interface OnnxCase {
  name: string;
  attributes: Record<string, unknown>;
  inputs: ReadonlyMap<string, OnnxTensor>;
  outputs: ReadonlyMap<string, OnnxTensor>;
}

function decode({ dtype, shape, data }: EncodedTensor): OnnxTensor {
  const { buffer } = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const views: Record<string, () => ArrayLike<number>> = {
    float32: () => new Float32Array(buffer),
    float16: () => fromFloat16(new Uint16Array(buffer)),
    int64: () => Float64Array.from(new BigInt64Array(buffer), Number),
    bool: () => new Uint8Array(buffer),
  };
  return { dtype, shape, values: Float64Array.from(views[dtype]()) };
}

/** The cases of one operator; empty where the files are absent. */
export function onnxCases(operator: string): OnnxCase[] {
  if (!hasOnnxCases) return [];
  const file: { cases: EncodedCase[] } = JSON.parse(
    readFileSync(new URL(`${operator}.json`, folder), "utf8"),
  );
  const byName = (tensors: EncodedTensor[]) =>
    new Map(tensors.map((tensor) => [tensor.name, decode(tensor)]));
  return file.cases.map(({ name, id, nodes, inputs, outputs }) => ({
    name: name ?? id ?? "",
    attributes: nodes[0].attrs ?? {},
    inputs: byName(inputs),
    outputs: byName(outputs),
  }));
}
