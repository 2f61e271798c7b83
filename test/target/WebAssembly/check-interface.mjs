// The ES module of a compiled model: ways to load it, dimensions, arrays of results, and what it throws; the size of the code,
// and the accuracy in int8.
//
//   check-wasm.mjs LATHE MODELS FOLDER
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readNpy } from './npy.mjs';

const [lathe, models, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

async function compile(name, ...options) {
  const file = resolve(folder, `${name}.wasm`);
  const words = ['compile', resolve(models, `${name}.onnx`), '--target=wasm32', '-o', file, ...options];
  const { status, stderr } = spawnSync(lathe, words, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return { file, bytes: readFileSync(file), ...(await import(pathToFileURL(resolve(folder, `${name}.mjs`)))) };
}

const glyph = await compile('glyph_resnet', '--dim=batch=1..8');
const prefill = await compile('char_lm_prefill');
const reference = (model, batch, tensor) => readNpy(resolve(models, `ref/${model}_b${batch}/${tensor}.npy`)).data;
const image = reference('glyph_resnet', 1, 'input');
const images = reference('glyph_resnet', 8, 'input');

// The module needs nothing from outside.
const module = new WebAssembly.Module(glyph.bytes);
assert.deepEqual(WebAssembly.Module.imports(module), []);

// All that it can be loaded from; each model has a memory of its own.
const server = createServer((request, response) => {
  const known = request.url.startsWith('/glyph');
  response.writeHead(known ? 200 : 404, { 'Content-Type': request.url.endsWith('?plain') ? 'text/plain' : 'application/wasm' });
  response.end(known ? glyph.bytes : '');
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const address = `http://127.0.0.1:${server.address().port}`;
const expected = (await glyph.load()).run({ input: image }).logits;
const sources = [
  glyph.bytes, glyph.bytes.buffer.slice(glyph.bytes.byteOffset, glyph.bytes.byteOffset + glyph.bytes.length), module,
  pathToFileURL(glyph.file), pathToFileURL(glyph.file).href, `${address}/glyph.wasm`, new URL(`${address}/glyph?plain`),
  await fetch(`${address}/glyph.wasm`),
];
for (const source of sources) assert.deepEqual((await glyph.load(source)).run({ input: image }).logits, expected);
await assert.rejects(glyph.load(`${address}/other.wasm`), /cannot load http.*: 404/);
await assert.rejects(glyph.load(new Uint8Array([1, 2, 3, 4])), WebAssembly.CompileError);
await assert.rejects(glyph.load(prefill.bytes), /is not that of model 'glyph_resnet'/);
server.close();

// Results: new arrays, or those that are given; the batch follows from the length.
const model = await glyph.load();
const again = model.run({ input: image }).logits;
assert.notEqual(again, model.run({ input: image }).logits);
const given = new Float32Array(36);
assert.equal(model.run({ input: image }, { outputs: { logits: given } }).logits, given);
assert.deepEqual(given, expected);
assert.equal(model.run({ input: images }).logits.length, 8 * 36);
assert.deepEqual(model.outputShapes({ batch: 3 }), { logits: [3, 36] });
assert.deepEqual(model.inputs[0].shape, ['batch', 1, 32, 32]);
// What an input holds is not what it is a view of.
const padded = new Float32Array(image.length + 8);
padded.set(image, 8);
assert.deepEqual(model.run({ input: padded.subarray(8) }).logits, expected);

// What is wrong is thrown, and the model stays usable.
const refused = (inputs, options, type, text) => assert.throws(() => model.run(inputs, options), (error) => {
  assert.ok(error instanceof type, `expected ${type.name}, but got ${error}`);
  assert.match(error.message, text);
  return true;
});
refused(undefined, {}, TypeError, /dimension 'batch' is not given/);
refused({}, { dims: { batch: 1 } }, TypeError, /input 'input' is missing/);
refused({ input: Array.from(image) }, {}, TypeError, /to be a Float32Array, but got Array/);
refused({ input: new Float64Array(image) }, {}, TypeError, /to be a Float32Array, but got Float64Array/);
refused({ input: image.subarray(1) }, { dims: { batch: 1 } }, RangeError, /to have 1024 elements, but got 1023/);
refused({ input: new Float32Array(9 * 1024) }, {}, RangeError, /dimension 'batch' to be 1 to 8, but got 9/);
refused({ input: image }, { dims: { batch: 1.5 } }, RangeError, /dimension 'batch' to be 1 to 8, but got 1.5/);
refused({ input: image }, { outputs: { logits: new Float32Array(35) } }, RangeError, /output 'logits' to have 36 elements/);
assert.deepEqual(model.run({ input: image }).logits, expected);

// A result whose size depends on data: an array of it is as long as what was found.
const text = `func.func @main(%x: tensor<?xf32> {onnx.name = "x", onnx.dims = ["n"]}) -> (tensor<*xi64> {onnx.name = "i"}) {
  %i = "onnx.NonZero"(%x) : (tensor<?xf32>) -> tensor<*xi64>
  return %i : tensor<*xi64>
}`;
writeFileSync(resolve(folder, 'found.mlir'), text);
const finder = spawnSync(lathe, ['compile', resolve(folder, 'found.mlir'), '--target=wasm32', '--dim=n=0..9', '-o', resolve(folder, 'found.wasm')],
                         { encoding: 'utf8' });
assert.equal(finder.status, 0, finder.stderr);
const found = await (await import(pathToFileURL(resolve(folder, 'found.mjs')))).load();
assert.equal(found.outputs[0].ofData, true);
assert.deepEqual(found.outputShapes({ n: 5 }), { i: [1, 5] });
assert.deepEqual(found.run({ x: Float32Array.of(0, 3, 0, 5) }).i, BigInt64Array.of(1n, 3n));
assert.deepEqual(found.shapes, { i: [1, 2] });
assert.deepEqual(found.run({ x: new Float32Array(4) }).i, new BigInt64Array(0));
const room = new BigInt64Array(4).fill(-1n);
assert.deepEqual(found.run({ x: Float32Array.of(1, 0, 0, 1) }, { outputs: { i: room } }).i, BigInt64Array.of(0n, 3n));
assert.deepEqual(room, BigInt64Array.of(0n, 3n, -1n, -1n));
assert.throws(() => found.run({ x: new Float32Array(4) }, { outputs: { i: new BigInt64Array(3) } }), RangeError);

// In int8: the accuracy, with ordinary and with depthwise convolutions.
const score = (logits, label) => logits.indexOf(Math.max(...logits)) === label;
const pixels = readNpy(resolve(models, 'eval_images.npy')).data, truth = readNpy(resolve(models, 'eval_labels.npy')).data;
for (const [name, least] of [['glyph_resnet', 0.945], ['glyph_mobilenet', 0.92]]) {
  const file = resolve(folder, `${name}-bytes.wasm`);
  const { status, stderr } = spawnSync(lathe, ['compile', resolve(models, `${name}.onnx`), '--target=wasm32', '--dim=batch=1', '-o', file,
                                               '--quantize=int8', `--calibrate=${resolve(models, 'calib.npz')}`,
                                               '--preprocess=scale=1/255,offset=-0.5'], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const int8 = await (await import(pathToFileURL(file.replace('.wasm', '.mjs')))).load();
  let right = 0;
  for (let i = 0; i < truth.length; ++i)
    right += score(int8.run({ input: Float32Array.from(pixels.subarray(1024 * i, 1024 * (i + 1)), (x) => x / 255 - 0.5) }).logits, truth[i]);
  assert.ok(right >= least * truth.length, `expected an accuracy of ${100 * least} %, but got ${(100 * right) / truth.length} % of ${name}`);
}

// The size of the code, with the batch fixed.
const floatFile = resolve(folder, 'floats.wasm');
const floats = spawnSync(lathe, ['compile', resolve(models, 'glyph_resnet.onnx'), '--target=wasm32', '--dim=batch=1', '-o', floatFile],
                         { encoding: 'utf8' });
assert.equal(floats.status, 0, floats.stderr);
const ofFloats = await import(pathToFileURL(floatFile.replace('.wasm', '.mjs')));
const codeBytes = readFileSync(floatFile).length - ofFloats.signature.weightBytes;
assert.ok(codeBytes <= 60000, `expected at most 60000 bytes of code, but got ${codeBytes}`);

// What a host calls without the ES module is checked by the module itself.
const { exports } = new WebAssembly.Instance(module);
assert.equal(exports.glyph_resnet_run(0, 0, 0, 0), 1); // LATHE_ERROR_NULL_POINTER
console.log('ok');
