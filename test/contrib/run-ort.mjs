// Runs a model with ONNX Runtime: run-ort.mjs FOLDER reads FOLDER/model.onnx, FOLDER/manifest.json and the arrays it names, and
// writes an array for each output, and FOLDER/outputs.json. Needs `npm ci --ignore-scripts` in tools/bench.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../tools/bench/package.json', import.meta.url));
const ort = require('onnxruntime-node');

const arrays = {
  float32: Float32Array, float64: Float64Array, float16: Uint16Array, uint8: Uint8Array, int8: Int8Array, int32: Int32Array,
  int64: BigInt64Array, bool: Uint8Array,
};
const folder = process.argv[2];
const manifest = JSON.parse(readFileSync(`${folder}/manifest.json`));
const session = await ort.InferenceSession.create(`${folder}/model.onnx`);
const feeds = {};
for (const { name, type, dims, file } of manifest.inputs) {
  const bytes = readFileSync(`${folder}/${file}`);
  const data = new arrays[type](bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  feeds[name] = new ort.Tensor(type, data, dims);
}
const results = await session.run(feeds, manifest.outputs);
const outputs = manifest.outputs.map((name, index) => {
  const { type, dims, data } = results[name];
  const file = `output_${index}.bin`;
  writeFileSync(`${folder}/${file}`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return { name, type, dims, file };
});
writeFileSync(`${folder}/outputs.json`, JSON.stringify(outputs));
