#!/usr/bin/python3
"""Weight formats against numpy: matrix products, a convolution and a table whose weights a format holds exactly.

    check-weights.py LATHE FOLDER TARGET [OPTIONS...]

The groups of the weights are multiples of a scale with the largest multiple among them, so that quantizing them loses
nothing, and products are those of the weights themselves, up to rounding in f32.
"""
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

lathe, folder, target, *options = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(1)
K, D = 128, 64
# Rows of the inputs: tiles that sum for groups, tiles of scaled columns, and rests; columns: whole panels and not.
ROWS, COLUMNS = (1, 2, 3, 13, 40), (64, 40, 64, 17, 96)


def exact(rows, columns, bits, group, symmetric):
    """A weight of groups of rows that the format holds exactly."""
    group = group or rows
    high = 2 ** (bits - 1) - 1
    low = -high if symmetric else -high - 1
    codes = rng.integers(low, high + 1, size=(rows // group, group, columns))
    # The extremes are there, at random places.
    for g in range(rows // group):
        for n in range(columns):
            at = rng.choice(group, size=2, replace=False)
            codes[g, at[0], n] = high
            if not symmetric:
                codes[g, at[1], n] = low
    if not symmetric:  # any zero point within the levels
        codes += rng.integers(low, high, size=(rows // group, 1, columns)) * -1
        codes = codes + np.clip(-codes.max(1, keepdims=True), 0, None) - np.clip(codes.min(1, keepdims=True), 0, None)
    scales = rng.uniform(0.01, 0.1, size=(rows // group, 1, columns))
    return (codes * scales).reshape(rows, columns).astype(np.float32)


def bfloat16(shape):
    """Random numbers that bf16 holds exactly."""
    bits = rng.standard_normal(shape).astype(np.float32).view(np.uint32) & 0xFFFF0000
    return bits.view(np.float32)


def check(name, flags, make, make_table, conv=None, inputs_of=lambda shape: rng.standard_normal(shape).astype(np.float32)):
    nodes, inputs, outputs, constants, arguments = [], [], [], [], []

    def array(kind, tensor, value):
        path = f"{folder}/{name}-{tensor}.npy"
        np.save(path, value)
        element = TensorProto.INT64 if value.dtype == np.int64 else TensorProto.FLOAT
        info = helper.make_tensor_value_info(tensor, element, value.shape)
        (inputs if kind == "--input" else outputs).append(info)
        arguments.extend([kind, f"{tensor}={path}"])

    for i, (rows, columns) in enumerate(zip(ROWS, COLUMNS)):
        weight = make(K, columns)
        x = inputs_of((rows, K))
        constants.append(numpy_helper.from_array(weight, f"w{i}"))
        nodes.append(helper.make_node("MatMul", [f"x{i}", f"w{i}"], [f"y{i}"]))
        array("--input", f"x{i}", x)
        array("--check", f"y{i}", (x.astype(np.float64) @ weight).astype(np.float32))
    table, indices = make_table(10, D), np.array([[3, 0, -1, 9]], np.int64)
    constants.append(numpy_helper.from_array(table, "table"))
    nodes.append(helper.make_node("Gather", ["table", "indices"], ["rows"]))
    array("--input", "indices", indices)
    array("--check", "rows", table[indices])
    if conv:
        for i, (shape, group) in enumerate((((24, 8, 3, 3), 1), ((16, 8, 1, 1), 1), ((8, 4, 3, 3), 2), ((8, 1, 3, 3), 8))):
            weight, x = conv(shape), inputs_of((1, 8, 9, 9))
            k = shape[2]
            y = np.zeros((1, shape[0], 10 - k, 10 - k))
            for o in range(shape[0]):
                first = o // (shape[0] // group) * shape[1]
                for dy in range(k):
                    for dx in range(k):
                        part = x[0, first:first + shape[1], dy:dy + 10 - k, dx:dx + 10 - k].astype(np.float64)
                        y[0, o] += np.tensordot(weight[o, :, dy, dx].astype(np.float64), part, 1)
            constants.append(numpy_helper.from_array(weight, f"f{i}"))
            nodes.append(helper.make_node("Conv", [f"c{i}", f"f{i}"], [f"o{i}"], group=group))
            array("--input", f"c{i}", x)
            array("--check", f"o{i}", y.astype(np.float32))
    graph = helper.make_graph(nodes, name, inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, f"{folder}/{name}.onnx")
    command = [lathe, "run", f"{folder}/{name}.onnx", f"--target={target}", "--rtol=1e-4", "--atol=1e-4", *options, *flags, *arguments]
    result = subprocess.run(command, check=False)
    print(" ".join(flags), "failed" if result.returncode else "passed", flush=True)
    return result.returncode == 0


good = True
for bits in (8, 4, 3, 2):
    for group in (0, 64) if bits == 8 else (32, 64):
        for symmetric in (True, False):
            text = f"w{bits}" + (f":group={group}" if group else "") + ("" if symmetric else ":asymmetric")
            good &= check(text.replace(":", "-"), [f"--quantize={text}"],
                          lambda k, n: exact(k, n, bits, group, symmetric),
                          lambda v, d: exact(d, v, max(bits, 4), group, symmetric).T.copy())
# Some targets round inputs, too, which loses nothing of those that bf16 holds.
good &= check("bf16", ["--precision=bf16"], lambda k, n: bfloat16((k, n)), lambda v, d: bfloat16((v, d)), bfloat16, bfloat16)
sys.exit(not good)
