/**
 * An ONNX graph as files: one where it is small, else the weights beside it. ONNX then names a file of raw values, and
 * places in it. Knows no disks.
 */
import { type ExternalPlace, encodeOnnx, type OnnxGraph } from "./onnx_proto.ts";

/**
 * Bytes of weights that lie in the model itself. Protobuf ends at 2 GiB; onnxruntime-web, which copies the model more than
 * once within its 4 GiB, opens 0.5 GiB in one file and hangs on 1.9 GiB; with the weights beside it opens 2.2 GiB.
 */
const LARGEST_WITHIN = 768 * 2 ** 20;
/** Runtimes map the file of weights into memory by pages. */
const PAGE = 4096;
/** Shapes and constants stay in the graph, where optimisers look at them. */
const SMALLEST_OUTSIDE = 1024;

/** Values and where they lie in the file of weights. */
export interface WeightPiece {
  offset: number;
  bytes: Uint8Array;
}

export interface OnnxFiles {
  model: Uint8Array;
  /** In the order of their offsets; null where the model holds everything. */
  weights: WeightPiece[] | null;
}

/**
 * @param weightsName what the model calls the file of weights, which lies in the same folder
 * @param largest bytes of weights that may lie in the model itself
 */
export async function packOnnx(
  graph: OnnxGraph,
  weightsName: string,
  largest = LARGEST_WITHIN,
): Promise<OnnxFiles> {
  const total = graph.initializers.reduce((sum, { rawData }) => sum + rawData.byteLength, 0);
  if (total <= largest) return { model: await encodeOnnx(graph), weights: null };
  const places = new Map<string, ExternalPlace>();
  const weights: WeightPiece[] = [];
  let end = 0;
  for (const { name, rawData } of graph.initializers) {
    if (rawData.byteLength < SMALLEST_OUTSIDE) continue;
    const offset = Math.ceil(end / PAGE) * PAGE;
    end = offset + rawData.byteLength;
    places.set(name, { location: weightsName, offset, length: rawData.byteLength });
    weights.push({ offset, bytes: rawData });
  }
  return { model: await encodeOnnx(graph, places), weights };
}

/** Bytes of the file of weights. */
export function weightsLength(weights: readonly WeightPiece[]): number {
  const last = weights.at(-1);
  return last ? last.offset + last.bytes.byteLength : 0;
}

/** The file of weights in memory. */
export function joinWeights(weights: readonly WeightPiece[]): Uint8Array {
  const joined = new Uint8Array(weightsLength(weights));
  for (const { offset, bytes } of weights) joined.set(bytes, offset);
  return joined;
}
