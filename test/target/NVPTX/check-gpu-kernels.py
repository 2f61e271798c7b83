#!/usr/bin/python3
"""Kernels of a GPU, emulated, against numpy in f64, in sizes that fill neither tiles nor blocks, and with what would spoil sums that
read too far: infinities and NaN beside the operands.

    check-gpu-kernels.py LATHE FOLDER TARGET
"""
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

lathe, folder, target = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(1)


def random(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def coarse(*shape):
    """Random numbers that bf16 holds exactly: rounding to it, or to tf32, loses nothing."""
    return (random(*shape).view(np.uint32) & 0xFFFF0000).view(np.float32)


def half(*shape):
    """The same of f16, most of which bf16 does not hold."""
    return random(*shape).astype(np.float16).astype(np.float32)


def run(name, nodes, inputs, expected, constants=(), dims=(), flags=(), tolerance=1e-4):
    """True if the nodes make `expected` of the inputs; `constants` are those of them that are initializers."""
    shapes = {key: list(value.shape) for key, value in inputs.items()}
    for key, axis, symbol in dims:
        shapes[key][axis] = symbol
    infos = [helper.make_tensor_value_info(key, TensorProto.FLOAT, shapes[key]) for key in inputs if key not in constants]
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    initializers = [numpy_helper.from_array(inputs[key], key) for key in constants]
    graph = helper.make_graph(nodes, "g", infos, [result], initializers)
    path = f"{folder}/{name}"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path + ".onnx")
    arguments = []
    for key, value in inputs.items():
        if key not in constants:
            np.save(f"{path}-{key}.npy", value)
            arguments += ["--input", f"{key}={path}-{key}.npy"]
    np.save(f"{path}-y.npy", expected.astype(np.float32))
    command = [lathe, "run", path + ".onnx", f"--target={target}", "--emulate", f"--rtol={tolerance}", f"--atol={tolerance}", *flags, *arguments,
               "--check", f"y={path}-y.npy"]
    good = subprocess.run(command, check=False).returncode == 0
    print(name, "passed" if good else "FAILED", flush=True)
    return good


def matmul(name, a, b, **keywords):
    product = np.matmul(a.astype(np.float64), b.astype(np.float64))
    return run(name, [helper.make_node("MatMul", ["a", "b"], ["y"])], {"a": a, "b": b}, product, **keywords)


def conv(name, x, w, stride=1, dilation=1, pads=(0, 0, 0, 0), group=1, flags=()):
    top, left, bottom, right = pads
    padded = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (top, bottom), (left, right)))
    size = [dilation * (k - 1) + 1 for k in w.shape[2:]]
    windows = np.lib.stride_tricks.sliding_window_view(padded, size, axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride, ::dilation, ::dilation]
    parts = [np.einsum("nchwij,ocij->nohw", part, kernel) for part, kernel in
             zip(np.split(windows, group, 1), np.split(w.astype(np.float64), group, 0))]
    node = helper.make_node("Conv", ["x", "w"], ["y"], strides=[stride] * 2, dilations=[dilation] * 2, pads=pads, group=group)
    return run(name, [node], {"x": x, "w": w}, np.concatenate(parts, 1), constants=["w"], flags=flags)


def softmax(x):
    power = np.exp(x.astype(np.float64) - x.max(-1, keepdims=True))
    return power / power.sum(-1, keepdims=True)


def norm(name, rows, columns):
    x, scale, bias = 100 + random(rows, columns), random(columns), random(columns)
    wide = x.astype(np.float64)
    expected = (wide - wide.mean(-1, keepdims=True)) / np.sqrt(wide.var(-1, keepdims=True) + 1e-5) * scale + bias
    node = helper.make_node("LayerNormalization", ["x", "s", "b"], ["y"], epsilon=1e-5)
    return run(name, [node], {"x": x, "s": scale, "b": bias}, expected, constants=["s", "b"])


def attention(name, heads, queries, keys, depth, masked=False, numbers=coarse, **keywords):
    """softmax(q k^T / sqrt(depth) + mask) v; a mask hides a third of the keys."""
    q, k, v = numbers(2, heads, queries, depth), numbers(2, heads, keys, depth), numbers(2, heads, keys, depth)
    inputs = {"q": q, "k": k, "v": v, "scale": np.float32(depth**-0.5).reshape(())}
    scores = q.astype(np.float64) @ np.swapaxes(k, 2, 3).astype(np.float64) * depth**-0.5
    nodes = [helper.make_node("Transpose", ["k"], ["t"], perm=[0, 1, 3, 2]), helper.make_node("MatMul", ["q", "t"], ["s"]),
             helper.make_node("Mul", ["s", "scale"], ["scaled"])]
    if masked:
        mask = np.where(rng.random((1, 1, queries, keys)) < 1 / 3, -1e9, random(1, 1, queries, keys)).astype(np.float32)
        inputs["mask"] = mask
        scores = scores + mask
        nodes.append(helper.make_node("Add", ["scaled", "mask"], ["biased"]))
    nodes += [helper.make_node("Softmax", ["biased" if masked else "scaled"], ["p"], axis=-1),
              helper.make_node("MatMul", ["p", "v"], ["y"])]
    return run(name, nodes, inputs, softmax(scores) @ v.astype(np.float64), constants=["scale"], **keywords)


