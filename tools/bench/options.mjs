// The command line of `compare`.
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const here = dirname(fileURLToPath(import.meta.url));
const measures = ["latency", "start", "compile", "call"];

const usage = `usage: compare [options] MODEL.onnx[,NAME=VALUE...] ...

Measures Lathe and its peers on the same models and inputs, in turns, each on processors of its own. NAME=VALUE fixes a
symbolic dimension. Above 1, a ratio says that Lathe is better.

  --target=NAME         machine that Lathe compiles for (this one); wasm32 and wasm32-relaxed are run by Node
  --threads=N,...       threads of either side, and processors that they run on (1,2; WebAssembly: 1)
  --batch=N,...         sizes of the first dimension of inputs (1,8): of a symbolic one, if NAME=VALUE does not fix it; a file
                        that says 1 is rewritten for others if the outputs stay the same, and left out with a reason if not
  --peers=PEER,...      what to compare with (onnxruntime-node; WebAssembly: onnxruntime-web, its wasm backend); lathe=PROGRAM is
                        another build of Lathe; none: only Lathe
  --measure=WHAT,...    some of latency; start: the time from nothing to the first result, and memory; compile: time, memory
                        and sizes; call: what calling a model costs (all)
  --profile             also time, FLOP, bytes and the share of the roofline of each layer, beside the peer's time
  --rounds=N            turns of about 100 ms of each side (10); other figures are medians of N as well, of 5 at most
  --processors=N,...    processors to run on, as many as threads (the first that are not of one core)
  --lathe=PROGRAM       build/release/bin/lathe of this checkout by default
  --lathe-options=TEXT  more options of lathe for compilations, separated by spaces
  --json=FILE           writes everything as JSON
  --markdown=FILE       writes the report as Markdown, too (docs/performance.md is such a file)`;

/// Ends the program as for a wrong command line.
function fail(message) {
  console.error(`compare: error: ${message}`);
  process.exit(2);
}

function positive(option, text) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) fail(`expected a positive number for --${option}, but got '${text}'`);
  return value;
}

const list = (text) => text.split(",").filter(Boolean);
const numbers = (option, text) => [...new Set(list(text).map((item) => positive(option, item)))].sort((a, b) => a - b);

function checkMeasures(names) {
  const unknown = names.find((name) => !measures.includes(name));
  if (unknown) fail(`expected --measure of ${measures.join(", ")}, but got '${unknown}'`);
  return names;
}

function parseModel(word) {
  const [path, ...dims] = word.split(",");
  for (const dim of dims)
    if (!/^[^=]+=\d+$/.test(dim)) fail(`expected NAME=VALUE after the model, but got '${dim}'`);
  return { path: resolve(path), dims };
}

/// The options as an object; prints and ends the program after --help or an error.
export function parseOptions(words) {
  const options = {
    target: "", threads: null, batches: [1, 8], peers: null, measure: new Set(measures), profile: false, rounds: 10,
    processors: null, lathe: resolve(here, "../../build/release/bin/lathe"), latheOptions: [], json: "", markdown: "",
    models: [],
  };
  const setters = {
    target: (value) => (options.target = value),
    threads: (value) => (options.threads = numbers("threads", value)),
    batch: (value) => (options.batches = numbers("batch", value)),
    peers: (value) => (options.peers = list(value)),
    measure: (value) => (options.measure = new Set(checkMeasures(list(value)))),
    rounds: (value) => (options.rounds = positive("rounds", value)),
    processors: (value) => (options.processors = list(value).map(Number)),
    lathe: (value) => (options.lathe = resolve(value)),
    "lathe-options": (value) => (options.latheOptions = value.split(" ").filter(Boolean)),
    json: (value) => (options.json = value),
    markdown: (value) => (options.markdown = value),
  };
  for (const word of words) {
    const [, option, value] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (option === "help") {
      console.log(usage);
      process.exit(0);
    }
    if (option === "profile") options.profile = true;
    else if (!option && word.startsWith("-")) fail(`unknown option '${word}'`);
    else if (!option) options.models.push(parseModel(word));
    else if (!Object.hasOwn(setters, option)) fail(`unknown option '${word}'`);
    else if (value === undefined) fail(`expected --${option}=VALUE, but got '${word}'`);
    else setters[option](value);
  }
  options.isWasm = options.target.startsWith("wasm");
  options.threads ??= options.isWasm ? [1] : [1, 2];
  options.peers ??= [options.isWasm ? "onnxruntime-web" : "onnxruntime-node"];
  if (!options.models.length) fail("expected a model");
  if (options.isWasm && options.threads.some((threads) => threads !== 1)) fail("expected --threads=1 for WebAssembly");
  if (options.isWasm && options.profile) fail("expected no --profile for WebAssembly: it has no clock");
  if (!options.threads.length || !options.batches.length) fail("expected a number for --threads and --batch");
  return options;
}
