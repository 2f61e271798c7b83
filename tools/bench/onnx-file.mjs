// As much of the ONNX file format as a benchmark needs: a model's interface, another batch size, and a model of one addition.
// Protocol Buffers, https://protobuf.dev/programming-guides/encoding; field numbers from onnx.proto3.
import { readFileSync, writeFileSync } from "node:fs";

const types = [
  undefined, "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16", "float64", "uint32",
  "uint64",
];
const MODEL = { irVersion: 1, graph: 7, opsets: 8 };
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12, valueInfo: 13 };
const NODE = { input: 1, output: 2, opType: 4, attribute: 5 };
const TENSOR = { dims: 1, dataType: 2, int64Data: 7, name: 8, rawData: 9, dataLocation: 14 };
const INT64 = 7;

function readVarint(buffer, at) {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = buffer[at++];
    if (byte === undefined) throw new Error("not an ONNX file: it ends early");
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return [BigInt.asIntN(64, value), at];
  }
}

/// The fields of a message, in order: number, wire type, value (a number as BigInt, or the bytes) and the whole field's bytes.
function* fieldsOf(buffer) {
  for (let at = 0; at < buffer.length; ) {
    const begin = at;
    let key, value;
    [key, at] = readVarint(buffer, at);
    const wire = Number(key & 7n);
    if (wire === 0) [value, at] = readVarint(buffer, at);
    else if (wire === 1 || wire === 5) value = buffer.subarray(at, (at += wire === 1 ? 8 : 4));
    else if (wire === 2) {
      let length;
      [length, at] = readVarint(buffer, at);
      value = buffer.subarray(at, (at += Number(length)));
    } else throw new Error(`not an ONNX file: wire type ${wire}`);
    if (at > buffer.length) throw new Error("not an ONNX file: it ends early");
    yield { number: Number(key >> 3n), wire, value, bytes: buffer.subarray(begin, at) };
  }
}

const valuesOf = (buffer, number) => [...fieldsOf(buffer)].filter((field) => field.number === number).map(({ value }) => value);
const valueOf = (buffer, number) => valuesOf(buffer, number).at(-1);
const textOf = (buffer, number) => valueOf(buffer, number)?.toString() ?? "";

function varint(value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest);
  return Buffer.from(bytes);
}

