// Runs a WebAssembly module on .npy files as a program that --emit=exe makes runs a model (runtime/src/main.c).
//
//   run.mjs MODEL.wasm                                           prints the names of the inputs, as a usage does
//   run.mjs MODEL.wasm INPUT.npy... [--output-dir=FOLDER] [--threads=N]
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readNpy, writeNpy } from './npy.mjs';

const [file, ...words] = process.argv.slice(2);
const { load } = await import(pathToFileURL(resolve(file.replace(/\.wasm$/, '.mjs'))));
const model = await load();
const paths = words.filter((word) => !word.startsWith('--'));
if (paths.length !== model.inputs.length) {
  console.error(`usage: run.mjs ${file} ${model.inputs.map(({ name }) => `${name}.npy`).join(' ')} [--output-dir=FOLDER]`);
  process.exit(2);
}
const folder = words.find((word) => word.startsWith('--output-dir='))?.slice('--output-dir='.length) ?? '.';
const inputs = {}, dims = {};
model.inputs.forEach(({ name, shape }, i) => {
  const array = readNpy(paths[i]);
  inputs[name] = array.data;
  // An empty array does not tell its dimensions by its length.
  shape.forEach((size, axis) => typeof size === 'string' && (dims[size] = array.shape[axis]));
});
const outputs = model.run(inputs, { dims });
for (const { name, type } of model.outputs) writeNpy(resolve(folder, `${name}.npy`), outputs[name], model.shapes[name], type);
