// A report as tables: lists of {title, notes, head, rows, text}, whose cells are strings. Columns are numbers but for those
// whose indices `text` lists (the first).
import { geometricMean, threadText } from "./statistics.mjs";

const fixed = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : "-");
const milliseconds = (value) => fixed(value, value < 1 ? 3 : 2);
const percent = (share) => fixed(100 * share, 0);
const megabytes = (bytes) => fixed(bytes / 1e6, bytes < 1e6 ? 3 : 1);
const withSpread = ({ median, low, high }) => `${milliseconds(median)} ± ${fixed((50 * (high - low)) / median, 0)} %`;
const peersOf = (report) => Object.keys(report.environment.versions).filter((name) => name !== "lathe");

function machineSection({ machine }) {
  return {
    title: "Machine",
    notes: ["What independent multiply-adds of f32 reach, and reading a buffer that no cache holds in order."],
    head: ["threads", "GFLOP/s", "memory, GB/s", "buffer, MB"],
    rows: machine.map(({ threads, peak_gflops: peak, memory_gbs: memory, memory_buffer_bytes: bytes }) =>
      [String(threads), fixed(peak, 1), fixed(memory, 1), megabytes(bytes)]),
  };
}

/// The cells of one row of latencies.
function latencyRow(name, row, peers, peak) {
  const { latency, ratio, processor_ratio: processor } = row;
  const rate = row.flops / latency.lathe.median / 1e6;
  return [
    name + (row.rewritten ? " *" : ""), withSpread(latency.lathe), fixed(rate, 1), percent(rate / peak),
    ...peers.flatMap((peer) => [
      withSpread(latency[peer]), fixed(ratio[peer].median, 2), `${fixed(ratio[peer].low, 2)} to ${fixed(ratio[peer].high, 2)}`,
      fixed(processor[peer].median, 2), row.difference[peer].toExponential(0),
    ]),
  ];
}

function latencySection(report, threads, batch) {
  const peers = peersOf(report);
  const { peak_gflops: peak } = report.machine.find((machine) => machine.threads === threads);
  const rows = report.models.flatMap(({ model, latency = [] }) =>
    latency.filter((row) => row.threads === threads && row.batch === batch).map((row) => ({ model, ...row })));
  if (!rows.length) return [];
  const measured = rows.filter((row) => row.latency);
  const mean = (of) => fixed(geometricMean(measured.map((row) => of(row).median)), 2);
  const means = (peer) => ["", mean((row) => row.ratio[peer]), "", mean((row) => row.processor_ratio[peer]), ""];
  const head = ["model", "lathe, ms", "GFLOP/s", "% of peak"];
  for (const peer of peers) head.push(`${peer}, ms`, "ratio", "quartiles", "processor time", "difference");
  return [{
    title: `Latency: ${threadText(threads)}, batch ${batch}`,
    notes: [
      ...(measured.some((row) => row.rewritten)
        ? ["* The file fixes the batch at 1 and was rewritten; the outputs stay the same."]
        : []),
      ...rows.filter((row) => row.skipped).map((row) => `${row.model} is left out: ${row.skipped}.`),
    ],
    head,
    rows: [
      ...measured.map((row) => latencyRow(row.model, row, peers, peak)),
      ...(measured.length > 1 && peers.length ? [["geometric mean", "", "", "", ...peers.flatMap(means)]] : []),
    ],
  }];
}

function startSection(report, threads) {
  const rows = report.models.flatMap(({ model, start = [] }) =>
    start.filter((row) => row.threads === threads).map(({ sides }) => ({ model, ...sides })));
  if (!rows.length) return [];
  const peers = peersOf(report);
  const head = ["model", "lathe: first result, ms", "of it the run, ms", "peak memory, MB", "model, MB"];
  for (const peer of peers)
    head.push(`${peer}: first result, ms`, "ratio", "peak memory, MB", "without Node, MB", "ratio", "model + library, MB");
  return [{
    title: `Start and memory: ${threadText(threads)}`,
    notes: ["From opening the model to its first outputs in a fresh process, and the peak of that process after four runs."],
    head,
    rows: rows.map(({ model, lathe, ...others }) => [
      model, milliseconds(lathe.start_ms.median), lathe.run_ms ? milliseconds(lathe.run_ms.median) : "-",
      megabytes(lathe.peak_bytes), megabytes(lathe.model_bytes),
      ...peers.flatMap((peer) => {
        const it = others[peer], time = it.start_ms.median, memory = it.peak_bytes - it.base_bytes;
        return [milliseconds(time), fixed(time / lathe.start_ms.median, 1), megabytes(it.peak_bytes), megabytes(memory),
                fixed(memory / lathe.peak_bytes, 2), megabytes(it.model_bytes + it.library_bytes)];
      }),
    ]),
  }];
}

function compileSection(report) {
  const models = report.models.filter(({ compile }) => compile);
  if (!models.length) return [];
  return [{
    title: "Compilation",
    notes: ["`lathe compile` to an object, all processors; and how much of the workspace is in use at once."],
    head: ["model", "file, MB", "seconds", "processor, s", "memory, MB", "object, MB", "weights, MB", "code, KB",
           "workspace, MB", "live, MB"],
    rows: models.map(({ model, file_bytes: file, compile: it }) => [
      model, megabytes(file), fixed(it.wall_ms / 1e3, 1), fixed(it.processor_ms / 1e3, 1), megabytes(it.peak_bytes),
      megabytes(it.object_bytes), megabytes(it.weight_bytes), fixed(it.code_bytes / 1e3, 1), megabytes(it.arena.bytes),
      megabytes(it.arena.largest_live_bytes),
    ]),
  }];
}

