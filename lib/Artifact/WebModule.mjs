/** Thrown where a run returns a status that is not 0. */
export class LatheError extends Error {
  constructor(status, message) {
    super(message ?? statusTexts[status] ?? `status ${status}`);
    this.name = 'LatheError';
    this.status = status;
  }
}

const statusTexts = {
  1: 'an input, output or the workspace is null',
  2: 'a pointer is not aligned',
  3: 'a dimension is outside the bounds that were compiled, or does not fit the others',
  7: 'out of memory',
  14: 'the inputs tell a size that does not fit, or is above the bound that was compiled',
};

const outOfMemory = 7;
const alignment = 64; // of the workspace; see rt_abi.h
const pageBytes = 65536;

const arrayTypes = {
  float32: Float32Array, float64: Float64Array, int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array,
  int32: Int32Array, uint32: Uint32Array, int64: BigInt64Array, uint64: BigUint64Array,
};

const align = (offset, bytes) => Math.ceil(offset / bytes) * bytes;
const product = (sizes) => sizes.reduce((all, size) => all * size, 1);

/** What a host needs beside the first version of WebAssembly: a module that only an engine compiles that has it. */
const featureProbes = {
  simd128: { text: '128-bit SIMD', code: [0, 65, 0, 253, 15, 253, 98, 11] },
  'relaxed-simd': { text: 'relaxed SIMD', code: [0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11] },
};

function supports(feature) {
  const { code } = featureProbes[feature];
  return WebAssembly.validate(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, code.length + 2, 1,
                                            code.length, ...code));
}

/** Says which feature an engine lacks that refuses the module; other errors stay. */
async function compiled(promise) {
  try {
    return await promise;
  } catch (error) {
    const missing = signature.features.filter((feature) => !supports(feature)).map((feature) => featureProbes[feature].text);
    if (!(error instanceof WebAssembly.CompileError) || missing.length === 0)
      throw error;
    throw new Error(`this engine lacks ${missing.join(' and ')}, which model '${signature.name}' was compiled for`, { cause: error });
  }
}

/** A URL's response, or in Node the bytes of a file; anything else as it is. */
async function fetched(source) {
  if (typeof source === 'string' || source instanceof URL) {
    const url = new URL(source, globalThis.location?.href ?? import.meta.url);
    if (url.protocol === 'file:' && globalThis.process?.versions?.node) {
      const { readFile } = await import('node:fs/promises');
      return readFile(url);
    }
    source = await fetch(url);
  }
  if (typeof Response !== 'undefined' && source instanceof Response && !source.ok)
    throw new Error(`cannot load ${source.url}: ${source.status} ${source.statusText}`);
  return source;
}

/** The compiled module from wherever it is; see load(). */
async function compile(source) {
  if (source instanceof WebAssembly.Module)
    return source;
  source = await fetched(source);
  if (typeof Response !== 'undefined' && source instanceof Response) {
    // Only the right media type may be compiled while it arrives.
    if (source.headers.get('content-type')?.split(';')[0].trim() === 'application/wasm')
      return compiled(WebAssembly.compileStreaming(source));
    source = await source.arrayBuffer();
  }
  return compiled(WebAssembly.compile(source));
}

/** A model in a memory of its own. Made by load(). */
export class Model {
  #host;
  #memory;
  #run;
  #outputShapes;
  #base;
  #shapes = {};

  constructor(host) {
    this.#host = host;
    this.#memory = host.memory;
    this.#run = host.exports[`${signature.name}_run`];
    this.#outputShapes = host.exports[`${signature.name}_output_shapes`];
    this.#base = align(host.base, alignment);
  }

  get inputs() {
    return signature.inputs;
  }

  get outputs() {
    return signature.outputs;
  }

  get dims() {
    return signature.dims;
  }

  /** Bytes of memory that the model holds: code aside, its weights, workspace, inputs and outputs. */
  get memoryBytes() {
    return this.#memory.buffer.byteLength;
  }

  /** The shapes of the outputs of the last run. */
  get shapes() {
    return this.#shapes;
  }

