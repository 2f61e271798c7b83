#!/usr/bin/python3
"""`lathe run` of a GPU's target where there is none: with the driver of fake_cuda, which runs the emulated kernels of the same model.

    LATHE=lathe FAKE_CUDA=FOLDER [EMIT=jit|shared|exe] run-device.py run MODEL.onnx --target=sm_90 [options of `lathe run`]

FOLDER has the stand-in as libcuda.so.1. The model's host code is loaded by `lathe run`, from a shared object that `lathe compile` makes,
or is a program. It must launch one graph, and free what it has on the device. Exit code 0 exactly when all outputs agree and this holds.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

lathe, driver, emit = os.environ["LATHE"], os.environ["FAKE_CUDA"], os.environ.get("EMIT", "jit")
OF_RUN = ("--input", "--check", "--rtol", "--atol", "--threads", "--output-dir")


def split(arguments):
    """The arguments that `compile` takes, and those that `run` has besides."""
    compile_options, run_options = [], []
    arguments = iter(arguments)
    for argument in arguments:
        option = argument.partition("=")[0]
        if option not in OF_RUN:
            compile_options.append(argument)
        elif "=" in argument and not argument.startswith(("--input=", "--check=")):
            run_options.append(argument)
        else:
            run_options += [option, argument.partition("=")[2] or next(arguments)]
    return compile_options, run_options


def run_program(program, run_options, folder, environment):
    """Runs a program on the inputs in the order of the options; True if its outputs agree."""
    pairs = [text.partition("=") for text in run_options if not text.startswith("--")]
    inputs = [path for option, (_, _, path) in zip(run_options[::2], pairs) if option == "--input"]
    subprocess.run([program, *inputs, f"--output-dir={folder}"], env=environment, check=True)
    agree = True
    for option, (name, _, path) in zip(run_options[::2], pairs):
        if option == "--check":
            agree &= np.allclose(np.load(f"{folder}/{name}.npy"), np.load(path), rtol=1e-3, atol=1e-4)
    return agree


def main():
    compile_options, run_options = split(sys.argv[2:])
    with tempfile.TemporaryDirectory() as folder:
        kernels, report = f"{folder}/kernels.so", f"{folder}/report.json"
        subprocess.run([lathe, "compile", *compile_options, "--emulate", "--export-blocks", "--emit=shared", "-o", kernels], check=True)
        environment = dict(os.environ, LD_LIBRARY_PATH=driver, FAKE_CUDA_KERNELS=kernels, FAKE_CUDA_REPORT=report)
        if emit == "jit":
            result = subprocess.run([lathe, "run", *compile_options, *run_options], env=environment)
            good = result.returncode == 0
        else:
            model = f"{folder}/model.so" if emit == "shared" else f"{folder}/model"
            subprocess.run([lathe, "compile", *compile_options, f"--emit={emit}", "-o", model], check=True)
            if emit == "shared":
                good = subprocess.run([lathe, "run", model, *run_options], env=environment).returncode == 0
            else:
                good = run_program(model, [text for text in run_options if not text.startswith(("--rtol", "--atol"))], folder,
                                   environment)
        if not good:
            return 1
        counts = json.load(open(report))
        print(counts)
        # A program does not unload its model: the process's end does.
        return not (counts["graph_launches"] == 1 and counts["captures"] == 1 and (counts["not_freed"] == 0 or emit == "exe"))


sys.exit(main())
