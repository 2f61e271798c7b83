// Lathe and its peers on the same models; `compare --help` says how.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import os from "node:os";
import { judge } from "./goals.mjs";
import { compareOutputs, measureCall, measureLatency } from "./latency.mjs";
import { countFlops, describeEnvironment, measureMachine, mergeMachines } from "./machine.mjs";
import { readInterface } from "./onnx-file.mjs";
import { parseOptions } from "./options.mjs";
import { profileModel } from "./profile.mjs";
import { renderMarkdown, renderText } from "./render.mjs";
import { makeSections } from "./sections.mjs";
import { Lathe, LatheWasm, makePeer } from "./sides.mjs";
import { measureStart } from "./startup.mjs";
import { planVariants } from "./variants.mjs";
import { listProcessors } from "./worker.mjs";

const options = parseOptions(process.argv.slice(2));
const folder = mkdtempSync(resolve(os.tmpdir(), "lathe-compare-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

/// What goes on, on the terminal.
const say = (text) => console.error(`compare: ${text}`);

/// The latencies of one variant, a row for each number of threads. A variant that does not work is left out with its reason
/// if it is not the model as it is in the file.
async function measureVariant(sides, variant, model, processors) {
  const rows = options.threads.map((threads) => ({ batch: variant.batch, threads }));
  if (variant.skipped) return rows.map((row) => ({ ...row, skipped: variant.skipped }));
  let differences;
  try {
    const isInexact = options.latheOptions.length > 0;
    differences = await compareOutputs(sides, variant, model, folder, processors, isInexact);
  } catch (error) {
    if (!variant.rewritten) throw error;
    const reason = error.message.replaceAll(`${folder}/`, "");
    return rows.map((row) => ({ ...row, skipped: `the file fixes the batch at 1, and rewritten it fails: ${reason}` }));
  }
  const flops = countFlops(options.lathe, variant);
  for (const row of rows) {
    Object.assign(row, await measureLatency(sides, variant, row.threads, processors, options.rounds));
    Object.assign(row, { difference: differences, flops, rewritten: Boolean(variant.rewritten) });
    say(`${model.name}: batch ${row.batch}, threads ${row.threads}: ${row.latency.lathe.median.toFixed(3)} ms` +
      Object.entries(row.ratio).map(([peer, { median }]) => `, ${peer} / lathe ${median.toFixed(2)}`).join(""));
  }
  return rows;
}

async function measureModel({ path, dims }, sides, processors) {
  const result = { model: basename(path, ".onnx"), dims };
  try {
    const model = { name: result.model, path, dims, ...readInterface(path) };
    result.file_bytes = model.bytes;
    const variants = planVariants(model, options.batches, folder);
    const first = variants.find((variant) => !variant.skipped);
    const has = (measure) => options.measure.has(measure);
    if (has("compile")) result.compile = sides[0].measureCompilation(first);
    if (has("latency")) {
      result.latency = [];
      for (const variant of variants) result.latency.push(...(await measureVariant(sides, variant, model, processors)));
    }
    if (has("start")) {
      result.start = [];
      const rounds = Math.min(options.rounds, 5);
      for (const threads of options.threads)
        result.start.push({ threads, sides: await measureStart(sides, first, processors, threads, rounds) });
    }
    if (options.profile) {
      const threads = options.threads[0];
      const profile = profileModel(sides[0], sides[1], first, threads, processors, folder);
      result.profile = { batch: first.batch, threads, ...profile };
    }
  } catch (error) {
    result.error = error.message;
    say(`${result.model} failed: ${error.message}`);
  }
  for (const side of sides) side.release();
  return result;
}

async function main() {
  const processors = options.processors ?? listProcessors().slice(0, Math.max(...options.threads));
  if (processors.length < Math.max(...options.threads)) throw new Error("expected as many processors as threads");
  const tools = dirname(options.lathe);
  const flags = [...(options.target ? [`--target=${options.target}`] : []), ...options.latheOptions];
  const Side = options.isWasm ? LatheWasm : Lathe;
  const sides = [
    new Side("lathe", options.lathe, flags, tools, folder),
    ...options.peers.map((peer) => makePeer(peer, options.target, tools, folder)),
  ];
  const environment = { ...describeEnvironment(options, sides, processors), command: process.argv.slice(2).join(" ") };
  const machine = () => options.threads.map((threads) => measureMachine(options.lathe, threads, processors));
  const before = machine();
  const models = [];
  for (const model of options.models) models.push(await measureModel(model, sides, processors));
  const call = options.measure.has("call") ? await measureCall(sides, folder, processors, Math.min(options.rounds, 5)) : undefined;
  const after = machine();
  const report = { environment, machine: before.map((first, index) => mergeMachines(first, after[index])), models, call };
  report.goals = judge(report);

  const sections = makeSections(report);
  process.stdout.write(renderText(report, sections));
  if (options.json) writeFileSync(options.json, JSON.stringify(report, null, 2) + "\n");
  if (options.markdown) writeFileSync(options.markdown, renderMarkdown(report, sections));
  process.exitCode = models.some(({ error }) => error) ? 1 : 0;
}

main().catch((error) => {
  console.error(`compare: error: ${error.message}`);
  process.exitCode = 1;
});
