// Where the time of a model goes, layer by layer, on both sides.
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { readNodes } from "./onnx-file.mjs";
import { capture } from "./worker.mjs";

/// What `lathe bench --profile` measures of a variant, with `peer_us` and `peer_op` in layers where the peer spends time on the
/// same node, and the peer's kernels that match none.
export function profileModel(side, peer, variant, threads, processors, folder) {
  const pins = processors.slice(0, threads);
  const dims = variant.dims.map((dim) => `--dim=${dim}`);
  const command = [side.program, "bench", variant.path, ...dims, ...side.flags, `--threads=${threads}`, "--profile", "--json"];
  const profile = JSON.parse(capture(pins, command).stdout);
  if (!peer?.profiles) return profile;
  const kernels = readTrace(peer, variant, threads, pins, folder);
  const unmatched = matchKernels(profile.layers, kernels, readNodes(variant.path));
  return { ...profile, peer: { name: peer.name, total_us: sum(kernels), unmatched } };
}

const sum = (kernels) => kernels.reduce((total, { us }) => total + us, 0);

/// The mean of the middle half: durations in a trace are whole microseconds.
function middleMean(values) {
  const sorted = [...values].sort((a, b) => a - b).slice(values.length >> 2, values.length - (values.length >> 2));
  return sorted.reduce((total, value) => total + value, 0) / sorted.length;
}

/// The kernels of a trace of ONNX Runtime, {name, op, us}, in the order they ran.
function readTrace(peer, variant, threads, pins, folder) {
  const prefix = resolve(folder, "trace");
  const { runs } = JSON.parse(capture(pins, [...peer.command(variant, threads), `--profile=${prefix}`]).stdout);
  const file = readdirSync(folder).find((name) => name.startsWith(basename(prefix)));
  const events = JSON.parse(readFileSync(resolve(dirname(prefix), file), "utf8"));
  rmSync(resolve(folder, file));
  const kernels = new Map();
  for (const { cat, name, dur, args } of events) {
    if (cat !== "Node" || !name.endsWith("_kernel_time")) continue;
    const kernel = kernels.get(args.node_index) ?? { name: name.slice(0, -"_kernel_time".length), op: args.op_name, times: [] };
    kernels.set(args.node_index, kernel);
    kernel.times.push(dur);
  }
  return [...kernels.values()].map(({ name, op, times }) => ({ name, op, us: middleMean(times.slice(-runs)) }));
}

const productKernels = new Set(["nn.conv", "nn.linear", "nn.matmul", "nn.sparse_linear", "nn.winograd_conv"]);
/// Kernels of two products, one after the other, with what is between them.
const pairKernels = new Set(["nn.attention", "nn.expand_depthwise"]);
const productNodes = new Set(["Conv", "ConvTranspose", "FusedConv", "FusedGemm", "FusedMatMul", "Gemm", "MatMul"]);

/// Gives layers the time of the peer's kernel for the same node; returns the kernels that have none. Fused kernels are named
/// after one of their nodes, Lathe's another than the peer's: a product is known by the nearest convolution or matrix product
/// above that node, anything else by the node itself. Of several layers for a node, the one that takes longest gets the time.
function matchKernels(layers, kernels, nodes) {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const byOutput = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node])));
  const find = (name) => {
    const plain = name.replace(/(_nchwc|_token_\d+)+$/, "").replace(/(\/+\w*Fusion)+\/?$/, "");
    return byName.get(name) ?? byOutput.get(plain) ?? byName.get(plain);
  };
  const product = (node) => {
    for (let level = node ? [node] : [], depth = 0; level.length && depth < 6; ++depth) {
      const found = level.find(({ op }) => productNodes.has(op));
      if (found) return found;
      level = level.flatMap(({ inputs }) => inputs.map((input) => byOutput.get(input)).filter(Boolean));
    }
    return undefined;
  };
  /// The nodes from a product back to the one before it.
  const pair = (last) => {
    const chain = last ? [last] : [];
    for (let next = byOutput.get(last?.inputs[0]); next && chain.length < 8; next = byOutput.get(next.inputs[0])) {
      chain.push(next);
      if (productNodes.has(next.op)) return chain;
    }
    return chain.slice(0, 1);
  };
  const nodesOf = ({ op, name }) => {
    if (pairKernels.has(op)) return pair(product(find(name)));
    return [productKernels.has(op) ? product(find(name)) : find(name)];
  };
  const owners = new Map();
  for (const layer of [...layers].sort((a, b) => b.time_us - a.time_us))
    for (const node of nodesOf(layer)) if (node && !owners.has(node)) owners.set(node, layer);
  return kernels.filter((kernel) => {
    const node = productNodes.has(kernel.op) ? product(find(kernel.name)) : find(kernel.name);
    const layer = node && owners.get(node);
    if (!layer) return true;
    layer.peer_us = (layer.peer_us ?? 0) + kernel.us;
    layer.peer_op = layer.peer_op && layer.peer_op !== kernel.op ? `${layer.peer_op}, ${kernel.op}` : kernel.op;
    return false;
  });
}
