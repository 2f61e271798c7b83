// What a process in Node answers when it is measured, as worker.mjs expects and model-runner.c does.
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";

/// The most bytes that this process had in memory so far.
export const peakBytes = () => 1024 * Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);

/// Milliseconds of `count` runs.
export async function measureRuns(run, count) {
  const times = [];
  for (let i = 0; i < count; ++i) {
    const start = process.hrtime.bigint();
    await run();
    times.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  times.sort((a, b) => a - b);
  const sum = times.reduce((a, b) => a + b);
  return { runs: count, min_ms: times[0], median_ms: times[count >> 1], mean_ms: sum / count };
}

async function measureCalls(run, count) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; ++i) await run();
  return { nanoseconds: Number(process.hrtime.bigint() - start) / count };
}

async function writeOutputs(run, file) {
  const handle = openSync(file, "w");
  const bytes = (await run()).map((data) => writeSync(handle, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
  closeSync(handle);
  return { bytes };
}

/// Prints `ready`, then answers the requests of standard input. `run` runs the model once and returns typed arrays, the
/// outputs in order, or a promise of them.
export async function serve(run, ready) {
  console.log(JSON.stringify(ready));
  for await (const line of createInterface({ input: process.stdin })) {
    const [, request, argument] = /^(run|call|outputs) (.*)$/.exec(line) ?? [];
    if (!request) throw new Error(`expected run N, call N or outputs FILE, but got '${line}'`);
    const answers = { run: () => measureRuns(run, Number(argument)), call: () => measureCalls(run, Number(argument)),
                      outputs: () => writeOutputs(run, argument) };
    console.log(JSON.stringify(await answers[request]()));
  }
}
