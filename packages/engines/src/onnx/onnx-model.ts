import { PbfWriter } from 'pbf';

/** Element types of ONNX tensors (`TensorProto.DataType` in onnx.proto). */
export const ONNX_TYPE = { float: 1, uint8: 2, int32: 6, int64: 7 } as const;
export type OnnxType = (typeof ONNX_TYPE)[keyof typeof ONNX_TYPE];

/** An attribute: an integer, a list of integers, or a float (a bare number would be ambiguous: ONNX tells 1 from 1.0). */
export type Attribute = number | readonly number[] | { readonly float: number };

interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
}
interface Tensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly dimensions: readonly number[];
  readonly data: Float32Array | BigInt64Array | Int32Array | Uint8Array | ExternalFloats;
}
/** Float32 numbers beside the model: `length` of them from byte `offset` of the file {@link EXTERNAL_FILE}. */
export interface ExternalFloats {
  readonly offset: number;
  readonly length: number;
}
/** Name under which the runtime is given the bytes of external constants. */
export const EXTERNAL_FILE = 'weights';

interface Value {
  readonly name: string;
  readonly type: OnnxType;
  readonly dimensions: readonly number[];
}

/** Versions of the ONNX file format and operator set that are written: opset 17, understood by every runtime since 2022. */
const IR_VERSION = 8;
const OPSET = 17;

/** A graph under construction. Operators return the name of their output, so that calls nest like the formula they stand for. */
export interface OnnxGraph {
  input(name: string, type: OnnxType, dimensions: readonly number[]): string;
  /** A constant; equal names are written once. */
  floats(dimensions: readonly number[], data: Float32Array | readonly number[], name?: string): string;
  /** A constant that is kept beside the model, so that many sessions can read one copy. */
  externalFloats(dimensions: readonly number[], data: ExternalFloats): string;
  /** A list of int64, as shapes are. */
  integers(values: readonly number[]): string;
  /** One int32. */
  integer(value: number): string;
  /** `[0, step, 2·step, …]`, `count` int32 values. */
  integerRange(count: number, step: number): string;
  /** Zeros of type uint8. */
  zeroBytes(count: number): string;
  op(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, Attribute>>): string;
  /** Declares `value` an output of the model under `name`. */
  output(value: string, name: string, type: OnnxType, dimensions: readonly number[]): void;
  /** The model as an ONNX file. */
  encode(): Uint8Array;
}

export function createOnnxGraph(): OnnxGraph {
  const nodes: Node[] = [];
  const constants = new Map<string, Tensor>();
  const inputs: Value[] = [];
  const outputs: Value[] = [];
  let counter = 0;
  const fresh = () => `t${counter++}`;

  const constant = (tensor: Tensor): string => {
    if (!constants.has(tensor.name)) constants.set(tensor.name, tensor);
    return tensor.name;
  };

  return {
    input(name, type, dimensions) {
      inputs.push({ name, type, dimensions });
      return name;
    },
    floats(dimensions, data, name = fresh()) {
      return constant({ name, type: ONNX_TYPE.float, dimensions, data: Float32Array.from(data) });
    },
    externalFloats(dimensions, data) {
      return constant({ name: `external${data.offset}`, type: ONNX_TYPE.float, dimensions, data });
    },
    integers(values) {
      const data = BigInt64Array.from(values, BigInt);
      return constant({
        name: `i${values.join('_')}`,
        type: ONNX_TYPE.int64,
        dimensions: [values.length],
        data,
      });
    },
    integer(value) {
      const data = Int32Array.of(value);
      return constant({ name: `integer${value}`, type: ONNX_TYPE.int32, dimensions: [], data });
    },
    integerRange(count, step) {
      const data = Int32Array.from({ length: count }, (_, i) => i * step);
      return constant({ name: `range${count}x${step}`, type: ONNX_TYPE.int32, dimensions: [count], data });
    },
    zeroBytes(count) {
      return constant({
        name: `zeros${count}`,
        type: ONNX_TYPE.uint8,
        dimensions: [count],
        data: new Uint8Array(count),
      });
    },
    op(op, inputs, attributes = {}) {
      const output = fresh();
      nodes.push({ op, inputs, output, attributes });
      return output;
    },
    output(value, name, type, dimensions) {
      nodes.push({ op: 'Identity', inputs: [value], output: name, attributes: {} });
      outputs.push({ name, type, dimensions });
    },
    encode() {
      const model = new PbfWriter();
      model.writeVarintField(1, IR_VERSION);
      model.writeStringField(2, 'filterscope');
      model.writeMessage(7, writeGraph, { nodes, constants: [...constants.values()], inputs, outputs });
      model.writeMessage(8, writeOpset, OPSET);
      return model.finish();
    },
  };
}

