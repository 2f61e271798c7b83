// NumPy's .npy files as typed arrays.
import { readFileSync, writeFileSync } from 'node:fs';

const arrays = {
  '<f4': Float32Array, '<f8': Float64Array, '|i1': Int8Array, '|u1': Uint8Array, '|b1': Uint8Array, '<i2': Int16Array, '<u2': Uint16Array,
  '<f2': Uint16Array, '<i4': Int32Array, '<u4': Uint32Array, '<i8': BigInt64Array, '<u8': BigUint64Array,
};

/// {data, shape, type} of a file in C order.
export function readNpy(path) {
  const bytes = readFileSync(path);
  const version = bytes[6];
  const headerAt = version === 1 ? 10 : 12;
  const end = headerAt + (version === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8));
  const header = bytes.toString('latin1', headerAt, end);
  const [, type] = /'descr': '([^']*)'/.exec(header);
  if (!arrays[type] || !/'fortran_order': False/.test(header)) throw new Error(`${path}: expected a plain array in C order`);
  const shape = /'shape': \(([^)]*)\)/.exec(header)[1].split(',').map((text) => text.trim()).filter(Boolean).map(Number);
  const copy = new Uint8Array(bytes.subarray(end)); // aligned
  return { data: new arrays[type](copy.buffer), shape, type };
}

const codes = {
  float32: '<f4', float64: '<f8', int8: '|i1', uint8: '|u1', bool: '|b1', int16: '<i2', uint16: '<u2', float16: '<f2', int32: '<i4',
  uint32: '<u4', int64: '<i8', uint64: '<u8',
};

/// Writes a typed array of a shape, whose elements are of ONNX's `type`.
export function writeNpy(path, data, shape, type) {
  if (!codes[type]) throw new Error(`${path}: NumPy has no ${type}`);
  const text = `{'descr': '${codes[type]}', 'fortran_order': False, 'shape': (${shape.map((size) => `${size},`).join(' ')}), }`;
  const header = Buffer.from(`${text.padEnd(64 * Math.ceil((text.length + 11) / 64) - 11)}\n`, 'latin1');
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  writeFileSync(path, Buffer.concat([start, header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]));
}
