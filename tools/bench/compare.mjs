// Latency of Lathe and ONNX Runtime on the same models, in alternating rounds, so that both see the same state of the machine.
//
//   tools/bench/compare [--threads=N] [--rounds=N] [--lathe=PROGRAM] [--json] MODEL.onnx[,NAME=VALUE...] ...
//
// NAME=VALUE fixes a symbolic dimension. Each model is one row: the median over all runs of every side, and Lathe / peer.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { dirname, resolve, basename } from "node:path";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");

function parseArguments(words) {
  const options = { threads: 1, rounds: 10, lathe: resolve(root, "build/release/bin/lathe"), json: false, lathe_flags: "", models: [] };
  for (const word of words) {
    const match = /^--([a-z-]+)(?:=(.*))?$/.exec(word);
    if (!match) {
      const [path, ...dims] = word.split(",");
      options.models.push({ path: resolve(path), dims });
    } else if (match[1] === "help") {
      console.log("usage: compare [--threads=N] [--rounds=N] [--lathe=PROGRAM] [--lathe-flags='...'] [--json] MODEL.onnx[,NAME=VALUE...] ...");
      process.exit(0);
    } else if (match[1] === "json") {
      options.json = true;
    } else if (match[1] === "threads" || match[1] === "rounds") {
      options[match[1]] = Number(match[2]);
    } else if (match[1] === "lathe" || match[1] === "lathe-flags") {
      options[match[1].replace("-", "_")] = match[2];
    } else {
      console.error(`compare: error: unknown option '${word}'`);
      process.exit(2);
    }
  }
  return options;
}

// A program that answers every line `run N` with one line of JSON; both sides speak this.
class Worker {
  constructor(command, args) {
    this.child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.child.on("error", () => {});
  }
  async line() {
    const { value, done } = await this.lines.next();
    if (done) throw new Error("ended early");
    return value;
  }
  async start() {
    while ((await this.line()) !== "ready");
  }
  async run(count) {
    this.child.stdin.write(`run ${count}\n`);
    return JSON.parse(await this.line());
  }
  stop() {
    this.child.stdin.end();
  }
}

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

async function compareModel(model, options) {
  const dims = model.dims.map((dim) => `--dim=${dim}`);
  const flags = options.lathe_flags ? options.lathe_flags.split(" ") : [];
  const sides = {
    lathe: new Worker(options.lathe, ["bench", model.path, ...dims, ...flags, `--threads=${options.threads}`, "--interactive"]),
    ort: new Worker("node", [resolve(here, "ort-worker.mjs"), model.path, String(options.threads), ...model.dims]),
  };
  const medians = { lathe: [], ort: [] };
  try {
    for (const side of Object.values(sides)) await side.start();
    // About 100 ms a turn.
    const once = {};
    for (const [name, side] of Object.entries(sides)) once[name] = (await side.run(3)).median_ms;
    for (let round = 0; round < options.rounds; ++round) {
      const order = round % 2 ? ["ort", "lathe"] : ["lathe", "ort"];
      for (const name of order) {
        const count = Math.max(1, Math.min(2000, Math.round(100 / once[name])));
        medians[name].push((await sides[name].run(count)).median_ms);
      }
    }
  } finally {
    for (const side of Object.values(sides)) side.stop();
  }
  const result = { model: basename(model.path, ".onnx"), dims: model.dims, threads: options.threads };
  result.lathe_ms = median(medians.lathe);
  result.ort_ms = median(medians.ort);
  result.ratio = result.lathe_ms / result.ort_ms;
  return result;
}

const options = parseArguments(process.argv.slice(2));
const results = [];
for (const model of options.models) {
  try {
    results.push(await compareModel(model, options));
  } catch (error) {
    results.push({ model: basename(model.path, ".onnx"), error: error.message });
  }
  const last = results[results.length - 1];
  if (!options.json)
    console.log(
      last.error
        ? `${last.model.padEnd(24)} failed: ${last.error}`
        : `${last.model.padEnd(24)} lathe ${last.lathe_ms.toFixed(3).padStart(9)} ms   ort ${last.ort_ms.toFixed(3).padStart(9)} ms   lathe/ort ${last.ratio.toFixed(2)}`
    );
}
if (options.json) console.log(JSON.stringify(results, null, 2));
process.exit(results.some((result) => result.error) ? 1 : 0);
