// From nothing to the first result, and the memory that it takes, in fresh processes that do nothing else.
import { statSync } from "node:fs";
import { summarize } from "./statistics.mjs";
import { Worker } from "./worker.mjs";

/// Of each side: milliseconds from opening the model to its first outputs (neither the start of the process nor the loading of
/// the peer's library counts), those of it that the run took, where the side tells them, the peak of the process's memory after
/// some runs, that of it which the process has without model and library, and the sizes of files that it needs.
export async function measureStart(sides, variant, processors, threads, rounds) {
  const times = {}, runs = {}, peaks = {}, bases = {};
  for (let round = 0; round < rounds; ++round)
    for (const side of round % 2 ? [...sides].reverse() : sides) {
      const worker = new Worker(side.command(variant, threads), processors.slice(0, threads));
      try {
        const { start_ms: time, run_ms: run, base_bytes: base = 0 } = await worker.start();
        await worker.run(3);
        (times[side.name] ??= []).push(time);
        if (run) (runs[side.name] ??= []).push(run);
        (peaks[side.name] ??= []).push(worker.peakBytes());
        (bases[side.name] ??= []).push(base);
      } finally {
        await worker.stop();
      }
    }
  return Object.fromEntries(
    sides.map((side) => [side.name, {
      start_ms: summarize(times[side.name]),
      run_ms: runs[side.name] && summarize(runs[side.name]),
      peak_bytes: summarize(peaks[side.name]).median,
      base_bytes: summarize(bases[side.name]).median,
      model_bytes: statSync(side.prepare(variant).file).size,
      library_bytes: side.libraryBytes(),
    }])
  );
}
