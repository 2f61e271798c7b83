// What is compared. A side prepares a variant of a model and then says which process runs it (see worker.mjs).
import { readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { fixDims } from "./onnx-file.mjs";
import { here } from "./options.mjs";
import { capture, reasonIn } from "./worker.mjs";

function removeFiles(prepared) {
  for (const { file } of prepared.values()) rmSync(file, { force: true });
  prepared.clear();
}

/// A build of Lathe. Models are compiled ahead, and run by a small C program of the folder `tools`.
export class Lathe {
  constructor(name, program, flags, tools, folder) {
    Object.assign(this, { name, program, flags, tools, folder, prepared: new Map() });
  }

  get version() {
    return capture([], [this.program, "--version"]).stdout.split("\n")[0];
  }

  /// The command that compiles a variant, with what follows `compile`.
  compileCommand(variant, ...more) {
    const dims = variant.dims.map((dim) => `--dim=${dim}`);
    return [this.program, "compile", variant.path, ...dims, ...this.flags, "--name=model", ...more];
  }

  /// What runs the variant, a shared object; `arena` is what the compiler says of the workspace.
  prepare(variant, kind = "shared", extension = ".so") {
    const known = this.prepared.get(variant);
    if (known) return known;
    const file = resolve(this.folder, `${this.name.replaceAll(/\W/g, "-")}-${this.prepared.size}${extension}`);
    const { stderr } = capture([], this.compileCommand(variant, `--emit=${kind}`, "--remarks", "-o", file));
    // The last one is the model's; those before are of constants that were folded.
    const remark = stderr.split("\n").findLast((line) => /\] Arena \|/.test(line)) ?? "";
    const metric = (name) => Number(new RegExp(`\\b${name}=(\\d+)`).exec(remark)?.[1] ?? NaN);
    const made = { file, arena: { bytes: metric("Bytes"), largest_live_bytes: metric("LargestLiveSet") } };
    this.prepared.set(variant, made);
    return made;
  }

  command(variant, threads) {
    return [resolve(this.tools, "lathe-model-runner"), this.prepare(variant).file, String(threads)];
  }

  /// What a compilation to an object costs, and what it makes.
  measureCompilation(variant) {
    const file = resolve(this.folder, "model.o");
    const spawn = resolve(this.tools, "lathe-spawn");
    const { stdout, stderr } = capture([], [spawn, ...this.compileCommand(variant, "-o", file)]);
    const { status, ...cost } = JSON.parse(stdout);
    if (status !== 0) throw new Error(`lathe compile: ${reasonIn(stderr) ?? `status ${status}`}`);
    const bytes = statSync(file).size;
    rmSync(file);
    const { weight_bytes: weights } = JSON.parse(capture([], this.command(variant, 1)).stdout);
    const { arena } = this.prepare(variant);
    return { ...cost, object_bytes: bytes, code_bytes: bytes - weights, weight_bytes: weights, arena };
  }

  /// Bytes that a program needs besides the model.
  libraryBytes() {
    return 0;
  }

  release() {
    removeFiles(this.prepared);
  }
}

/// The same for WebAssembly: modules, run by Node.
export class LatheWasm extends Lathe {
  get version() {
    return `${super.version}; node ${process.version}`;
  }

  prepare(variant) {
    return super.prepare(variant, "wasm", ".wasm");
  }

  command(variant) {
    return ["node", resolve(here, "wasm-worker.mjs"), this.prepare(variant).file.replace(/\.wasm$/, ".mjs")];
  }

  release() {
    for (const { file } of this.prepared.values())
      for (const extension of [".mjs", ".d.mts"]) rmSync(file.replace(/\.wasm$/, extension), { force: true });
    super.release();
  }
}

/// ONNX Runtime, by its package for Node or the WebAssembly backend of that for the web.
export class OnnxRuntime {
  prepared = new Map();

  constructor(name, folder) {
    Object.assign(this, { name, folder, profiles: name === "onnxruntime-node" });
  }

  get version() {
    const { version } = JSON.parse(readFileSync(resolve(this.packageFolder(), "package.json"), "utf8"));
    return `${this.name} ${version}, all its graph optimisations; node ${process.version}`;
  }

  packageFolder() {
    let entry;
    try {
      entry = createRequire(import.meta.url).resolve(this.name);
    } catch {
      throw new Error(`${this.name} is not installed: run npm ci --ignore-scripts in ${here}`);
    }
    return entry.slice(0, entry.lastIndexOf(`${this.name}/`) + this.name.length);
  }

  /// A file in which all dimensions are fixed.
  prepare(variant) {
    if (!variant.dims.length) return { file: variant.path };
    const known = this.prepared.get(variant);
    if (known) return known;
    const made = { file: resolve(this.folder, `fixed-${this.prepared.size}.onnx`) };
    const sizes = variant.dims.map((dim) => dim.split("=")).map(([name, value]) => [name, Number(value)]);
    fixDims(variant.path, made.file, Object.fromEntries(sizes));
    this.prepared.set(variant, made);
    return made;
  }

  command(variant, threads) {
    return ["node", resolve(here, "ort-worker.mjs"), this.name, this.prepare(variant).file, String(threads)];
  }

  libraryBytes() {
    if (!this.profiles)
      return ["mjs", "wasm"].reduce((sum, end) =>
        sum + statSync(resolve(this.packageFolder(), `dist/ort-wasm-simd-threaded.${end}`)).size, 0);
    const versions = resolve(this.packageFolder(), "bin");
    const library = resolve(versions, readdirSync(versions)[0], process.platform, process.arch);
    return readdirSync(library).reduce((sum, file) => sum + statSync(resolve(library, file)).size, 0);
  }

  release() {
    removeFiles(this.prepared);
  }
}

/// The side that `--peers` names. Another build of Lathe gets no options but the target: what they change can be seen against the
/// same build.
export function makePeer(text, target, tools, folder) {
  if (text === "onnxruntime-node" || text === "onnxruntime-web") return new OnnxRuntime(text, folder);
  const [, program] = /^lathe=(.+)$/.exec(text) ?? [];
  if (!program) throw new Error(`expected --peers of onnxruntime-node, onnxruntime-web or lathe=PROGRAM, but got '${text}'`);
  const Side = target.startsWith("wasm") ? LatheWasm : Lathe;
  return new Side(text, resolve(program), target ? [`--target=${target}`] : [], tools, folder);
}