  run(inputs, { dims = {}, outputs = {} } = {}) {
    const sizes = resolveDims(inputs, dims);
    for (const input of signature.inputs)
      checkArray('input', input, inputs[input.name], product(shapeOf(input, sizes)));
    let end = this.#base;
    const reserve = (bytes) => {
      const begin = align(end, alignment);
      end = begin + bytes;
      return begin;
    };
    const workspace = reserve(signature.workspaceBytes);
    const dimBytes = 8 * signature.dims.length;
    const dimsAt = align(4 * signature.inputs.length, 8);
    const inputStruct = reserve(dimsAt + dimBytes);
    const ofData = signature.outputs.filter((output) => output.ofData);
    const outputStruct = reserve(4 * (signature.outputs.length + ofData.length));
    const sizesAt = ofData.map((output) => reserve(8 * output.shape.length));
    const inputsAt = signature.inputs.map((input) => reserve(inputs[input.name].byteLength));
    this.#grow(end);
    const shapes = this.#shapesOfOutputs(sizes, reserve);
    const outputsAt = signature.outputs.map((output, i) => {
      const array = outputs[output.name];
      if (array !== undefined)
        checkArray('output', output, array, product(shapes[i]));
      return reserve(product(shapes[i]) * arrayTypes[output.storage].BYTES_PER_ELEMENT);
    });
    this.#grow(end);

    const view = new DataView(this.#memory.buffer);
    inputsAt.forEach((at, i) => view.setUint32(inputStruct + 4 * i, at, true));
    outputsAt.forEach((at, i) => view.setUint32(outputStruct + 4 * i, at, true));
    sizesAt.forEach((at, i) => view.setUint32(outputStruct + 4 * (signature.outputs.length + i), at, true));
    sizes.forEach((size, i) => view.setBigInt64(inputStruct + dimsAt + 8 * i, BigInt(size), true));
    signature.inputs.forEach((input, i) => {
      const array = inputs[input.name];
      new arrayTypes[input.storage](this.#memory.buffer, inputsAt[i], array.length).set(array);
    });
    const status = this.#host.call(() => this.#run(inputStruct, outputStruct, workspace, this.#host.executor));
    if (status !== 0)
      throw new LatheError(status);
    const results = {};
    this.#shapes = {};
    signature.outputs.forEach((output, i) => {
      const type = arrayTypes[output.storage];
      const place = ofData.indexOf(output);
      const shape = place < 0 ? shapes[i]
                              : Array.from(new BigInt64Array(this.#memory.buffer, sizesAt[place], output.shape.length), Number);
      const computed = new type(this.#memory.buffer, outputsAt[i], product(shape));
      const given = outputs[output.name];
      results[output.name] = place < 0 || !given ? given ?? new type(computed.length) : given.subarray(0, computed.length);
      results[output.name].set(computed);
      this.#shapes[output.name] = shape;
    });
    return results;
  }

  /** Ends the threads, if there are any; the model cannot be run any more. */
  close() {
    this.#host.close();
    this.#run = () => {
      throw new Error(`model '${signature.name}' is closed`);
    };
  }

  /** The shapes of the outputs for these dimensions; the largest where they depend on data. */
  outputShapes(dims = {}) {
    const sizes = signature.dims.map((dim) => checkDim(dim, dims[dim.name]));
    let end = this.#base;
    const shapes = this.#shapesOfOutputs(sizes, (bytes) => {
      const begin = align(end, alignment);
      end = begin + bytes;
      return begin;
    });
    return Object.fromEntries(signature.outputs.map((output, i) => [output.name, shapes[i]]));
  }

  #shapesOfOutputs(sizes, reserve) {
    if (signature.outputs.every((output) => output.shape.every((size) => typeof size === 'number')))
      return signature.outputs.map((output) => output.shape);
    const ranks = signature.outputs.map((output) => output.shape.length);
    const total = ranks.reduce((sum, rank) => sum + rank, 0);
    const dimsAt = reserve(8 * sizes.length), shapesAt = reserve(8 * total);
    this.#grow(shapesAt + 8 * total);
    new BigInt64Array(this.#memory.buffer, dimsAt, sizes.length).set(sizes.map(BigInt));
    this.#outputShapes(dimsAt, shapesAt);
    const all = Array.from(new BigInt64Array(this.#memory.buffer, shapesAt, total), Number);
    return ranks.map((rank) => all.splice(0, rank));
  }

  #grow(bytes) {
    const missing = bytes - this.#memory.buffer.byteLength;
    if (missing <= 0)
      return;
    try {
      this.#memory.grow(Math.ceil(missing / pageBytes));
    } catch {
      throw new LatheError(outOfMemory);
    }
  }
}

function shapeOf(tensor, sizes) {
  return tensor.shape.map((size) => (typeof size === 'number' ? size : sizes[signature.dims.findIndex((dim) => dim.name === size)]));
}

function checkArray(kind, tensor, array, length) {
  const type = arrayTypes[tensor.storage];
  if (array === undefined)
    throw new TypeError(`${kind} '${tensor.name}' is missing`);
  if (!(array instanceof type))
    throw new TypeError(`expected ${kind} '${tensor.name}' to be a ${type.name}, but got ${array?.constructor?.name ?? typeof array}`);
  if (array.length !== length)
    throw new RangeError(`expected ${kind} '${tensor.name}' to have ${length} elements, but got ${array.length}`);
}

function checkDim(dim, size) {
  if (size === undefined)
    throw new TypeError(`dimension '${dim.name}' is not given, and the length of no input tells it`);
  if (!Number.isInteger(size) || size < dim.lower || size > dim.upper)
    throw new RangeError(`expected dimension '${dim.name}' to be ${dim.lower} to ${dim.upper}, but got ${size}`);
  return size;
}

/** Sizes of the symbolic dimensions: given, or the only unknown of an input whose length tells it. */
function resolveDims(inputs, given) {
  const known = { ...given };
  for (let changed = true; changed;) {
    changed = false;
    for (const { name, shape } of signature.inputs) {
      const unknown = shape.filter((size) => typeof size === 'string' && known[size] === undefined);
      const length = inputs?.[name]?.length;
      if (unknown.length !== 1 || length === undefined)
        continue;
      const others = product(shape.map((size) => (typeof size === 'number' ? size : known[size] ?? 1)));
      if (others === 0 || length % others !== 0)
        continue;
      known[unknown[0]] = length / others;
      changed = true;
    }
  }
  return signature.dims.map((dim) => checkDim(dim, known[dim.name]));
}

/** Checks that a module is that of this model before anything runs. */
function checkModule(module) {
  const names = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
  if (!['__heap_base', `${signature.name}_run`, `${signature.name}_output_shapes`].every((name) => names.has(name)))
    throw new TypeError(`the WebAssembly module is not that of model '${signature.name}'`);
}

/** Writes the weights that lie in a file of their own to where the code reads them, as they arrive. */
async function loadWeights({ exports, memory }, source) {
  const { file, hash: expected } = signature.weights;
  const total = signature.weightBytes, begin = exports[`${signature.name}_weights`].value;
  const bytes = new Uint8Array(memory.buffer, begin, total);
  const refuse = (what) => {
    throw new Error(`the weights are not those of model '${signature.name}': expected ${what}`);
  };
  let at = 0;
  const append = (chunk) => {
    if (at + chunk.length > total)
      refuse(`${total} bytes, but got more`);
    bytes.set(chunk, at);
    at += chunk.length;
  };
  source = await fetched(source ?? new URL(file, import.meta.url));
  if (typeof Response !== 'undefined' && source instanceof Response)
    for (const reader = source.body.getReader();;) {
      const { done, value } = await reader.read();
      if (done)
        break;
      append(value);
    }
  else if (ArrayBuffer.isView(source))
    append(new Uint8Array(source.buffer, source.byteOffset, source.byteLength));
  else
    append(new Uint8Array(source));
  if (at !== total)
    refuse(`${total} bytes, but got ${at}`);
  let hash = 0x811c9dc5; // FNV-1a on words
  for (const word of new Uint32Array(memory.buffer, begin, total / 4))
    hash = Math.imul(hash ^ word, 0x01000193);
  hash = (hash >>> 0).toString(16).padStart(8, '0');
  if (hash !== expected)
    refuse(`hash ${expected}, but got ${hash}`);
}

/**
 * Loads the model: from the file beside this module, from a URL or Response, or from the file's bytes, a view of them, or a
 * compiled WebAssembly.Module. `weights` is such a source of the weights, where they are in another file.
 */
export async function load(source = new URL(moduleFile, import.meta.url), options = {}) {
  const module = await compile(source);
  checkModule(module);
  const host = await start(module, options);
  try {
    if (signature.weights)
      await loadWeights(host, options.weights);
  } catch (error) {
    host.close();
    throw error;
  }
  return new Model(host);
}
