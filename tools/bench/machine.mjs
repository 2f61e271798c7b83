// The machine: what it is, and what it can do.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import os from "node:os";
import { here } from "./options.mjs";
import { capture } from "./worker.mjs";

function attempt(read, otherwise) {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/// Machine, system, versions and options of a report.
export function describeEnvironment(options, sides, processors) {
  const git = (...args) => attempt(() => capture([], ["git", "-C", here, ...args]).stdout.trim(), "");
  // Of a program from elsewhere the commit is not known.
  const ours = options.lathe.startsWith(resolve(here, "../../build"));
  const release = /^PRETTY_NAME="?(.*?)"?$/m;
  const dirty = git("status", "--porcelain", "--untracked-files=no") ? ", modified" : "";
  const commit = ours ? git("rev-parse", "--short", "HEAD") : "";
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: `${os.cpus()[0].model.trim()}, ${os.cpus().length} processors`,
    processors: os.cpus().length,
    pinned_to: processors,
    system: attempt(() => release.exec(readFileSync("/etc/os-release", "utf8"))[1], `${os.type()} ${os.release()}`),
    load: Number(os.loadavg()[0].toFixed(1)),
    versions: Object.fromEntries(sides.map((side) => [side.name, side.version])),
    commit: commit && commit + dirty,
    lathe_options: options.latheOptions.join(" "),
    target: options.target,
    rounds: options.rounds,
  };
}

/// The rates that no kernel can exceed, by code that Lathe compiled, with these threads.
export function measureMachine(lathe, threads, processors) {
  return JSON.parse(capture(processors.slice(0, threads), [lathe, "machine", `--threads=${threads}`, "--json"]).stdout);
}

/// Two measurements of it, before and after: of rates that are limits the larger ones hold.
export function mergeMachines(before, after) {
  return {
    ...before,
    peak_gflops: Math.max(before.peak_gflops, after.peak_gflops),
    memory_gbs: Math.max(before.memory_gbs, after.memory_gbs),
  };
}

/// FLOPs of a run of the variant: two for each multiply-add of its matrix products and convolutions.
export function countFlops(lathe, variant) {
  const { stdout } = capture([], [lathe, "inspect", variant.path, ...variant.dims.map((dim) => `--dim=${dim}`), "--json"]);
  return JSON.parse(stdout).flops;
}
