// A model that Lathe compiled to WebAssembly as a process that measures on request, as worker.mjs expects.
//
//   node wasm-worker.mjs MODEL.mjs
import { pathToFileURL } from "node:url";
import { fillInput } from "./inputs.mjs";
import { peakBytes, serve } from "./serve.mjs";

const baseBytes = peakBytes();
const begin = performance.now();
const { load, signature } = await import(pathToFileURL(process.argv[2]));
const model = await load();
const loaded = performance.now();
const inputs = Object.fromEntries(model.inputs.map(({ name, type, shape }) =>
  [name, fillInput(type, shape.reduce((product, size) => product * size, 1))]));

function run() {
  const outputs = model.run(inputs);
  return model.outputs.map(({ name }) => outputs[name]);
}

const filled = performance.now();
run();
await serve(run, { start_ms: performance.now() - filled + loaded - begin, base_bytes: baseBytes, weight_bytes: signature.weightBytes });
