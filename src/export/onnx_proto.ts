/**
 * The ONNX file format as far as a decoder needs it, and its encoding. Field numbers are those of onnx.proto
 * (IR version 8); names are protobufjs's camelCase of them. Knows no models and no disks; protobufjs is loaded when
 * the first file is encoded.
 */

/** Of TensorProto.DataType. */
export const FLOAT = 1;
export const INT64 = 7;
export const BOOL = 9;

/** ONNX 1.13: old enough for every runtime in use, new enough for axes as inputs. */
const IR_VERSION = 8;
const OPSET = 18;

export interface OnnxTensor {
  name: string;
  dims: readonly number[];
  dataType: typeof FLOAT | typeof INT64;
  /** Little-endian values. */
  rawData: Uint8Array;
}

export type OnnxAttribute = number | readonly number[];

export interface OnnxNode {
  opType: string;
  name: string;
  input: readonly string[];
  output: readonly string[];
  /** Whole numbers become INT or INTS. */
  attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** An input or output of the graph; a text stands for a length that is known when it runs. */
export interface OnnxValue {
  name: string;
  dataType: typeof FLOAT | typeof INT64;
  dims: readonly (number | string)[];
}

export interface OnnxGraph {
  name: string;
  nodes: readonly OnnxNode[];
  initializers: readonly OnnxTensor[];
  inputs: readonly OnnxValue[];
  outputs: readonly OnnxValue[];
}

/** Where a tensor lies in the file of weights beside the model. */
export interface ExternalPlace {
  location: string;
  offset: number;
  length: number;
}

const field = (id: number, type: string) => ({ id, type });
const repeated = (id: number, type: string) => ({ id, type, rule: "repeated" });
/** TensorProto.data_location EXTERNAL. */
const EXTERNAL = 1;
/** AttributeProto.type of one and of several integers. */
const INT = 2;
const INTS = 7;

const descriptor = {
  nested: {
    ModelProto: {
      fields: {
        irVersion: field(1, "int64"),
        opsetImport: repeated(8, "OperatorSetIdProto"),
        producerName: field(2, "string"),
        graph: field(7, "GraphProto"),
        metadataProps: repeated(14, "StringStringEntryProto"),
      },
    },
    OperatorSetIdProto: { fields: { domain: field(1, "string"), version: field(2, "int64") } },
    StringStringEntryProto: { fields: { key: field(1, "string"), value: field(2, "string") } },
    GraphProto: {
      fields: {
        node: repeated(1, "NodeProto"),
        name: field(2, "string"),
        initializer: repeated(5, "TensorProto"),
        input: repeated(11, "ValueInfoProto"),
        output: repeated(12, "ValueInfoProto"),
      },
    },
    NodeProto: {
      fields: {
        input: repeated(1, "string"),
        output: repeated(2, "string"),
        name: field(3, "string"),
        opType: field(4, "string"),
        attribute: repeated(5, "AttributeProto"),
      },
    },
    AttributeProto: {
      fields: {
        name: field(1, "string"),
        i: field(3, "int64"),
        ints: repeated(8, "int64"),
        type: field(20, "int32"),
      },
    },
    TensorProto: {
      fields: {
        dims: repeated(1, "int64"),
        dataType: field(2, "int32"),
        name: field(8, "string"),
        rawData: field(9, "bytes"),
        externalData: repeated(13, "StringStringEntryProto"),
        dataLocation: field(14, "int32"),
      },
    },
    ValueInfoProto: { fields: { name: field(1, "string"), type: field(2, "TypeProto") } },
    TypeProto: { fields: { tensorType: field(1, "TensorTypeProto") } },
    TensorTypeProto: { fields: { elemType: field(1, "int32"), shape: field(2, "TensorShapeProto") } },
    TensorShapeProto: { fields: { dim: repeated(1, "DimensionProto") } },
    DimensionProto: { fields: { dimValue: field(1, "int64"), dimParam: field(2, "string") } },
  },
};

/**
 * Encodes a model; tensors with a place in `external` are named there and not put into the file.
 * The result stays below 2 GiB if the caller sees to it: protobuf ends there.
 */
export async function encodeOnnx(
  graph: OnnxGraph,
  external: ReadonlyMap<string, ExternalPlace> = new Map(),
): Promise<Uint8Array> {
  const { default: protobuf } = await import("protobufjs/light.js");
  const model = protobuf.Root.fromJSON(descriptor).lookupType("ModelProto");
  return model
    .encode({
      irVersion: IR_VERSION,
      opsetImport: [{ domain: "", version: OPSET }],
      producerName: "webgrpo",
      graph: {
        name: graph.name,
        node: graph.nodes.map(({ attributes, ...node }) => ({
          ...node,
          attribute: Object.entries(attributes).map(([name, value]) => encodeAttribute(name, value)),
        })),
        initializer: graph.initializers.map((tensor) => encodeTensor(tensor, external.get(tensor.name))),
        input: graph.inputs.map(encodeValue),
        output: graph.outputs.map(encodeValue),
      },
    })
    .finish();
}

function encodeAttribute(name: string, value: OnnxAttribute) {
  return typeof value === "number" ? { name, type: INT, i: value } : { name, type: INTS, ints: value };
}

function encodeTensor({ name, dims, dataType, rawData }: OnnxTensor, place: ExternalPlace | undefined) {
  if (!place) return { name, dims, dataType, rawData };
  const externalData = Object.entries(place).map(([key, value]) => ({ key, value: String(value) }));
  return { name, dims, dataType, dataLocation: EXTERNAL, externalData };
}

function encodeValue({ name, dataType, dims }: OnnxValue) {
  const dim = dims.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: dataType, shape: { dim } } } };
}
