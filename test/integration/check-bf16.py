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
import onnx
from onnx import TensorProto, helper, numpy_helper

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


class Model:
    def __init__(self, name):
        self.name, self.nodes, self.inputs, self.outputs, self.constants, self.arguments = name, [], [], [], [], []
        self.count = 0

    def value(self, kind, array, symbolic=None):
        self.count += 1
        name = f"{kind}{self.count}"
        path = f"{folder}/{self.name}-{name}.npy"
        np.save(path, array.astype(np.float32))
        shape = list(array.shape)
        if symbolic is not None:
            shape[symbolic] = f"n{array.shape[symbolic]}"
        info = helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        if kind == "x":
            self.inputs.append(info)
            self.arguments.append(f"--input={name}={path}")
        else:
            self.outputs.append(info)
            self.arguments.append(f"--check={name}={path}")
        return name

    def constant(self, array):
        self.count += 1
        self.constants.append(numpy_helper.from_array(array.astype(np.float32), f"c{self.count}"))
        return f"c{self.count}"

    def node(self, kind, inputs, output=None, **attributes):
        self.count += 1
        output = output or f"v{self.count}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def run(self, rtol, atol, *more):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        path = f"{folder}/{self.name}.onnx"
        onnx.save(model, path)
        command = [runner, "run", path, "--precision=bf16", f"--rtol={rtol}", f"--atol={atol}", *options, *more, *self.arguments]
        result = subprocess.run(command, check=False)
        print(self.name, *more, "failed" if result.returncode else "passed", flush=True)
        return result.returncode == 0


def matmul(x, weight):
    return rounded(x).astype(np.float64) @ rounded(weight)


def conv(x, weight, stride=1, pad=0, dilation=1, group=1):
    x, weight = rounded(x).astype(np.float64), rounded(weight)
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    outputs, channels, kh, kw = weight.shape
    height = (x.shape[2] - dilation * (kh - 1) - 1) // stride + 1
    width = (x.shape[3] - dilation * (kw - 1) - 1) // stride + 1
    y = np.zeros((x.shape[0], outputs, height, width))
    for g in range(group):
        out = slice(g * outputs // group, (g + 1) * outputs // group)
        for i in range(kh):
            for j in range(kw):
                window = x[:, g * channels:(g + 1) * channels, i * dilation:, j * dilation:]
                window = window[:, :, :(height - 1) * stride + 1:stride, :(width - 1) * stride + 1:stride]
                y[:, out] += np.einsum("nchw,oc->nohw", window, weight[out, :, i, j].astype(np.float64))
    return y


def products(symbolic):
    """Rows around those of tiles, whole and partial panels, reductions around a chunk of 32."""
    model = Model("products" + ("-symbolic" if symbolic else ""))
    for rows, size, columns in ((1, 64, 64), (2, 128, 72), (13, 96, 80), (16, 32, 64), (17, 80, 96), (33, 24, 65), (40, 200, 64),
                                (197, 64, 100), (64, 37, 64), (5, 7, 130), (47, 1024, 112), (300, 360, 64)):
        x, weight = beside(rows, size), beside(size, columns)
        name = model.value("x", x, 0 if symbolic else None)
        y = model.value("y", matmul(x, weight), 0 if symbolic else None)
        model.node("MatMul", [name, model.constant(weight)], y)
    x, weight = beside(3, 21, 48), beside(48, 72)
    model.node("MatMul", [model.value("x", x), model.constant(weight)], model.value("y", matmul(x, weight)))
    return model


def convolutions(symbolic):
    """Windows, strides, groups; lines around the rows of a tile, of which short ones share tiles."""
    model = Model("convolutions" + ("-symbolic" if symbolic else ""))
    cases = (  # channels, size, outputs, kernel, stride, pad, dilation, group
        (3, 32, 32, 7, 2, 3, 1, 1), (16, 14, 48, 3, 1, 1, 1, 1), (64, 7, 64, 3, 1, 1, 1, 1), (32, 28, 32, 3, 1, 1, 1, 1),
        (64, 14, 72, 1, 1, 0, 1, 1), (40, 28, 256, 1, 2, 0, 1, 1), (48, 14, 64, 3, 2, 1, 1, 1), (32, 9, 32, 3, 1, 2, 2, 1),
        (64, 10, 64, 3, 1, 1, 1, 2), (32, 34, 16, 5, 1, 0, 1, 1), (96, 3, 64, 3, 1, 1, 1, 1), (24, 40, 32, 3, 2, 1, 1, 1),
        (36, 16, 64, 3, 1, 1, 1, 1), (64, 1, 64, 1, 1, 0, 1, 1))
    for channels, size, outputs, kernel, stride, pad, dilation, group in cases:
        x, weight = beside(2, channels, size, size), beside(outputs, channels // group, kernel, kernel)
        name = model.value("x", x, 0 if symbolic else None)
        y = model.value("y", conv(x, weight, stride, pad, dilation, group), 0 if symbolic else None)
        model.node("Conv", [name, model.constant(weight)], y, strides=[stride] * 2, pads=[pad] * 4,
                   dilations=[dilation] * 2, group=group)
    return model


def layers():
    """A residual block and an encoder's two halves: values in bf16 between contractions, other arithmetic in f32."""
    model = Model("layers")
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
    command = [lathe, "compile", f"{folder}/probe.onnx", "--precision=bf16", "--emit=shared", "-o", f"{folder}/probe.so", *options]
    subprocess.run(command, check=True)
    with open(f"{folder}/probe.h", encoding="utf-8") as header:
        size = int(re.search(r"PROBE_WORKSPACE_BYTES (\d+)", header.read())[1])
    status, unsupported = run_refused(f"{folder}/probe.so", size), 4
    if status == -1:
        print("refusal skipped: no seccomp filters here")
    elif status != unsupported:
        print(f"expected status {unsupported} of a process without tile registers, but got {status}")
    return status in (-1, unsupported)


probe = Model("probe")
x, weight = beside(16, 64), beside(64, 64)
probe.node("MatMul", [probe.value("x", x), probe.constant(weight)], probe.value("y", matmul(x, weight)))
graph = helper.make_graph(probe.nodes, "probe", probe.inputs, probe.outputs, probe.constants)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), f"{folder}/probe.onnx")
text = subprocess.run([lathe, "compile", f"{folder}/probe.onnx", "--compile-to=compress", "--emit=mlir", "-o", "-", "--precision=bf16",
                       *options], check=True, capture_output=True, text=True).stdout
if "bf16_product" not in text:
    print("the target does not multiply bf16")
    sys.exit(77)
result = subprocess.run([runner, "run", f"{folder}/probe.onnx", *options, *probe.arguments], check=False, capture_output=True, text=True)
if "on this machine" in result.stderr:
    print(result.stderr)
    sys.exit(77)
good = check_refusal() if 'bf16_product = "amx"' in text else True
good &= probe.run(1e-4, 1e-4)
good &= products(False).run(1e-4, 1e-3)
good &= products(True).run(1e-4, 1e-3)
good &= products(False).run(1e-4, 1e-3, "--threads=2")
good &= convolutions(False).run(1e-4, 1e-3)
good &= convolutions(True).run(1e-4, 1e-3)
# Values may be rounded to the other neighbour where sums differ in their last bits.
good &= layers().run(1e-2, 1e-2)
sys.exit(not good)