good = [
    matmul("whole", random(64, 32), random(32, 128), constants=["b"]),
    matmul("rests", random(67, 33), random(33, 70), constants=["b"]),
    matmul("flat", random(3, 33), random(33, 70), constants=["b"]),
    matmul("one-step", random(65, 1), random(1, 17)),
    matmul("batch", random(2, 3, 20, 50), random(3, 50, 19)),
    matmul("dynamic", random(77, 33), random(33, 70), constants=["b"], dims=[("a", 0, "n")]),
    matmul("dynamic-one", random(1, 33), random(33, 70), constants=["b"], dims=[("a", 0, "n")]),
    conv("windows", random(2, 5, 19, 17), random(23, 5, 3, 3), pads=(1, 0, 2, 1)),
    conv("strides", random(1, 8, 21, 23), random(16, 8, 5, 3), stride=2, pads=(2, 1, 2, 1)),
    conv("dilated", random(1, 4, 20, 20), random(33, 4, 3, 3), dilation=2),
    conv("groups", random(1, 12, 15, 15), random(20, 3, 3, 3), group=4),
    conv("depthwise", random(1, 24, 15, 15), random(24, 1, 3, 3), group=24, stride=2),
]
# Few elements and long sums: slices of the steps, added up by another kernel; the last slice is shorter.
good += [
    matmul("split-threads", random(3, 1000), random(1000, 70), constants=["b"]),
    matmul("split-threads-batch", random(2, 3, 500), random(2, 500, 20)),
    matmul("split-tiles", random(40, 1000), random(1000, 70), constants=["b"]),
    conv("split-windows", random(1, 40, 7, 7), random(30, 40, 3, 3), pads=(1, 1, 1, 1)),
]
# Windows beyond the borders: in whole tiles, flat, by groups, and where a window has no pixel at all.
good += [
    conv("borders", random(2, 16, 9, 10), random(32, 16, 3, 3), pads=(1, 2, 0, 1)),
    conv("borders-flat", random(1, 5, 3, 3), random(7, 5, 5, 5), pads=(2, 2, 2, 2)),
    conv("borders-groups", random(1, 12, 8, 9), random(20, 3, 3, 3), pads=(0, 1, 2, 1), stride=2, group=4),
    conv("borders-outside", random(1, 6, 4, 4), random(16, 3, 2, 2), pads=(3, 0, 0, 3), group=2),
]
# On tensor cores: tiles of each size, rows that are copied in 16, 8 and 4 bytes and one element at a time, and what is not there.
bf16, f16 = ["--precision=bf16"], ["--precision=f16"]
for prefix, flags, numbers in ("bf16", bf16, coarse), ("f16", f16, half):
    good += [
        matmul(f"{prefix}-large", numbers(1600, 72), numbers(72, 1024), constants=["b"], flags=flags),
        matmul(f"{prefix}-wide", numbers(1600, 72), numbers(72, 1900), constants=["b"], flags=flags),
        matmul(f"{prefix}-small", numbers(128, 64), numbers(64, 128), constants=["b"], flags=flags),
        matmul(f"{prefix}-flat", numbers(5, 264), numbers(264, 96), constants=["b"], flags=flags),
        matmul(f"{prefix}-flat-rests", numbers(17, 270), numbers(270, 70), constants=["b"], flags=flags),
        matmul(f"{prefix}-rests-8", numbers(77, 36), numbers(36, 84), constants=["b"], flags=flags),
        matmul(f"{prefix}-rests-4", numbers(77, 34), numbers(34, 70), constants=["b"], flags=flags),
        matmul(f"{prefix}-odd", numbers(70, 33), numbers(33, 71), constants=["b"], flags=flags),
        matmul(f"{prefix}-dynamic", numbers(77, 72), numbers(72, 80), constants=["b"], dims=[("a", 0, "n")], flags=flags),
        conv(f"{prefix}-windows", numbers(2, 8, 19, 17), numbers(24, 8, 3, 3), pads=(1, 0, 2, 1), flags=flags),
        conv(f"{prefix}-strides", numbers(1, 12, 21, 23), numbers(80, 12, 5, 3), stride=2, pads=(2, 1, 2, 1), flags=flags),
        conv(f"{prefix}-dilated", numbers(1, 3, 20, 20), numbers(33, 3, 3, 3), dilation=2, flags=flags),
        conv(f"{prefix}-borders", numbers(1, 8, 10, 9), numbers(24, 8, 5, 3), stride=2, dilation=2, pads=(4, 2, 3, 1), flags=flags),
        conv(f"{prefix}-borders-odd", numbers(1, 3, 12, 12), numbers(16, 3, 7, 7), stride=2, pads=(3, 3, 3, 3), flags=flags),
        conv(f"{prefix}-groups", numbers(1, 16, 15, 15), numbers(20, 4, 3, 3), group=4, flags=flags),
        matmul(f"{prefix}-split-flat", numbers(5, 2056), numbers(2056, 96), constants=["b"], flags=flags),
        matmul(f"{prefix}-split", numbers(70, 2000), numbers(2000, 72), constants=["b"], flags=flags),
        conv(f"{prefix}-split-windows", numbers(1, 64, 7, 7), numbers(40, 64, 3, 3), pads=(1, 1, 1, 1), flags=flags),
        conv(f"{prefix}-points", numbers(2, 64, 9, 9), numbers(72, 64, 1, 1), flags=flags),
    ]
