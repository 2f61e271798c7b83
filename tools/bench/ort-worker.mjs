// ONNX Runtime as a process that measures on request: prints `ready`, then answers every line `run N` with JSON.
//
//   node ort-worker.mjs MODEL.onnx THREADS [NAME=VALUE...]
import { createInterface } from "node:readline";
import ort from "onnxruntime-node";

const [path, threads, ...dims] = process.argv.slice(2);
const sizes = Object.fromEntries(dims.map((dim) => dim.split("=")).map(([name, value]) => [name, Number(value)]));
const session = await ort.InferenceSession.create(path, {
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
  executionMode: "sequential",
  graphOptimizationLevel: "all",
});

const arrays = {
  float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array, int8: Int8Array,
  int64: BigInt64Array, uint64: BigUint64Array, bool: Uint8Array, int16: Int16Array, uint16: Uint16Array, uint32: Uint32Array,
};
const feeds = {};
session.inputNames.forEach((name, index) => {
  const { type, shape } = session.inputMetadata[index];
  const concrete = shape.map((size) => (typeof size === "number" && size >= 0 ? size : sizes[size] ?? 1));
  const data = new arrays[type](concrete.reduce((a, b) => a * b, 1));
  const wide = type === "int64" || type === "uint64";
  for (let i = 0; i < data.length; ++i)
    data[i] = type.startsWith("float") ? Math.sin(i * 12.9898) : wide ? BigInt(i & 1) : i & 1;
  feeds[name] = new ort.Tensor(type, data, concrete);
});

for (let i = 0; i < 5; ++i) await session.run(feeds);
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const count = Number(/^run (\d+)$/.exec(line)?.[1] ?? 0);
  const times = [];
  for (let i = 0; i < count; ++i) {
    const begin = process.hrtime.bigint();
    await session.run(feeds);
    times.push(Number(process.hrtime.bigint() - begin) / 1e6);
  }
  times.sort((a, b) => a - b);
  console.log(JSON.stringify({ runs: count, min_ms: times[0], median_ms: times[times.length >> 1] }));
}