type Graph = { nodes: Node[]; constants: Tensor[]; inputs: Value[]; outputs: Value[] };

// Field numbers are onnx.proto's.
function writeGraph(graph: Graph, pbf: PbfWriter): void {
  for (const node of graph.nodes) pbf.writeMessage(1, writeNode, node);
  pbf.writeStringField(2, 'vgg16');
  for (const tensor of graph.constants) pbf.writeMessage(5, writeTensor, tensor);
  for (const value of graph.inputs) pbf.writeMessage(11, writeValue, value);
  for (const value of graph.outputs) pbf.writeMessage(12, writeValue, value);
}

function writeOpset(version: number, pbf: PbfWriter): void {
  pbf.writeStringField(1, '');
  pbf.writeVarintField(2, version);
}

function writeNode(node: Node, pbf: PbfWriter): void {
  for (const input of node.inputs) pbf.writeStringField(1, input);
  pbf.writeStringField(2, node.output);
  pbf.writeStringField(3, node.output);
  pbf.writeStringField(4, node.op);
  for (const attribute of Object.entries(node.attributes)) pbf.writeMessage(5, writeAttribute, attribute);
}

const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

function writeAttribute([name, value]: [string, Attribute], pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  if (typeof value === 'number') {
    pbf.writeVarintField(3, value);
    pbf.writeVarintField(20, ATTRIBUTE_INT);
  } else if ('float' in value) {
    pbf.writeFloatField(2, value.float);
    pbf.writeVarintField(20, ATTRIBUTE_FLOAT);
  } else {
    for (const integer of value) pbf.writeVarintField(8, integer);
    pbf.writeVarintField(20, ATTRIBUTE_INTS);
  }
}

function writeTensor(tensor: Tensor, pbf: PbfWriter): void {
  for (const dimension of tensor.dimensions) pbf.writeVarintField(1, dimension);
  pbf.writeVarintField(2, tensor.type);
  pbf.writeStringField(8, tensor.name);
  if ('offset' in tensor.data) {
    pbf.writeMessage(13, writeEntry, ['location', EXTERNAL_FILE]);
    pbf.writeMessage(13, writeEntry, ['offset', String(tensor.data.offset)]);
    pbf.writeMessage(13, writeEntry, ['length', String(tensor.data.length * 4)]);
    pbf.writeVarintField(14, DATA_LOCATION_EXTERNAL);
  } else {
    const { buffer, byteOffset, byteLength } = tensor.data;
    pbf.writeBytesField(9, new Uint8Array(buffer, byteOffset, byteLength));
  }
}

const DATA_LOCATION_EXTERNAL = 1;

function writeEntry([key, value]: readonly [string, string], pbf: PbfWriter): void {
  pbf.writeStringField(1, key);
  pbf.writeStringField(2, value);
}

function writeValue(value: Value, pbf: PbfWriter): void {
  pbf.writeStringField(1, value.name);
  pbf.writeMessage(2, writeType, value);
}

function writeType(value: Value, pbf: PbfWriter): void {
  pbf.writeMessage(1, writeTensorType, value);
}

function writeTensorType(value: Value, pbf: PbfWriter): void {
  pbf.writeVarintField(1, value.type);
  pbf.writeMessage(2, writeShape, value.dimensions);
}

function writeShape(dimensions: readonly number[], pbf: PbfWriter): void {
  for (const dimension of dimensions) pbf.writeMessage(1, writeDimension, dimension);
}

function writeDimension(dimension: number, pbf: PbfWriter): void {
  pbf.writeVarintField(1, dimension);
}
