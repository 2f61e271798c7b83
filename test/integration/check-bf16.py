#!/usr/bin/python3
"""Products of bf16 against numpy in f64: what contractions of `--precision=bf16` read is rounded, and nothing else is.

    check-bf16.py LATHE FOLDER CPU-OPTION...
    LATHE=lathe EMULATOR="..." check-bf16.py RUN_EMULATED FOLDER CPU-OPTION...

Exits with 77 where the options' target does not multiply bf16, or not on this machine. Inputs lie beside numbers of bf16, at a
quarter of the distance to the next one: their products are those of the rounded numbers, up to the order of f32 sums.
"""
import ctypes
import os
import re
import struct
import subprocess
import sys

import numpy as np

import products
from products import Model

runner, folder, *options = sys.argv[1:]
lathe = os.environ.get("LATHE", runner)
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(1)


def rounded(values):
    """The nearest numbers of bf16, half to even."""
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).view(np.float32)


def beside(*shape):
    values = rounded(rng.standard_normal(shape))
    return (values * (1 + rng.choice([-1, 1], size=shape) * 2.0 ** -10)).astype(np.float32)


def matmul(x, weight):
    return rounded(x).astype(np.float64) @ rounded(weight)


def conv(x, weight, **attributes):
    return products.conv(rounded(x), rounded(weight), **attributes)


def matrices(symbolic):
    model = Model(folder, "products" + ("-symbolic" if symbolic else ""))
    for rows, size, columns in products.MATRICES:
        x, weight = beside(rows, size), beside(size, columns)
        name = model.value("x", x, 0 if symbolic else None)
        y = model.value("y", matmul(x, weight), 0 if symbolic else None)
        model.node("MatMul", [name, model.constant(weight)], y)
    x, weight = beside(3, 21, 48), beside(48, 72)
    model.node("MatMul", [model.value("x", x), model.constant(weight)], model.value("y", matmul(x, weight)))
    return model


def convolutions(symbolic):
    model = Model(folder, "convolutions" + ("-symbolic" if symbolic else ""))
    for channels, size, outputs, kernel, stride, pad, dilation, group in products.CONVOLUTIONS:
        x, weight = beside(2, channels, size, size), beside(outputs, channels // group, kernel, kernel)
        name = model.value("x", x, 0 if symbolic else None)
        y = conv(x, weight, stride=stride, pad=pad, dilation=dilation, group=group)
        model.node("Conv", [name, model.constant(weight)], model.value("y", y, 0 if symbolic else None),
                   strides=[stride] * 2, pads=[pad] * 4, dilations=[dilation] * 2, group=group)
    return model


def layers():
    """A residual block and an encoder's two halves: values in bf16 between contractions, other arithmetic in f32."""
    model = Model(folder, "layers")
    # conv, relu, conv + residual, relu, pooling, conv
    x = beside(1, 32, 20, 20)
    weights = [beside(32, 32, 3, 3) / 16 for _ in range(2)] + [beside(64, 32, 1, 1)]
    a = rounded(np.maximum(conv(x, weights[0], pad=1), 0))
    b = np.maximum(conv(a, weights[1], pad=1) + a, 0)
    pooled = rounded(b).reshape(1, 32, 10, 2, 10, 2).max((3, 5))
    c = [model.constant(weight) for weight in weights]
    name = model.node("Relu", [model.node("Conv", [model.value("x", x), c[0]], pads=[1] * 4)])
    name = model.node("Add", [model.node("Conv", [name, c[1]], pads=[1] * 4), name])
    name = model.node("MaxPool", [model.node("Relu", [name])], kernel_shape=[2, 2], strides=[2, 2])
    model.node("Conv", [name, c[2]], model.value("y", conv(pooled, weights[2])))
    # norm, linear, tanh, linear + residual
    x, scale, bias = beside(1, 50, 96), rng.standard_normal(96), rng.standard_normal(96)
    centred = x.astype(np.float64) - x.mean(-1, keepdims=True, dtype=np.float64)
    normed = rounded(centred / np.sqrt((centred ** 2).mean(-1, keepdims=True) + 1e-5) * scale + bias)
    first, second = beside(96, 160) / 8, beside(160, 96) / 8
    hidden = rounded(np.tanh(matmul(normed, first)))
    name = model.value("x", x)
    y = model.node("LayerNormalization", [name, model.constant(scale), model.constant(bias)], epsilon=1e-5)
    y = model.node("Tanh", [model.node("MatMul", [y, model.constant(first)])])
    y = model.node("MatMul", [y, model.constant(second)])
    model.node("Add", [y, name], model.value("y", matmul(hidden, second) + x))
    return model


def run_refused(library, workspace_bytes):
    """The status of a run in a process that Linux does not let use tile registers: a seccomp filter answers for it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        # Load the call's number; where it is arch_prctl's, 158 on x86-64, fail with EPERM; else allow.
        code = [(0x20, 0, 0, 0), (0x15, 0, 1, 158), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]
        text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
        program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code), ctypes.addressof(text)))
        libc = ctypes.CDLL(None, use_errno=True)
        set_no_new_privileges, set_seccomp, mode_filter = 38, 22, 2
        status = -1
        if libc.prctl(set_no_new_privileges, 1, 0, 0, 0) == 0 and libc.prctl(set_seccomp, mode_filter, program, 0, 0) == 0:
            buffer = ctypes.create_string_buffer(workspace_bytes + (1 << 16))
            aligned = -(-ctypes.addressof(buffer) // 4096) * 4096
            arguments = (ctypes.c_void_p * 2)(aligned, aligned + 16384)
            status = ctypes.CDLL(library).probe_run(ctypes.byref(arguments), ctypes.byref(arguments, 8),
                                                    ctypes.c_void_p(aligned + 32768), None)
        os.write(writer, struct.pack("i", status))
        os._exit(0)
    os.waitpid(child, 0)
    return struct.unpack("i", os.read(reader, 4))[0]


def check_refusal():
    """A model that needs tile registers says so where it gets none."""
    command = [lathe, "compile", f"{folder}/probe.onnx", "--emit=shared", "-o", f"{folder}/probe.so", *options]
    subprocess.run(command, check=True)
    with open(f"{folder}/probe.h", encoding="utf-8") as header:
        size = int(re.search(r"PROBE_WORKSPACE_BYTES (\d+)", header.read())[1])
    status, unsupported = run_refused(f"{folder}/probe.so", size), 4
    if status == -1:
        print("refusal skipped: no seccomp filters here")
    elif status != unsupported:
        print(f"expected status {unsupported} of a process without tile registers, but got {status}")
    return status in (-1, unsupported)


probe = Model(folder, "probe")
x, weight = beside(16, 64), beside(64, 64)
probe.node("MatMul", [probe.value("x", x), probe.constant(weight)], probe.value("y", matmul(x, weight)))
options = ["--precision=bf16", *options]
text = probe.probe(lathe, runner, "bf16_product", *options)
good = check_refusal() if 'bf16_product = "amx"' in text else True
good &= probe.matches(runner, 1e-4, 1e-4, *options)
good &= matrices(False).matches(runner, 1e-4, 1e-3, *options)
good &= matrices(True).matches(runner, 1e-4, 1e-3, *options)
good &= matrices(False).matches(runner, 1e-4, 1e-3, *options, "--threads=2")
good &= convolutions(False).matches(runner, 1e-4, 1e-3, *options)
good &= convolutions(True).matches(runner, 1e-4, 1e-3, *options)
# Values may be rounded to the other neighbour where sums differ in their last bits.
good &= layers().matches(runner, 1e-2, 1e-2, *options)
sys.exit(not good)
