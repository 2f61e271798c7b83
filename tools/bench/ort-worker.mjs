// ONNX Runtime as a process that measures on request, as worker.mjs expects.
//
//   node ort-worker.mjs onnxruntime-node|onnxruntime-web MODEL.onnx THREADS
//   node ort-worker.mjs onnxruntime-node MODEL.onnx THREADS --profile=PREFIX
//
// All dimensions are fixed in the file: the package for Node has no option that does it. Of the package for the web it is the
// WebAssembly backend. The second form prints one line, {"runs": ...}, and ends; the trace of these runs is in a file whose
// name begins with PREFIX.
import { readFileSync } from "node:fs";
import { fillInput } from "./inputs.mjs";
import { measureRuns, peakBytes, serve } from "./serve.mjs";

// What Node needs by itself, before it has loaded anything of the peer.
const baseBytes = peakBytes();
const [name, path, threads, option] = process.argv.slice(2);
const { default: ort } = await import(name);
const isWeb = name === "onnxruntime-web";
const prefix = option?.slice("--profile=".length);
if (isWeb) ort.env.wasm.numThreads = Number(threads);

const begin = performance.now();
const session = await ort.InferenceSession.create(isWeb ? readFileSync(path) : path, {
  ...(isWeb ? { executionProviders: ["wasm"] } : { intraOpNumThreads: Number(threads), interOpNumThreads: 1 }),
  executionMode: "sequential",
  graphOptimizationLevel: "all",
  ...(prefix ? { enableProfiling: true, profileFilePrefix: prefix } : {}),
});
const created = performance.now();
const feeds = {};
session.inputNames.forEach((input, index) => {
  const { type, shape } = session.inputMetadata[index];
  feeds[input] = new ort.Tensor(type, fillInput(type, shape.reduce((product, size) => product * size, 1)), shape);
});

async function run() {
  const outputs = await session.run(feeds);
  return session.outputNames.map((output) => outputs[output].data);
}

const filled = performance.now();
await run();
const startMs = performance.now() - filled + created - begin;

if (prefix) {
  // About a second of runs.
  const { median_ms: once } = await measureRuns(run, 3);
  const runs = Math.max(5, Math.min(200, Math.round(1000 / once)));
  await measureRuns(run, runs);
  session.endProfiling();
  console.log(JSON.stringify({ runs }));
} else {
  await serve(run, { start_ms: startMs, base_bytes: baseBytes });
}
