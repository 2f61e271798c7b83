#!/usr/bin/python3
"""`lathe run` for another machine: compiles a model to a program for it, runs that in an emulator and compares what it writes.

    LATHE=lathe EMULATOR="qemu-aarch64 -L /usr/aarch64-linux-gnu" run-emulated.py run MODEL.onnx --input NAME=F.npy ...
        --check NAME=F.npy ... [--rtol=R] [--atol=A] [--threads=N] [--output-dir=FOLDER] [options of `lathe compile`]

EMIT=wasm makes a WebAssembly module of it, for test/target/WebAssembly/run.mjs in Node.

Takes the place of `lathe` in the scripts of this folder. Exit code 0 exactly when all outputs agree.
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile

import numpy as np

lathe, emulator = os.environ["LATHE"], shlex.split(os.environ["EMULATOR"])
emit = os.environ.get("EMIT") or "exe"


def fail(message):
    sys.exit(f"run-emulated.py: {message}")


def parse(arguments):
    """The tensors and values of the options that `run` has and `compile` has not, and what is left for that."""
    tensors = {"--input": {}, "--check": {}}
    values = {"--rtol": "1e-3", "--atol": "1e-4", "--threads": "1", "--output-dir": ""}
    rest = []
    arguments = iter(arguments)
    for argument in arguments:
        option, _, value = argument.partition("=")
        if option in tensors:
            name, _, path = (value or next(arguments)).partition("=")
            tensors[option][name] = path
        elif option in values:
            values[option] = value or next(arguments)
        else:
            rest.append(argument)
    return tensors, values, rest


def run(program, inputs, folder, threads):
    """Runs the program on the inputs, in the order that its usage tells."""
    usage = subprocess.run([*emulator, program], capture_output=True, text=True).stderr
    names = re.findall(r" (\S+)\.npy", usage)
    if sorted(names) != sorted(inputs):
        fail(f"expected the inputs {sorted(names)}, but got {sorted(inputs)}: {usage}")
    command = [*emulator, program, *(inputs[name] for name in names), f"--threads={threads}", f"--output-dir={folder}"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        fail(f"{shlex.join(command)}: exit code {result.returncode}: {result.stderr}")


def compare(name, got, expected, rtol, atol):
    """What is wrong with an output, or nothing."""
    if got.shape != expected.shape or got.dtype != expected.dtype:
        return [f"{name}: {got.dtype} {got.shape}, expected {expected.dtype} {expected.shape}"]
    if np.allclose(got, expected, rtol, atol, equal_nan=True):
        return []
    return [f"{name}: largest difference {np.max(np.abs(got.astype(np.float64) - expected.astype(np.float64))):g}"]


def main():
    if sys.argv[1] != "run":
        fail(f"expected `run`, but got {sys.argv[1]}")
    tensors, values, options = parse(sys.argv[2:])
    if not tensors["--check"] and not values["--output-dir"]:
        fail("expected --check or --output-dir")
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "program.wasm" if emit == "wasm" else "program")
        if subprocess.run([lathe, "compile", *options, f"--emit={emit}", "-o", program]).returncode:
            fail("the compilation failed")
        outputs = values["--output-dir"] or folder
        run(program, tensors["--input"], outputs, values["--threads"])
        for name, path in tensors["--check"].items():
            got = np.load(os.path.join(outputs, name + ".npy"))
            wrong += compare(name, got, np.load(path), float(values["--rtol"]), float(values["--atol"]))
    if wrong:
        fail("; ".join(wrong))


main()
