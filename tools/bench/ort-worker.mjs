// ONNX Runtime as a process that measures on request, as worker.mjs expects.
//
//   node ort-worker.mjs MODEL.onnx THREADS
//   node ort-worker.mjs MODEL.onnx THREADS --profile=PREFIX
//
// All dimensions are fixed in the file: the package for Node has no option that does it. The second form prints one line, {"runs": ...}, and ends; the trace of these runs is in a file whose name begins with PREFIX.
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { fillInput } from "./inputs.mjs";

// What Node needs by itself, before it has loaded anything of the peer.
const baseBytes = 1024 * Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
const { default: ort } = await import("onnxruntime-node");

const [path, threads, option] = process.argv.slice(2);
const prefix = option?.slice("--profile=".length);

const begin = performance.now();
const session = await ort.InferenceSession.create(path, {
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
  executionMode: "sequential",
  graphOptimizationLevel: "all",
  ...(prefix ? { enableProfiling: true, profileFilePrefix: prefix } : {}),
});
const created = performance.now();
const feeds = {};
session.inputNames.forEach((name, index) => {
  const { type, shape } = session.inputMetadata[index];
  feeds[name] = new ort.Tensor(type, fillInput(type, shape.reduce((product, size) => product * size, 1)), shape);
});
const filled = performance.now();
await session.run(feeds);
const startMs = performance.now() - filled + created - begin;

async function measureRuns(count) {
  const times = [];
  for (let i = 0; i < count; ++i) {
    const start = process.hrtime.bigint();
    await session.run(feeds);
    times.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  times.sort((a, b) => a - b);
  return { runs: count, min_ms: times[0], median_ms: times[count >> 1] };
}

async function measureCalls(count) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; ++i) await session.run(feeds);
  return { nanoseconds: Number(process.hrtime.bigint() - start) / count };
}

async function writeOutputs(file) {
  const outputs = await session.run(feeds);
  const handle = openSync(file, "w");
  const bytes = session.outputNames.map((name) => {
    const { data } = outputs[name];
    return writeSync(handle, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  });
  closeSync(handle);
  return { bytes };
}

async function answer(line) {
  const [, request, argument] = /^(run|call|outputs) (.*)$/.exec(line) ?? [];
  if (request === "run") return measureRuns(Number(argument));
  if (request === "call") return measureCalls(Number(argument));
  if (request === "outputs") return writeOutputs(argument);
  throw new Error(`expected run N, call N or outputs FILE, but got '${line}'`);
}

if (prefix) {
  // About a second of runs.
  const { median_ms: once } = await measureRuns(3);
  const runs = Math.max(5, Math.min(200, Math.round(1000 / once)));
  await measureRuns(runs);
  session.endProfiling();
  console.log(JSON.stringify({ runs }));
} else {
  console.log(JSON.stringify({ start_ms: startMs, base_bytes: baseBytes }));
  for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await answer(line)));
}
