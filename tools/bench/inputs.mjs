// The numbers that every side gets as inputs, as model-runner.c computes them, and outputs as arrays.
const arrays = {
  float32: Float32Array, float64: Float64Array, int8: Int8Array, int16: Int16Array, int32: Int32Array, int64: BigInt64Array,
  bool: Uint8Array, uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: BigUint64Array,
};

function arrayOf(type) {
  if (!arrays[type]) throw new Error(`tensors of ${type} are not supported`);
  return arrays[type];
}

/// Floats from -1 to 1 that look random, integers 0 and 1.
export function fillInput(type, count) {
  const data = new (arrayOf(type))(count);
  for (let i = 0; i < count; ++i) {
    let bits = Math.imul(i, 2654435761);
    bits = Math.imul(bits ^ (bits >>> 15), 2246822519);
    bits = (bits ^ (bits >>> 13)) >>> 0;
    data[i] = type.startsWith("float") ? bits / 2147483648 - 1 : type.endsWith("int64") ? BigInt(bits & 1) : bits & 1;
  }
  return data;
}

/// Outputs as a side wrote them, one after the other, as arrays of their types.
export function splitOutputs(bytes, sizes, types) {
  let at = 0;
  return sizes.map((size, index) => {
    const part = bytes.subarray(at, (at += size));
    return new (arrayOf(types[index]))(part.buffer.slice(part.byteOffset, part.byteOffset + size));
  });
}

/// The largest difference of two lists of outputs, relative to the largest float of the second, or NaN; integers are not
/// compared. Only the first `1 / parts` of the first list's arrays count.
export function difference(outputs, expected, parts = 1) {
  let worst = 0;
  for (const [index, values] of expected.entries()) {
    if (!(values instanceof Float32Array || values instanceof Float64Array)) continue;
    const others = outputs[index];
    if (others?.length !== values.length * parts) throw new Error(`output ${index} has another size`);
    const scale = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1;
    for (let i = 0; i < values.length; ++i) {
      const distance = Math.abs(values[i] - others[i]) / scale;
      if (Number.isNaN(distance)) return NaN;
      worst = Math.max(worst, distance);
    }
  }
  return worst;
}
