// Latencies: both sides in turns, so that they see the same state of the machine, and the cost of a call.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { difference, splitOutputs } from "./inputs.mjs";
import { writeAddition } from "./onnx-file.mjs";
import { summarize } from "./statistics.mjs";
import { Worker } from "./worker.mjs";

/// Runs `measure` with a started worker of each side, by name; ends them in any case.
async function withWorkers(sides, variant, threads, processors, measure) {
  const workers = {};
  try {
    for (const side of sides) {
      workers[side.name] = new Worker(side.command(variant, threads), processors.slice(0, threads));
      await workers[side.name].start();
    }
    return await measure(workers);
  } finally {
    await Promise.all(Object.values(workers).map((worker) => worker.stop()));
  }
}

/// Calls `turn(worker)` of each side `rounds` times, the sides in alternating order, each once the one before
/// rests: lists of results, by name.
async function takeTurns(workers, rounds, turn) {
  const names = Object.keys(workers);
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; ++round)
    for (const name of round % 2 ? [...names].reverse() : names) {
      results[name].push(await turn(workers[name], name));
      await workers[name].rest();
    }
  return results;
}

/// Of each peer, its times divided by those of the first side, round by round.
function ratios(times) {
  const [[, ours], ...peers] = Object.entries(times);
  return Object.fromEntries(peers.map(([name, list]) => [name, summarize(list.map((time, round) => time / ours[round]))]));
}

const summaries = (lists) => Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, summarize(list)]));

/// Milliseconds of a run (medians and means of turns) and of processor time, with ratios. The first side is the one that the others are divided by.
export function measureLatency(sides, variant, threads, processors, rounds) {
  return withWorkers(sides, variant, threads, processors, async (workers) => {
    const counts = {};
    for (const [name, worker] of Object.entries(workers)) {
      await worker.run(5);
      counts[name] = Math.max(1, Math.min(2000, Math.round(100 / (await worker.run(3)).median_ms)));
    }
    const processor = {}, means = {};
    const latency = await takeTurns(workers, rounds, async (worker, name) => {
      const before = worker.processorTime();
      const { median_ms: median, mean_ms: mean } = await worker.run(counts[name]);
      (processor[name] ??= []).push((worker.processorTime() - before) / counts[name]);
      (means[name] ??= []).push(mean);
      return median;
    });
    const inOrder = Object.fromEntries(Object.keys(workers).map((name) => [name, processor[name]]));
    return {
      latency: summaries(latency), mean: summaries(means), ratio: ratios(latency), processor: summaries(processor), processor_ratio: ratios(inOrder),
    };
  });
}

/// Nanoseconds of a call of a model that adds two numbers, which is all but the cost of the call.
export async function measureCall(sides, folder, processors, rounds) {
  const path = resolve(folder, "addition.onnx");
  writeAddition(path);
  return withWorkers(sides, { path, dims: [] }, 1, processors, async (workers) => {
    const call = async (worker) => (await worker.ask("call 20000")).nanoseconds;
    await takeTurns(workers, 1, call);
    return summaries(await takeTurns(workers, rounds, call));
  });
}

/// The outputs of a variant, as arrays of the types that the model declares.
async function outputsOf(side, variant, model, folder, processors) {
  return withWorkers([side], variant, 1, processors, async (workers) => {
    const file = resolve(folder, "outputs");
    const { bytes } = await workers[side.name].ask(`outputs ${file}`);
    return splitOutputs(readFileSync(file), bytes, model.outputs.map(({ type }) => type));
  });
}

/// The most that outputs may differ where all sides compute in f32.
const tolerance = 1e-3;

/// How far the outputs of peers are from ours, by name. Fails if they are not the same (unless ours `isInexact`), or if some
/// side's first part of the batch of a rewritten variant is not what the model in the file computes.
export async function compareOutputs(sides, variant, model, folder, processors, isInexact) {
  const differences = {};
  let ours;
  for (const side of sides) {
    const outputs = await outputsOf(side, variant, model, folder, processors);
    if (variant.rewritten) {
      const original = await outputsOf(side, variant.rewritten, model, folder, processors);
      if (!(difference(outputs, original, variant.batch / variant.rewritten.batch) < tolerance))
        throw new Error(`${side.name}: other outputs`);
    }
    if (ours) differences[side.name] = difference(ours, outputs);
    if (ours && !isInexact && !(differences[side.name] < tolerance))
      throw new Error(`the outputs of lathe and ${side.name} differ by ${differences[side.name]} of the largest`);
    ours ??= outputs;
  }
  return differences;
}
