#!/usr/bin/python3
"""Checks and times the compiled models of this folder, which tools/bench/gpu/make-bundle has made, on the first GPU.

    python3 run.py [--json=F.json] [--only=PATTERN] [--seconds=1] [--budget=570] [--torch=cuda|cpu|none] [--fake=FOLDER]

Needs NVIDIA's driver and nothing else. Where torch can be imported and has a GPU, the same work is timed with it, too, between CUDA
events (and torchvision's networks where that is): eagerly, in a CUDA graph, channels last, with cudnn.benchmark. Models come in the
order of what one wants to know first; what does not fit into --budget seconds is skipped, and named. Prints a line for each model and
writes all to F.json after each step, so that a cut loses nothing that was measured; torch runs in a process of its own, which may die.
Exit code 0 exactly when every model agrees with its expected outputs. --fake takes libcuda.so.1 from a folder, and --torch=cpu times
torch on the CPU, to try all this without a GPU.
"""
import argparse
import ctypes
import datetime
import fnmatch
import json
import lzma
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODEL_SECONDS, TORCH_SECONDS = 240, 90  # that a model, and a piece of torch's work, may take


def find_trouble():
    """Why there is no GPU to run on; None where there is one."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        return f"no NVIDIA driver on this machine: {error}"
    count = ctypes.c_int()
    status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    if status:
        return f"NVIDIA's driver does not start: CUDA error {status}"
    return None if count.value else "no NVIDIA GPU on this machine"


def run_model(entry, arguments, folder, seconds):
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
        result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return {"model": name, "agrees": False, "error": f"no answer in {seconds:.0f} seconds"}
    finally:
        library.unlink()
    try:
        return json.loads(result.stdout)
    except json.JSONDecodeError:
        return {"model": name, "agrees": False, "error": result.stderr.strip() or f"exit code {result.returncode}"}


def make_work(torch, work, device):
    """A function that does the work once, on tensors of the device."""
    dtype = getattr(torch, work["dtype"])
    make = lambda *shape: torch.randn(*shape, device=device).to(dtype)
    if work["kind"] == "gemm":
        a, b = make(work["size"], work["size"]), make(work["size"], work["size"])
        return lambda: a @ b
    if work["kind"] == "attention":
        q, k, v = (make(*work["shape"]) for _ in range(3))
        return lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v)
    import torchvision.models

    model = getattr(torchvision.models, work["name"])(weights=None).eval().to(device, dtype)
    x = make(work["batch"], 3, 224, 224)
    if work["name"].startswith("resnet"):
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    return lambda: model(x)


def capture(torch, run):
    """The work as a CUDA graph, as Lathe launches its kernels."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


