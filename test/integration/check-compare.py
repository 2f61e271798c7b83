#!/usr/bin/python3
"""Runs tools/bench/compare for a moment and checks the structure of what it writes.

    check-compare.py COMPARE LATHE MODELS FOLDER

Exits with 77 (skipped) where Node is missing. Without tools/bench/node_modules only Lathe is measured.
"""
import json
import os
import shutil
import subprocess
import sys

compare, lathe, models, folder = sys.argv[1:]
if not shutil.which("node"):
    print("skipped: no node")
    sys.exit(77)
os.makedirs(folder, exist_ok=True)
peer = "onnxruntime-node"
installed = os.path.isdir(os.path.join(os.path.dirname(compare), "node_modules", peer))
report_file, page = os.path.join(folder, "report.json"), os.path.join(folder, "report.md")


def expect(condition, what):
    if not condition:
        sys.exit(f"expected {what}")


def measure(*arguments, status=0):
    """The report, and what was printed; `status` is what compare must return."""
    command = ["node", os.path.join(os.path.dirname(compare), "compare.mjs"), f"--lathe={lathe}", "--rounds=1", *arguments]
    done = subprocess.run([*command, f"--json={report_file}", f"--markdown={page}"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    expect(done.returncode == status, f"exit code {status} of {command}, but got {done.returncode}:\n{done.stderr}")
    with open(report_file) as file:
        return json.load(file), done.stdout


def positive(table, *names):
    for name in names:
        value = table[name]["median"] if isinstance(table[name], dict) else table[name]
        expect(value > 0, f"{name} above 0, but got {value}")


# All that is measured of one model, on one thread and two.
threads = [1, 2] if os.cpu_count() > 1 else [1]
report, text = measure(f"--peers={peer if installed else ''}", f"--threads={','.join(map(str, threads))}", "--batch=1",
                       "--profile", f"{models}/glyph_mobilenet.onnx")
sides = ["lathe", peer] if installed else ["lathe"]
expect(list(report["environment"]["versions"]) == sides, f"versions of {sides}")
expect([machine["threads"] for machine in report["machine"]] == threads, "the machine's limits for each number of threads")
for machine in report["machine"]:
    positive(machine, "peak_gflops", "memory_gbs", "memory_buffer_bytes")
[model] = report["models"]
expect([(row["threads"], row["batch"]) for row in model["latency"]] == [(count, 1) for count in threads],
       "a row for each number of threads")
for row in model["latency"]:
    positive(row["latency"], *sides)
    positive(row, "flops")
    expect(row["flops"] > 9e6, "the FLOPs of glyph_mobilenet")
    if installed:
        positive(row["ratio"], peer)
        positive(row["processor_ratio"], peer)
        expect(row["difference"][peer] < 1e-4, f"the same outputs, but got {row['difference']}")
expect([row["threads"] for row in model["start"]] == threads, "a start for each number of threads")
for row in model["start"]:
    for side in sides:
        positive(row["sides"][side], "start_ms", "peak_bytes", "model_bytes")
    if installed:
        positive(row["sides"][peer], "base_bytes", "library_bytes")
made = model["compile"]
positive(made, "wall_ms", "processor_ms", "peak_bytes", "object_bytes", "code_bytes", "weight_bytes")
expect(made["code_bytes"] + made["weight_bytes"] == made["object_bytes"], "an object of code and weights")
expect(made["arena"]["bytes"] >= made["arena"]["largest_live_bytes"] > 0, "a workspace that holds what lives at once")
positive(report["call"], *sides)

layers = model["profile"]["layers"]
convolutions = [layer for layer in layers if layer["op"] == "nn.conv"]
expect(convolutions and all(layer["roofline_share"] > 0 and layer["bytes"] > layer["weight_bytes"] > 0 for layer in convolutions),
       "convolutions with a share of the roofline")
if installed:
    expect(any(layer.get("peer_us", 0) > 0 for layer in layers), "the peer's time beside layers")
    # However products are fused, on either side: each of the peer's is found.
    alone = [kernel for kernel in model["profile"]["peer"]["unmatched"] if kernel["op"] in ("Conv", "FusedConv", "Gemm")]
    expect(not alone, f"a layer for each product of the peer, but got none for {alone}")
goals = {goal["goal"]: goal for goal in report["goals"]}
call = goals["microseconds of a call"]
expect(call["reached"] == (call["value"] <= 2), "goals that are judged")
with open(page) as file:
    headings = [line[3:].strip() for line in file if line.startswith("## ")]
for title in ("Machine", "Latency: 1 thread, batch 1", "Start and memory: 1 thread", "Compilation", "Call", "Again"):
    expect(title in headings, f"a heading '{title}', but got {headings}")
    expect(title in text or title == "Again", f"'{title}' in the text")

# A batch that the file fixes: rewritten where that is the same model, else left out with a reason. A size that is missing.
report, text = measure("--peers=", "--threads=1", "--batch=1,2", "--measure=latency", f"{models}/char_lm_prefill.onnx,seq=8",
                       f"{models}/glyph_vit_b1.onnx", f"{models}/char_lm_decode.onnx,k=1", status=1)
prefill, vit, decode = report["models"]
expect([(row["batch"], row["rewritten"]) for row in prefill["latency"]] == [(1, False), (2, True)],
       "char_lm_prefill at two batches")
expect("skipped" not in vit["latency"][0] and "Concat" in vit["latency"][1]["skipped"], f"glyph_vit_b1 at batch 1 only: {vit}")
expect("'past'" in decode["error"] and "char_lm_decode failed" in text, f"an error about a missing size: {decode}")

# WebAssembly against the same of the peer.
web = "onnxruntime-web"
installed = os.path.isdir(os.path.join(os.path.dirname(compare), "node_modules", web))
report, text = measure("--target=wasm32", f"--peers={web if installed else ''}", "--batch=1", "--measure=latency,compile,call",
                       f"{models}/glyph_mobilenet.onnx")
expect(report["environment"]["target"] == "wasm32" and ", wasm32, f32" in text, "the target")
[model] = report["models"]
[row] = model["latency"]
positive(row["latency"], "lathe", *([web] if installed else []))
expect(0 < model["compile"]["code_bytes"] < 100e3, f"the code's size, but got {model['compile']}")
positive(report["call"], "lathe")
if installed:
    positive(row["ratio"], web)
    expect(row["difference"][web] < 1e-4, f"the same outputs, but got {row['difference']}")
    expect(f"ratio to {web}, geometric mean" in text, "the goal for WebAssembly")
