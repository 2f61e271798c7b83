// Compiles a model to WebAssembly, runs it on .npy files and compares the outputs: `lathe run` for an engine.
//
//   run-wasm.mjs LATHE FOLDER MODEL.onnx [--input NAME=F.npy]... [--check NAME=F.npy]... [--rtol=R] [--atol=A] [--most-code=BYTES]
//       [LATHE'S OPTIONS...]
//
// The options of lathe include --target=. Files are written to FOLDER. The last line of the output says how far the
// outputs are from what is expected. --most-code bounds the size of the module without the weights.
import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readNpy } from './npy.mjs';

function parse(words) {
  const options = { inputs: {}, checks: {}, rtol: 0, atol: 0, 'most-code': Infinity, compile: [] };
  for (let i = 0; i < words.length; ++i) {
    const [, option, value] = /^--(input|check|rtol|atol|most-code)(?:=(.*))?$/.exec(words[i]) ?? [];
    if (!option) {
      options.compile.push(words[i]);
      continue;
    }
    const text = value ?? words[++i];
    if (option !== 'input' && option !== 'check') {
      options[option] = Number(text);
      continue;
    }
    const at = text.indexOf('=');
    options[`${option}s`][text.slice(0, at)] = text.slice(at + 1);
  }
  return options;
}

/// The largest distance in units of what is allowed: at most 1 where the arrays agree.
function compare(computed, expected, { rtol, atol }) {
  if (computed.length !== expected.length) throw new Error(`expected ${expected.length} elements, but got ${computed.length}`);
  let worst = 0;
  for (let i = 0; i < expected.length; ++i) {
    const a = Number(computed[i]), b = Number(expected[i]);
    if (Object.is(a, b) || a === b) continue;
    const distance = Math.abs(a - b) / (atol + rtol * Math.abs(b));
    worst = Math.max(worst, Number.isNaN(distance) ? Infinity : distance);
  }
  return worst;
}

const [lathe, folder, model, ...words] = process.argv.slice(2);
const options = parse(words);
mkdirSync(folder, { recursive: true });
const file = resolve(folder, 'model.wasm');
const { status, stderr, error } = spawnSync(lathe, ['compile', model, '--name=model', '-o', file, ...options.compile],
                                            { encoding: 'utf8' });
if (status !== 0) throw new Error(stderr || error?.message);

const { load, signature } = await import(pathToFileURL(resolve(folder, 'model.mjs')));
const codeBytes = statSync(file).size - signature.weightBytes;
if (codeBytes > options['most-code']) throw new Error(`expected at most ${options['most-code']} bytes of code, but got ${codeBytes}`);
const instance = await load();
const inputs = {};
const dims = {};
for (const { name, shape } of instance.inputs) {
  const array = readNpy(options.inputs[name]);
  inputs[name] = array.data;
  // An empty array does not tell its dimensions by its length.
  shape.forEach((size, i) => typeof size === 'string' && (dims[size] = array.shape[i]));
}
const outputs = instance.run(inputs, { dims });
const shapes = instance.outputShapes(dims);
let worst = 0;
for (const [name, path] of Object.entries(options.checks)) {
  const expected = readNpy(path);
  if (!outputs[name]) throw new Error(`the model has no output '${name}'`);
  if (String(shapes[name]) !== String(expected.shape))
    throw new Error(`expected '${name}' of shape ${expected.shape}, but got ${shapes[name]}`);
  worst = Math.max(worst, compare(outputs[name], expected.data, options));
}
if (!Object.keys(options.checks).length) throw new Error('expected --check');
console.log(`largest difference: ${worst.toPrecision(3)} of what is allowed`);
process.exitCode = worst <= 1 ? 0 : 1;
