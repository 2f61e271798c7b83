// A process that holds a model and measures on request: one line of JSON when it has run the model once, then one for each
// line that it is sent. model-runner.c describes what it answers; ort-worker.mjs does the same.
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";

/// The processors that this process may use, one of each core first.
export function listProcessors() {
  const allowed = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync("/proc/self/status", "utf8"))[1];
  const numbers = allowed.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  const isSecond = (number) => {
    try {
      const siblings = readFileSync(`/sys/devices/system/cpu/cpu${number}/topology/thread_siblings_list`, "utf8");
      return parseInt(siblings) !== number;
    } catch {
      return false;
    }
  };
  return [...numbers.filter((number) => !isSecond(number)), ...numbers.filter(isSecond)];
}

/// A command line that runs on these processors only; any where the list is empty.
export function pinned(processors, [command, ...args]) {
  return processors.length ? ["taskset", "-c", processors.join(","), command, ...args] : [command, ...args];
}

/// What a program printed, or an error with what it said. Runs on these processors.
export function capture(processors, words) {
  const [command, ...args] = pinned(processors, words);
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${basename(words[0])}: ${reasonIn(stderr ?? "") ?? error?.message ?? `status ${status}`}`);
  return { stdout, stderr };
}

/// The first line that tells of an error, or the last one.
export function reasonIn(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  return lines.find((line) => /error:/i.test(line)) ?? lines.at(-1);
}

export class Worker {
  constructor(words, processors) {
    const [command, ...args] = pinned(processors, words);
    this.name = basename(words[0]);
    this.child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.errors = "";
    this.child.stderr.on("data", (data) => (this.errors += data));
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.child.stdin.on("error", () => {}); // the end of its output is what is reported
    this.ended = new Promise((resolve) => {
      this.child.on("close", resolve);
      this.child.on("error", (error) => resolve((this.errors += `error: ${error.message}`)));
    });
  }

  async answer() {
    const { value, done } = await this.lines.next();
    if (!done) return JSON.parse(value);
    await this.ended;
    throw new Error(`${this.name}: ${reasonIn(this.errors) ?? "ended early"}`);
  }

  /// What the process says when it is ready.
  start() {
    return this.answer();
  }

  ask(request) {
    this.child.stdin.write(`${request}\n`);
    return this.answer();
  }

  /// {median_ms, mean_ms} of `count` runs.
  run(count) {
    return this.ask(`run ${count}`);
  }

  /// Milliseconds that all threads of the process have spent on a processor so far; NaN where the system does not say.
  processorTime() {
    try {
      const threads = `/proc/${this.child.pid}/task`;
      const spent = readdirSync(threads).map((id) => readFileSync(`${threads}/${id}/schedstat`, "utf8").split(" ")[0]);
      return spent.reduce((sum, nanoseconds) => sum + Number(nanoseconds), 0) / 1e6;
    } catch {
      return NaN;
    }
  }

  /// Waits until the process rests: ONNX Runtime's threads spin for some 50 ms after a run, in which they would take a
  /// processor from the side whose turn is next.
  async rest() {
    const wait = 10;
    for (let before = this.processorTime(), now, left = 100; left > 0; before = now, --left) {
      await setTimeout(wait);
      now = this.processorTime();
      if (!(now - before > wait / 10)) return;
    }
  }

  /// The most bytes that the process had in memory so far.
  peakBytes() {
    return 1024 * Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${this.child.pid}/status`, "utf8"))[1]);
  }

  async stop() {
    this.child.stdin.end();
    await this.ended;
  }
}