/// A field: of a number, or of bytes, a text or other fields.
function field(number, value) {
  if (typeof value === "number" || typeof value === "bigint") return Buffer.concat([varint(number << 3), varint(value)]);
  const bytes = Array.isArray(value) ? Buffer.concat(value) : Buffer.from(value);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

/// The message with its fields as `change` returns them: bytes of a value, or null for none; undefined leaves a field.
function mapFields(buffer, change) {
  const parts = [];
  for (const { number, value, bytes } of fieldsOf(buffer)) {
    const changed = change(number, value);
    if (changed === undefined) parts.push(bytes);
    else if (changed !== null) parts.push(field(number, changed));
  }
  return Buffer.concat(parts);
}

/// A name, a type and dimensions, numbers or names ("" for neither), of a ValueInfoProto.
function readValueInfo(buffer) {
  const tensor = valueOf(valueOf(buffer, 2) ?? Buffer.alloc(0), 1);
  if (!tensor) throw new Error(`'${textOf(buffer, 1)}' is not a tensor`);
  const dims = valuesOf(valueOf(tensor, 2) ?? Buffer.alloc(0), 1).map((dim) => {
    const size = valueOf(dim, 1);
    return size === undefined ? textOf(dim, 2) : Number(size);
  });
  return { name: textOf(buffer, 1), type: types[Number(valueOf(tensor, 1))] ?? "unknown", dims };
}

/// Inputs (without those that have an initial value) and outputs of a model, and the size of its file.
export function readInterface(path) {
  const buffer = readFileSync(path);
  const graph = valueOf(buffer, MODEL.graph);
  if (!graph) throw new Error("not an ONNX file: no graph");
  const initial = new Set(valuesOf(graph, GRAPH.initializer).map((tensor) => textOf(tensor, TENSOR.name)));
  return {
    bytes: buffer.length,
    inputs: valuesOf(graph, GRAPH.input).map(readValueInfo).filter(({ name }) => !initial.has(name)),
    outputs: valuesOf(graph, GRAPH.output).map(readValueInfo),
  };
}

/// The nodes of a model: name, op, and the names of inputs and outputs.
export function readNodes(path) {
  return valuesOf(valueOf(readFileSync(path), MODEL.graph), GRAPH.node).map((node) => ({
    name: textOf(node, 3),
    op: textOf(node, NODE.opType),
    inputs: valuesOf(node, NODE.input).map(String),
    outputs: valuesOf(node, NODE.output).map(String),
  }));
}

/// A ValueInfoProto with its dimensions as `change` returns them (see `mapFields`) for each dimension and its index.
function mapDims(valueInfo, change) {
  let index = 0;
  return mapFields(valueInfo, (inInfo, type) =>
    inInfo !== 2 ? undefined : mapFields(type, (inType, tensor) =>
      inType !== 1 ? undefined : mapFields(tensor, (inTensor, shape) =>
        inTensor !== 2 ? undefined : mapFields(shape, (inDims, dim) => (inDims === 1 ? change(dim, index++) : undefined)))));
}

/// Writes a model with sizes, {NAME: VALUE}, for symbolic dimensions of inputs and outputs.
export function fixDims(path, to, sizes) {
  const change = (dim) => (Object.hasOwn(sizes, textOf(dim, 2)) ? field(1, sizes[textOf(dim, 2)]) : undefined);
  writeFileSync(to, mapFields(readFileSync(path), (inModel, graph) =>
    inModel !== MODEL.graph ? undefined : mapFields(graph, (number, value) =>
      number === GRAPH.input || number === GRAPH.output ? mapDims(value, change) : undefined)));
}

/// A tensor of int64 whose first element, if it is 1, becomes `batch`.
function setFirstElement(tensor, batch) {
  if (Number(valueOf(tensor, TENSOR.dataType)) !== INT64) return tensor;
  let first = true;
  return mapFields(tensor, (number, value) => {
    if (number === TENSOR.rawData && value.length >= 8 && value.readBigInt64LE() === 1n) {
      const raw = Buffer.from(value);
      raw.writeBigInt64LE(BigInt(batch));
      return raw;
    }
    if (number !== TENSOR.int64Data || !first) return undefined;
    first = false;
    if (typeof value === "bigint") return value === 1n ? batch : undefined;
    const [element, end] = readVarint(value, 0);
    return element === 1n ? Buffer.concat([varint(batch), value.subarray(end)]) : undefined;
  });
}

/// Writes a model whose file fixes the batch at 1 for another one: the first dimension of inputs and outputs that is 1 becomes
/// `batch`, so does a leading 1 in the constant target of a Reshape, and the shapes that the file states of other values are
/// left out. Whether that is the same model is for the caller to check, by its outputs.
export function rewriteBatch(path, to, batch) {
  const buffer = readFileSync(path);
  const graph = valueOf(buffer, MODEL.graph);
  const targets = new Set();
  for (const node of valuesOf(graph, GRAPH.node))
    if (textOf(node, NODE.opType) === "Reshape") targets.add(valuesOf(node, NODE.input)[1]?.toString());
  for (const tensor of valuesOf(graph, GRAPH.initializer))
    if (Number(valueOf(tensor, TENSOR.dataLocation) ?? 0)) throw new Error("its weights are in another file");
  const setBatch = (dim, index) => (index === 0 && valueOf(dim, 1) === 1n ? field(1, batch) : undefined);
  const changed = mapFields(graph, (number, value) => {
    if (number === GRAPH.input || number === GRAPH.output) return mapDims(value, setBatch);
    if (number === GRAPH.valueInfo) return null;
    if (number === GRAPH.initializer && targets.has(textOf(value, TENSOR.name))) return setFirstElement(value, batch);
    if (number !== GRAPH.node || textOf(value, NODE.opType) !== "Constant" || !targets.has(textOf(value, NODE.output)))
      return undefined;
    return mapFields(value, (inNode, attribute) =>
      inNode !== NODE.attribute ? undefined : mapFields(attribute, (inAttribute, tensor) =>
        inAttribute === 5 ? setFirstElement(tensor, batch) : undefined));
  });
  writeFileSync(to, mapFields(buffer, (number) => (number === MODEL.graph ? changed : undefined)));
}

/// Writes y = x + x of one float: the least that a model can do.
export function writeAddition(path) {
  const value = (name) => [field(1, name), field(2, [field(1, [field(1, 1), field(2, [field(1, [field(1, 1)])])])])];
  const node = [field(NODE.input, "x"), field(NODE.input, "x"), field(NODE.output, "y"), field(NODE.opType, "Add")];
  const graph = [
    field(GRAPH.node, node), field(GRAPH.name, "addition"), field(GRAPH.input, value("x")), field(GRAPH.output, value("y")),
  ];
  const opset = [field(1, ""), field(2, 17)];
  writeFileSync(path, Buffer.concat([field(MODEL.irVersion, 8), field(MODEL.graph, graph), field(MODEL.opsets, opset)]));
}
