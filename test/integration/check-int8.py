#!/usr/bin/python3
"""Layers of bytes in an emulator against the same ones on this machine, in shapes around those of tiles.

    LATHE=lathe EMULATOR="..." check-int8.py RUN_EMULATED FOLDER TARGET_OPTIONS...

Sums of bytes are exact everywhere, and each model is one layer with an f32 result.
"""
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

emulated, folder, *target = sys.argv[1:]
lathe = os.environ["LATHE"]
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(1)
# Rows, reduction and columns: rows around those of tiles, reductions around a word or two, whole and partial panels.
PRODUCTS = ((1, 64, 64), (2, 128, 72), (13, 96, 80), (17, 80, 96), (33, 24, 65), (5, 7, 130), (47, 1024, 112), (300, 360, 64),
            (10, 4, 16), (7, 12, 24), (21, 6144, 48))
# Channels, size, outputs, kernel, stride, pad, dilation, group.
CONVOLUTIONS = ((3, 20, 32, 7, 2, 3, 1, 1), (16, 10, 32, 3, 1, 1, 1, 4), (32, 10, 40, 3, 1, 1, 1, 4), (48, 9, 64, 3, 1, 1, 1, 4),
                (64, 7, 64, 3, 1, 1, 1, 1), (40, 13, 256, 1, 2, 0, 1, 1), (12, 9, 24, 3, 1, 2, 2, 1), (256, 7, 128, 3, 1, 1, 1, 1),
                (64, 1, 64, 1, 1, 0, 1, 1), (24, 5, 96, 5, 1, 0, 1, 1))


def check(node, x, weight, symbolic):
    """True if both machines agree."""
    shape = ["n", *x.shape[1:]] if symbolic else x.shape
    graph = helper.make_graph([node], "layer", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], [numpy_helper.from_array(weight, "w")])
    path = f"{folder}/layer"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), f"{path}.onnx")
    np.save(f"{path}-x.npy", x)
    np.savez(f"{path}.npz", x=x)
    command = [f"{path}.onnx", "--quantize=int8", f"--calibrate={path}.npz", "--input", f"x={path}-x.npy"]
    host = [lathe, "run", *command, "--target=x86-64-v3", f"--output-dir={folder}"]
    subprocess.run(host, check=True, stdout=subprocess.DEVNULL)
    largest = np.max(np.abs(np.load(f"{folder}/y.npy")))
    result = subprocess.run([emulated, "run", *command, *target, "--check", f"y={folder}/y.npy", "--rtol=0", f"--atol={1e-5 * largest}"],
                            capture_output=True, text=True)
    print(f"{node.op_type} {x.shape} {weight.shape}{' symbolic' if symbolic else ''}: "
          f"{'agrees' if result.returncode == 0 else result.stderr[-500:]}", flush=True)
    return result.returncode == 0


def random(*shape):
    return rng.standard_normal(shape).astype(np.float32)


good = True
for rows, size, columns in PRODUCTS:
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    good &= check(node, random(rows, size), random(size, columns), rows in (13, 17))
for channels, size, outputs, kernel, stride, pad, dilation, group in CONVOLUTIONS:
    node = helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4,
                            dilations=[dilation] * 2, group=group)
    good &= check(node, random(2, channels, size, size), random(outputs, channels // group, kernel, kernel), size == 13)
sys.exit(not good)