# Of tf32, operands that it holds give exact products; weights of values are rounded.
tf32 = ["--precision=tf32"]
good += [
    matmul("tf32-large", coarse(1600, 40), coarse(40, 1024), constants=["b"], flags=tf32),
    matmul("tf32-small", coarse(130, 64), coarse(64, 132), constants=["b"], flags=tf32),
    matmul("tf32-flat", coarse(5, 261), coarse(261, 95), constants=["b"], flags=tf32),
    matmul("tf32-split-batch", coarse(2, 20, 700), coarse(2, 700, 19), flags=tf32),
    matmul("tf32-batch", coarse(2, 3, 20, 50), coarse(3, 50, 19), flags=tf32),
    conv("tf32-windows", coarse(2, 5, 19, 17), coarse(23, 5, 3, 3), pads=(1, 0, 2, 1), flags=tf32),
    attention("attention", 2, 70, 50, 32),
    attention("attention-masked", 2, 33, 77, 20, masked=True),
    attention("tf32-attention", 2, 130, 130, 64, flags=tf32, tolerance=2e-3),
    attention("tf32-attention-masked", 1, 33, 198, 48, masked=True, flags=tf32, tolerance=2e-3),
    attention("bf16-attention", 2, 130, 130, 64, flags=bf16, tolerance=1e-2),
    attention("bf16-attention-masked", 1, 66, 197, 48, masked=True, flags=bf16, tolerance=1e-2),
    attention("f16-attention", 2, 130, 130, 64, numbers=half, flags=f16, tolerance=2e-3),
    attention("f16-attention-masked", 1, 66, 200, 48, masked=True, numbers=half, flags=f16, tolerance=2e-3),
    # Enough blocks for warps of twice sixteen queries.
    attention("bf16-attention-many", 27, 130, 70, 64, flags=bf16, tolerance=1e-2),
    attention("bf16-attention-many-short", 54, 40, 33, 40, flags=bf16, tolerance=1e-2),
    attention("tf32-attention-many-short", 54, 40, 33, 40, flags=tf32, tolerance=2e-3),
    # Queries that stay in memory of the block, and rows of three times 128 bytes.
    attention("bf16-attention-many-long-heads", 27, 130, 41, 128, flags=bf16, tolerance=1e-2),
    attention("f16-attention-many-long-heads", 27, 130, 41, 128, numbers=half, flags=f16, tolerance=2e-3),
    attention("tf32-attention-rows", 1, 33, 70, 80, flags=tf32, tolerance=2e-3),
    attention("tf32-attention-long-heads", 1, 65, 40, 128, flags=tf32, tolerance=2e-3),
    attention("tf32-attention-short-heads", 3, 5, 3, 20, flags=tf32, tolerance=2e-3),
]
for columns in (1, 5, 128, 1000):
    x = 10 * random(7, columns)
    good.append(run(f"softmax-{columns}", [helper.make_node("Softmax", ["x"], ["y"], axis=-1)], {"x": x}, softmax(x)))
    good.append(norm(f"norm-{columns}", 5, columns))
# The rows after the last step hold what no product may meet.
poisoned = random(40, 33)
poisoned[:, -1] = np.inf
weight = np.abs(random(33, 40)) + 1
good.append(matmul("infinite", poisoned, weight))
sys.exit(not all(good))
