// A process that measures on request: it prints `ready`, then answers every line `run N` with one line of JSON.
import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createInterface } from "node:readline";

export class Worker {
  constructor(command, args) {
    this.name = command;
    this.child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.errors = "";
    this.child.stderr.on("data", (data) => (this.errors += data));
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    // The end of its output is what is reported.
    this.child.on("error", (error) => (this.errors += error.message));
    this.child.stdin.on("error", () => {});
  }

  async line() {
    const { value, done } = await this.lines.next();
    if (done) {
      const reason = this.errors.split("\n").find((line) => /error/i.test(line)) ?? "ended early";
      throw new Error(`${this.name}: ${reason.trim()}`);
    }
    return value;
  }

  async start() {
    while ((await this.line()) !== "ready");
  }

  /// Milliseconds of one run, the median of `count`.
  async run(count) {
    this.child.stdin.write(`run ${count}\n`);
    return JSON.parse(await this.line()).median_ms;
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

  stop() {
    this.child.stdin.end();
  }
}
