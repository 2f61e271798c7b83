// What Lathe wants to reach against ONNX Runtime in f32, and whether a report does; as WebAssembly, against that of the web.
import { geometricMean, threadText } from "./statistics.mjs";

const PEER = "onnxruntime-node";
const WEB_PEER = "onnxruntime-web";
const ratioOf = (row, peer = PEER) => row.ratio?.[peer]?.median;
const latencies = (report, threads, batch) =>
  report.models.flatMap((model) => (model.latency ?? []).map((row) => ({ ...row, model: model.model })))
    .filter((row) => row.threads === threads && row.batch === batch && ratioOf(row));

function ratioGoals(report) {
  const least = {
    resnet18: 1.5, resnet50: 1.25, squeezenet1_1: 1.2, mobilenet_v2: 1.2, mobilenet_v3_large: 1.3, efficientnet_b0: 1.3,
    vit_b_16: 1.12,
  };
  return report.machine.flatMap(({ threads }) => {
    const rows = latencies(report, threads, 1);
    if (!rows.length) return [];
    const at = threadText(threads);
    const lowest = rows.reduce((a, b) => (ratioOf(a) < ratioOf(b) ? a : b));
    return [
      { goal: `ratio, geometric mean, ${at}`, atLeast: 1.35, value: geometricMean(rows.map(ratioOf)) },
      { goal: `ratio, lowest, ${at}`, atLeast: 1.05, value: ratioOf(lowest), of: lowest.model },
      ...rows.filter((row) => least[row.model])
        .map((row) => ({ goal: `ratio, ${at}`, atLeast: least[row.model], value: ratioOf(row), of: row.model })),
    ];
  });
}

/// The time of an image in a batch against that of an image alone, for the largest batch. Of means: most short runs escape
/// the interruptions of a machine, and their median with them; long runs have their share.
function batchGoals(report) {
  return report.models.flatMap((model) => {
    const rows = (model.latency ?? []).filter((row) => row.latency);
    const largest = Math.max(...rows.map(({ batch }) => batch));
    return rows.filter(({ batch }) => batch === largest && batch > 1).flatMap(({ batch, threads, mean }) => {
      const single = rows.find((row) => row.batch === 1 && row.threads === threads);
      if (!single) return [];
      const value = mean.lathe.median / batch / single.mean.lathe.median;
      return [{ goal: `time per image, batch ${batch} / 1, threads: ${threads}`, atMost: 1, value, of: model.model }];
    });
  });
}

function memoryGoals(report) {
  const rows = report.models.flatMap(({ model: of, start = [] }) => start.map((row) => ({ of, ...row })));
  return rows.filter(({ sides }) => sides[PEER]).flatMap(({ of, threads, sides: { lathe, [PEER]: peer } }) => {
    const memory = lathe.peak_bytes / (peer.peak_bytes - peer.base_bytes);
    const time = lathe.start_ms.median / peer.start_ms.median;
    return [
      { goal: `peak memory / peer's without Node's own, ${threadText(threads)}`, atMost: 0.5, value: memory, of },
      { goal: `start to first result / peer's, ${threadText(threads)}`, atMost: 0.1, value: time, of },
    ];
  });
}

function compileGoals(report) {
  const seconds = { resnet50: 10, vit_b_16: 20 };
  return report.models.filter((model) => model.compile).flatMap(({ model: of, file_bytes: file, compile: it }) => [
    { goal: "memory of compiling / (2.5 x model + 300 MB)", atMost: 1, value: it.peak_bytes / (2.5 * file + 300e6), of },
    { goal: "workspace / largest live set", atMost: 1.1, value: it.arena.bytes / it.arena.largest_live_bytes, of },
    ...(seconds[of] ? [{ goal: "seconds of compiling", atMost: seconds[of], value: it.wall_ms / 1000, of }] : []),
    ...(of === "resnet50" ? [{ goal: "KB of code", atMost: 300, value: it.code_bytes / 1000, of }] : []),
  ]);
}

function callGoals({ call }) {
  return call ? [{ goal: "microseconds of a call", atMost: 2, value: call.lathe.median / 1000, of: "one addition" }] : [];
}

function webGoals(report) {
  const ratios = report.models.flatMap(({ latency = [] }) => latency.filter(({ batch }) => batch === 1))
    .map((row) => ratioOf(row, WEB_PEER)).filter(Boolean);
  return ratios.length ? [{ goal: `ratio to ${WEB_PEER}, geometric mean`, atLeast: 1.8, value: geometricMean(ratios) }] : [];
}

/// {goal, atLeast or atMost, value, of (a model), reached} for all that was measured.
export function judge(report) {
  const goals = [ratioGoals, webGoals, batchGoals, memoryGoals, compileGoals, callGoals].flatMap((list) => list(report));
  return goals.filter(({ value }) => Number.isFinite(value))
    .map((goal) => ({ ...goal, reached: goal.atLeast ? goal.value >= goal.atLeast : goal.value <= goal.atMost }));
}