function callSection({ call }) {
  if (!call) return [];
  return [{
    title: "Call",
    notes: ["One call of a model that adds two numbers."],
    head: ["side", "microseconds"],
    rows: Object.entries(call).map(([name, { median }]) => [name, fixed(median / 1000, 3)]),
  }];
}

/// A line for each goal, with the model that is farthest from it.
function goalSection({ goals }) {
  if (!goals.length) return [];
  const lines = new Map();
  for (const goal of goals) {
    const key = `${goal.goal} ${goal.atLeast ?? goal.atMost}`;
    lines.set(key, [...(lines.get(key) ?? []), goal]);
  }
  const reachedOf = (list) => `${list.filter(({ reached }) => reached).length} of ${list.length}`;
  return [{
    title: `Goals: ${reachedOf(goals)} reached`,
    notes: ["Where a goal is for several models, that one is shown which is farthest from it."],
    text: [0, 3],
    head: ["goal", "wanted", "measured", "of", "reached"],
    rows: [...lines.values()].map((list) => {
      const isWorse = (a, b) => (a.atLeast ? a.value < b.value : a.value > b.value);
      const { goal, atLeast, atMost, value, of = "" } = list.reduce((a, b) => (isWorse(a, b) ? a : b));
      return [goal, atLeast ? `>= ${atLeast}` : `<= ${atMost}`, fixed(value, 2), of, reachedOf(list)];
    }),
  }];
}

/// Layers that take 1 % of the time at least on either side, and the rest in a line.
function layerSection({ model, profile }) {
  if (!profile) return [];
  const { peer, total_us: total } = profile;
  const isShown = (layer) => layer.share >= 0.01 || (peer && layer.peer_us >= 0.01 * peer.total_us);
  const rest = profile.layers.filter((layer) => !isShown(layer));
  const sum = (layers, of) => layers.reduce((all, layer) => all + (of(layer) ?? 0), 0);
  const row = (layer) => [
    layer.name, layer.op, fixed(layer.time_us, 1), fixed(100 * layer.share, 1), fixed((2 * layer.macs * layer.calls) / 1e6, 1),
    fixed((layer.bytes * layer.calls) / 1e3, 0), fixed(layer.gflops, 1), percent(layer.peak_share), percent(layer.roofline_share),
    ...(peer ? [fixed(layer.peer_us, 1), layer.peer_op ?? ""] : []),
  ];
  const restTime = sum(rest, (layer) => layer.time_us);
  const extra = (name, time, peerTime, peerOps = "") => [
    name, "", fixed(time, 1), fixed((100 * time) / total, 1), "", "", "", "", "",
    ...(peer ? [fixed(peerTime, 1), peerOps] : []),
  ];
  const ofPeer = peer && [sum(peer.unmatched, ({ us }) => us), [...new Set(peer.unmatched.map(({ op }) => op))].join(", ")];
  return [{
    title: `Layers: ${model}, batch ${profile.batch}, ${threadText(profile.threads)}`,
    notes: [
      `Peak ${fixed(profile.peak_gflops, 1)} GFLOP/s; as many bytes as the weights are read at ` +
        `${fixed(profile.weight_gbs, 1)} GB/s, as the workspace at ${fixed(profile.workspace_gbs, 1)} GB/s; "roofline" is the ` +
        "least time by these, of the time.",
      ...(peer ? [`Each kernel of ${peer.name} takes some microseconds longer than without its profiler.`] : []),
    ],
    text: [0, 1, 10],
    head: ["node", "op", "us", "%", "MFLOP", "KB", "GFLOP/s", "% peak", "% roofline",
           ...(peer ? [`${peer.name}, us`, "its op"] : [])],
    rows: [
      ...profile.layers.filter(isShown).map(row),
      ...(rest.length ? [extra(`${rest.length} others`, restTime, sum(rest, (layer) => layer.peer_us))] : []),
      extra("between layers", profile.between_layers_us, NaN),
      ...(peer ? [extra("only of the peer", NaN, ...ofPeer)] : []),
      ["total", "", fixed(total, 1), "100.0", "", "", fixed(profile.gflops, 1), percent(profile.gflops / profile.peak_gflops),
       percent(profile.roofline_share), ...(peer ? [fixed(peer.total_us, 1), ""] : [])],
    ],
  }];
}

/// All tables of a report.
export function makeSections(report) {
  const all = report.models.flatMap(({ latency = [] }) => latency.map(({ batch }) => batch));
  const batches = [...new Set(all)].sort((a, b) => a - b);
  return [
    machineSection(report),
    ...report.machine.flatMap(({ threads }) => batches.flatMap((batch) => latencySection(report, threads, batch))),
    ...report.machine.flatMap(({ threads }) => startSection(report, threads)),
    ...compileSection(report),
    ...callSection(report),
    ...report.models.flatMap(layerSection),
    ...goalSection(report),
  ];
}
