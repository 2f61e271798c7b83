#!/usr/bin/python3
"""Checks and times the compiled models of this folder, which tools/bench/gpu/make-bundle has made, on the first GPU.

    python3 run.py [--json=F.json] [--only=PATTERN] [--seconds=1] [--no-torch] [--fake=FOLDER]

Needs NVIDIA's driver and nothing else. Where torch can be imported, the same work is timed with it, too, between CUDA events (and
torchvision's networks where that is). Prints a line for each model and writes all to F.json, with the device's name. Exit code 0
exactly when every model agrees with its expected outputs. --fake takes libcuda.so.1 from a folder, to try all this without a GPU.
"""
import argparse
import datetime
import fnmatch
import json
import lzma
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TIMEOUT = 240  # seconds for a model


def run_model(entry, arguments, folder):
    """What lathe-gpu-run says of a model, or {"error": ...}."""
    name = entry["name"]
    library = Path(folder) / f"{name}.so"
    with lzma.open(HERE / f"models/{name}.so.xz") as packed, open(library, "wb") as target:
        shutil.copyfileobj(packed, target, 1 << 20)
    command = [str(HERE / "lathe-gpu-run"), str(library), name, f"--rtol={entry['rtol']}", f"--seconds={arguments.seconds}"]
    for key, value in entry["inputs"].items():
        command += ["--input", f"{key}={value if value.startswith('random:') else HERE / value}"]
    for key, value in entry["checks"].items():
        command += ["--check", f"{key}={HERE / value}"]
    for dim in entry["dims"]:
        command += ["--dim", dim]
    environment = dict(os.environ)
    if arguments.fake:
        environment.update(LD_LIBRARY_PATH=arguments.fake, FAKE_CUDA_KERNELS=str(HERE / f"kernels/{name}.so"))
    try:
        result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return {"model": name, "agrees": False, "error": f"no answer in {TIMEOUT} seconds"}
    finally:
        library.unlink()
    try:
        return json.loads(result.stdout)
    except json.JSONDecodeError:
        return {"model": name, "agrees": False, "error": result.stderr.strip() or f"exit code {result.returncode}"}


def time_torch(torch, work):
    """Milliseconds of one run of the work by torch: the least of three turns, each of which takes about a third of a second."""
    dtype = getattr(torch, work["dtype"])
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = work["tf32"]  # else float32 means float32
    make = lambda *shape: torch.randn(*shape, device="cuda", dtype=dtype)
    with torch.inference_mode():
        if work["kind"] == "gemm":
            a, b = make(work["size"], work["size"]), make(work["size"], work["size"])
            run = lambda: a @ b
        elif work["kind"] == "attention":
            q, k, v = (make(*work["shape"]) for _ in range(3))
            run = lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v)
        else:
            import torchvision.models

            model = getattr(torchvision.models, work["name"])(weights=None).eval().to("cuda", dtype)
            x = make(work["batch"], 3, 224, 224)
            if work["name"].startswith("resnet"):
                model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
            run = lambda: model(x)
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    run()
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()  # as Lathe launches its kernels
            with torch.cuda.graph(graph):
                run()
            run = graph.replay
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)

        def measure(runs):
            begin.record()
            for _ in range(runs):
                run()
            end.record()
            end.synchronize()
            return begin.elapsed_time(end) / runs

        measure(3)
        runs = max(3, min(10000, int(300 / max(measure(3), 1e-3))))
        return min(measure(runs) for _ in range(3))


def import_torch():
    try:
        import torch
    except ImportError:
        return None
    if not torch.cuda.is_available():
        return None
    torch.backends.cudnn.benchmark = True
    return torch


def line_of(result):
    if "error" in result:
        return f"{result['model']}: FAILED: {result['error']}"
    text = (f"{result['model']}: {'agrees' if result['agrees'] else 'DIFFERS'} ({result['largest_difference']:.2g}), "
            f"{result['device_ms']:.4g} ms on the device, {result['host_ms']:.4g} ms from the host")
    if "torch_ms" in result:
        text += f", torch {result['torch_ms']:.4g} ms ({result['torch_ms'] / result['device_ms']:.2f}x)"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json")
    parser.add_argument("--only", default="*")
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--no-torch", action="store_true")
    parser.add_argument("--fake")
    arguments = parser.parse_args()
    manifest = json.loads((HERE / "manifest.json").read_text())
    torch = None if arguments.no_torch or arguments.fake else import_torch()
    report = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"), "target": manifest["target"], "device": None,
              "torch": torch and torch.__version__, "results": []}
    with tempfile.TemporaryDirectory() as folder:
        for entry in manifest["models"]:
            if not fnmatch.fnmatch(entry["name"], arguments.only):
                continue
            result = run_model(entry, arguments, folder)
            report["device"] = report["device"] or result.pop("device", None)
            result.pop("device", None)
            if torch and entry["torch"]:
                try:
                    result["torch_ms"] = time_torch(torch, entry["torch"])
                except (ImportError, RuntimeError) as error:
                    result["torch_error"] = str(error)
            report["results"].append(result)
            print(line_of(result), flush=True)
            if arguments.json:  # after each, so that a cut loses little
                Path(arguments.json).write_text(json.dumps(report, indent=1) + "\n")
    return not report["results"] or not all(result["agrees"] for result in report["results"])


if __name__ == "__main__":
    sys.exit(main())
