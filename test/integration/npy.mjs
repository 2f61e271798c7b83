// NumPy's .npy files as typed arrays.
import { readFileSync } from 'node:fs';

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
