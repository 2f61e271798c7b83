// Latency of Lathe and ONNX Runtime on the same models, in alternating rounds, so that both see the same state of the machine.
import { writeFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, markdown, textRow } from "./report.mjs";
import { summarize } from "./statistics.mjs";
import { Worker } from "./worker.mjs";

const here = dirname(fileURLToPath(import.meta.url));

const usage = `usage: compare [options] MODEL.onnx[,NAME=VALUE...] ...

NAME=VALUE fixes a symbolic dimension. The ratio is the peer's time divided by Lathe's: above 1, Lathe is faster.

  --threads=N[,N...]    threads of either side (1)
  --rounds=N            turns of about 100 ms of each side (10)
  --format=FORMAT       text, json or markdown (text)
  --output=FILE         where the report goes (standard output)
  --lathe=PROGRAM       build/release/bin/lathe of this checkout by default
  --lathe-flags=FLAGS   more options for lathe, separated by spaces`;

function fail(message) {
  console.error(`compare: error: ${message}`);
  process.exit(2);
}

function positive(option, text) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) fail(`expected a positive number for --${option}, but got '${text}'`);
  return value;
}

function parseArguments(words) {
  const options = {
    threads: [1], rounds: 10, format: "text", output: "", flags: [], models: [],
    lathe: resolve(here, "../../build/release/bin/lathe"),
  };
  for (const word of words) {
    const [, option, value] = /^--([a-z-]+)(?:=(.*))?$/.exec(word) ?? [];
    if (!option) {
      const [path, ...dims] = word.split(",");
      options.models.push({ path: resolve(path), dims });
    } else if (option === "help") {
      console.log(usage);
      process.exit(0);
    } else if (value === undefined) fail(`expected --${option}=VALUE, but got '${word}'`);
    else if (option === "threads") options.threads = value.split(",").map((count) => positive(option, count));
    else if (option === "rounds") options.rounds = positive(option, value);
    else if (option === "format") {
      if (!["text", "json", "markdown"].includes(value)) fail(`expected text, json or markdown, but got '${value}'`);
      options.format = value;
    } else if (option === "output") options.output = value;
    else if (option === "lathe") options.lathe = resolve(value);
    else if (option === "lathe-flags") options.flags = value.split(" ").filter(Boolean);
    else fail(`unknown option '${word}'`);
  }
  if (!options.models.length) fail("expected a model");
  return options;
}

/// The peer's time divided by Lathe's, round by round.
function ratios({ lathe, ort }) {
  return summarize(ort.map((time, round) => time / lathe[round]));
}

async function compareModel(model, threads, options) {
  const result = { model: basename(model.path, ".onnx"), dims: model.dims, threads };
  const dims = model.dims.map((dim) => `--dim=${dim}`);
  const sides = {
    lathe: new Worker(options.lathe, ["bench", model.path, ...dims, ...options.flags, `--threads=${threads}`, "--interactive"]),
    ort: new Worker("node", [resolve(here, "ort-worker.mjs"), model.path, String(threads), ...model.dims]),
  };
  const times = { lathe: [], ort: [] };
  const processor = { lathe: [], ort: [] };
  try {
    const counts = {};
    for (const [name, side] of Object.entries(sides)) {
      await side.start();
      counts[name] = Math.max(1, Math.min(2000, Math.round(100 / (await side.run(3)))));
    }
    for (let round = 0; round < options.rounds; ++round)
      for (const name of round % 2 ? ["ort", "lathe"] : ["lathe", "ort"]) {
        const before = sides[name].processorTime();
        times[name].push(await sides[name].run(counts[name]));
        processor[name].push((sides[name].processorTime() - before) / counts[name]);
      }
  } catch (error) {
    return { ...result, error: error.message };
  } finally {
    for (const side of Object.values(sides)) side.stop();
  }
  return {
    ...result,
    lathe: summarize(times.lathe),
    ort: summarize(times.ort),
    ratio: ratios(times),
    processor: { lathe: summarize(processor.lathe), ort: summarize(processor.ort), ratio: ratios(processor) },
  };
}

const options = parseArguments(process.argv.slice(2));
const results = [];
for (const threads of options.threads)
  for (const model of options.models) {
    results.push(await compareModel(model, threads, options));
    // Rows as they come: on the terminal even where the report goes to a file.
    const row = textRow(results[results.length - 1]);
    if (options.format === "text" && !options.output) console.log(row);
    else console.error(row);
  }
const environment = describe(options);
const report =
  options.format === "json"
    ? JSON.stringify({ environment, results }, null, 2) + "\n"
    : options.format === "markdown"
      ? markdown(environment, results)
      : results.map(textRow).join("\n") + "\n";
if (options.output) writeFileSync(options.output, report);
else if (options.format !== "text") process.stdout.write(report);
process.exitCode = results.some((result) => result.error) ? 1 : 0;