def time_torch(torch, work, device, seconds):
    """Milliseconds of one run of the work by torch: the least of three turns, each of which takes about a third of the seconds."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = work["tf32"]  # else float32 means float32
    with torch.inference_mode():
        run = make_work(torch, work, device)

        def measure(runs):
            if device == "cpu":
                begin = time.perf_counter()
                for _ in range(runs):
                    run()
                return (time.perf_counter() - begin) * 1e3 / runs
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            for _ in range(runs):
                run()
            end.record()
            end.synchronize()
            return begin.elapsed_time(end) / runs

        measure(2)
        if device == "cuda" and work["kind"] == "model":
            run = capture(torch, run)
        runs = max(1, min(10000, int(1e3 * seconds / 3 / max(measure(1), 1e-3))))
        return min(measure(runs) for _ in range(3))


def serve_torch(device, seconds):
    """Answers lines of work with lines of results; the first says which torch this is, or that there is none."""
    answers, sys.stdout = sys.stdout, sys.stderr  # of which libraries may say what they like

    def answer(what):
        print(json.dumps(what), file=answers, flush=True)

    try:
        import torch
    except ImportError as error:
        return answer({"torch_error": str(error)})
    if device == "cuda" and not torch.cuda.is_available():
        return answer({"torch_error": "torch has no GPU"})
    torch.backends.cudnn.benchmark = True
    answer({"torch": torch.__version__})
    for line in sys.stdin:
        try:
            answer({"torch_ms": time_torch(torch, json.loads(line), device, seconds)})
        except (ImportError, RuntimeError, AttributeError) as error:
            answer({"torch_error": str(error).splitlines()[0]})
        if device == "cuda":
            torch.cuda.empty_cache()


class Torch:
    """A process that times work with torch, which a failure of the GPU may end: the next piece of work then has a new one."""

    def __init__(self, device, seconds):
        self.command = [sys.executable, __file__, f"--serve-torch={device}", f"--seconds={seconds}"]
        self.process = None
        self.about = self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True)
        return self.read(TORCH_SECONDS)

    def read(self, seconds):
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline() if ready else ""
        if line:
            return json.loads(line)
        self.close()
        return {"torch_error": "torch's process ended" if ready else f"no answer in {seconds:.0f} seconds"}

    def time(self, work, seconds):
        if not self.process:
            self.start()
        if not self.process:
            return {"torch_error": "torch does not start again"}
        self.process.stdin.write(json.dumps(work) + "\n")
        self.process.stdin.flush()
        return self.read(min(seconds, TORCH_SECONDS))

    def close(self):
        if self.process:
            self.process.kill()
            self.process.communicate()
        self.process = None


def line_of(result):
    if "error" in result:
        return f"{result['model']}: FAILED: {result['error']}"
    text = (f"{result['model']}: {'agrees' if result['agrees'] else 'DIFFERS'} ({result['largest_difference']:.2g}), "
            f"{result['device_ms']:.4g} ms on the device, {result['host_ms']:.4g} ms from the host")
    if "torch_ms" in result:
        ratio = result["torch_ms"] / result["device_ms"]
        text += f", torch {result['torch_ms']:.4g} ms ({ratio:.2f}x)"
        if result.get("goal"):
            text += f", the goal of {result['goal']}x {'reached' if ratio >= result['goal'] else 'MISSED'}"
    elif "torch_error" in result:
        text += f", torch: {result['torch_error']}"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json")
    parser.add_argument("--only", default="*")
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--budget", type=float, default=570)
    parser.add_argument("--torch", choices=["cuda", "cpu", "none"])
    parser.add_argument("--fake")
    parser.add_argument("--serve-torch", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve_torch:
        return serve_torch(arguments.serve_torch, arguments.seconds)
    end = time.monotonic() + arguments.budget
    manifest = json.loads((HERE / "manifest.json").read_text())
    entries = [entry for entry in manifest["models"] if fnmatch.fnmatch(entry["name"], arguments.only)]
    device = arguments.torch or ("none" if arguments.fake else "cuda")
    report = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"), "target": manifest["target"], "device": None,
              "torch": None, "results": [], "skipped": []}

    def save():
        if arguments.json:
            Path(f"{arguments.json}.new").write_text(json.dumps(report, indent=1) + "\n")
            os.replace(f"{arguments.json}.new", arguments.json)

    report["error"] = None if arguments.fake else find_trouble()
    if report["error"]:
        save()
        sys.exit(f"run.py: {report['error']}")
    torch = None
    with tempfile.TemporaryDirectory() as folder:
        for entry in entries:
            left = end - time.monotonic()
            if left <= 0:
                report["skipped"].append(entry["name"])
                save()
                continue
            result = run_model(entry, arguments, folder, max(1, min(left, MODEL_SECONDS)))
            report["device"] = report["device"] or result.get("device")
            if entry["goal"]:
                result["goal"] = entry["goal"]
            result.pop("device", None)
            report["results"].append(result)
            save()
            left = end - time.monotonic()
            if device != "none" and entry["torch"] and left > 0:
                if not torch:
                    torch = Torch(device, arguments.seconds)
                    report["torch"] = torch.about.get("torch")
                result.update(torch.time(entry["torch"], left) if report["torch"] else torch.about)
                save()
            print(line_of(result), flush=True)
    if torch:
        torch.close()
    if report["skipped"]:
        print(f"no time for {', '.join(report['skipped'])}")
    return not report["results"] or bool(report["skipped"]) or not all(result["agrees"] for result in report["results"])


if __name__ == "__main__":
    sys.exit(main())
