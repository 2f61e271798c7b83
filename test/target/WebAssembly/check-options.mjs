// What is optional of a WebAssembly module: threads, weights in a file of their own, and features that an engine may lack.
//
//   check-options.mjs LATHE MODELS FOLDER
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readNpy } from './npy.mjs';

const [lathe, models, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

async function compile(model, name, ...options) {
  const file = resolve(folder, `${name}.wasm`);
  const words = ['compile', resolve(models, `${model}.onnx`), '--name=glyph', '--dim=batch=1..8', '-o', file, ...options];
  const { status, stderr } = spawnSync(lathe, words, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return { file, bytes: readFileSync(file), ...(await import(pathToFileURL(resolve(folder, `${name}.mjs`)))) };
}

const reference = (model, batch) => readNpy(resolve(models, `ref/${model}_b${batch}/input.npy`)).data;
const plain = await compile('glyph_resnet', 'plain', '--target=wasm32');
const images = reference('glyph_resnet', 8);
const expected = (await plain.load()).run({ input: images }).logits;

// Two threads, and more of them than there are tasks, compute the bits that one does; nothing but the memory is imported.
const threaded = await compile('glyph_resnet', 'threaded', '--target=wasm32-threads');
const imports = WebAssembly.Module.imports(new WebAssembly.Module(threaded.bytes));
assert.deepEqual(imports, [{ module: 'env', name: 'memory', kind: 'memory' }]);
for (const threads of [1, 2, 5]) {
  const model = await threaded.load(undefined, { threads });
  for (let i = 0; i < 20; ++i) assert.deepEqual(model.run({ input: images }).logits, expected);
  // What is refused leaves the threads as they are, and so does the sleep of those that wait for work.
  assert.throws(() => model.run({ input: new Float32Array(9 * 1024) }), RangeError);
  await new Promise((done) => setTimeout(done, 50));
  assert.deepEqual(model.run({ input: images }).logits, expected);
  model.close();
  assert.throws(() => model.run({ input: images }), /is closed/);
}
const vit = await compile('glyph_vit', 'threaded-vit', '--target=wasm32-threads');
const [one, two] = [await vit.load(undefined, { threads: 1 }), await vit.load(undefined, { threads: 2 })];
const letters = reference('glyph_vit', 8);
assert.deepEqual(two.run({ input: letters }).logits, one.run({ input: letters }).logits);
two.close();
await assert.rejects(threaded.load(undefined, { threads: 0 }), RangeError);
const defaults = await threaded.load();
assert.deepEqual(defaults.run({ input: images }).logits, expected);
defaults.close();

// Weights of their own: from the file beside, from a server in pieces, or as bytes; for several modules.
const apart = await compile('glyph_resnet', 'apart', '--target=wasm32', '--external-weights');
const weightFile = resolve(folder, 'apart.weights'), weights = readFileSync(weightFile);
assert.equal(weights.length, apart.signature.weightBytes);
assert.ok(apart.bytes.length < plain.bytes.length - 0.99 * weights.length, `expected no weights in ${apart.bytes.length} bytes`);
const server = createServer((request, response) => {
  response.writeHead(request.url === '/weights' ? 200 : 404);
  if (request.url !== '/weights') return response.end();
  for (let at = 0; at < weights.length; at += 100001) response.write(weights.subarray(at, at + 100001));
  response.end();
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const address = `http://127.0.0.1:${server.address().port}`;
for (const source of [undefined, pathToFileURL(weightFile), `${address}/weights`, weights, Uint8Array.from(weights).buffer])
  assert.deepEqual((await apart.load(undefined, { weights: source })).run({ input: images }).logits, expected);
const both = await compile('glyph_resnet', 'both', '--target=wasm32-threads', '--external-weights');
assert.equal(both.signature.weights.hash, apart.signature.weights.hash);
const shared = await both.load(undefined, { weights, threads: 2 });
assert.deepEqual(shared.run({ input: images }).logits, expected);
shared.close();

// Those of another model are refused, and so is what is missing.
const refuse = (source, text) => assert.rejects(apart.load(undefined, { weights: source }), text);
const changed = Uint8Array.from(weights);
changed[changed.length >> 1] ^= 1;
await refuse(changed, /expected hash [0-9a-f]{8}, but got [0-9a-f]{8}/);
await refuse(weights.subarray(4), /expected \d+ bytes, but got \d+/);
await refuse(Buffer.concat([weights, weights]), /expected \d+ bytes, but got more/);
await refuse(`${address}/other`, /cannot load http.*: 404/);
server.close();
renameSync(weightFile, `${weightFile}.moved`);
await assert.rejects(apart.load(), /ENOENT/);
assert.ok(statSync(apart.file).size < 100000);
const { status, stderr } = spawnSync(lathe, ['compile', resolve(models, 'glyph_resnet.onnx'), '--external-weights', '-o', resolve(folder, 'x.o')],
                                     { encoding: 'utf8' });
assert.equal(status, 1);
assert.match(stderr, /--external-weights goes with --emit=wasm alone/);

// An engine that lacks a feature is told apart from a module that is none.
const relaxed = await compile('glyph_resnet', 'relaxed', '--target=wasm32-relaxed');
assert.deepEqual(relaxed.signature.features, ['simd128', 'relaxed-simd']);
if (WebAssembly.validate(relaxed.bytes)) {
  const { logits } = (await relaxed.load()).run({ input: images });
  assert.ok(logits.every((value, i) => Math.abs(value - expected[i]) <= 1e-3 * Math.max(1, Math.abs(expected[i]))));
} else {
  await assert.rejects(relaxed.load(), /this engine lacks relaxed SIMD, which model 'glyph' was compiled for/);
}
await assert.rejects(plain.load(new Uint8Array([1, 2, 3, 4])), WebAssembly.CompileError);
console.log('ok');
