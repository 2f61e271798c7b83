#!/usr/bin/python3
"""3x3 convolutions by Winograd's algorithm against the exact result in f64, and against a bound on their errors.

    check-winograd.py LATHE FOLDER TARGET

The error of a sum in f32 is bounded by a multiple of eps * sum |w| |x|. Of the direct convolution the factor is at most the
number of terms, in practice about its root; the transforms of F(2x2) and F(4x4) multiply it (Barabasz et al. 2020, "Error
Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks").
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
# Largest error in eps * sum |w| |x|, twice what was measured.
BOUNDS = {"direct": 3.5, "F(2x2)": 2, "F(4x4)": 24}
# images, input channels, height, width, output channels, pads (top, left, bottom, right)
SHAPES = [(1, 64, 28, 28, 32, (1, 1, 1, 1)),   # whole tiles
          (2, 40, 17, 19, 72, (1, 0, 1, 2)),   # rests in every dimension
          (1, 256, 14, 14, 256, (1, 1, 1, 1)), # a weight larger than the cache
          (3, 16, 9, 33, 17, (0, 0, 0, 0)),    # no padding
          (1, 128, 8, 8, 128, (1, 1, 1, 1))]   # few tiles


def convolve(x, w, pads):
    top, left, bottom, right = pads
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, w, optimize=True)


def run(index, shape, flags):
    """The largest error of the result, in eps * sum |w| |x|, and what the compiler says that it did."""
    images, channels, height, width, outputs, pads = shape
    x = rng.standard_normal((images, channels, height, width)).astype(np.float32)
    w = rng.standard_normal((outputs, channels, 3, 3)).astype(np.float32) / 16
    exact = convolve(x.astype(np.float64), w.astype(np.float64), pads)
    scale = convolve(np.abs(x), np.abs(w), pads).max() * np.finfo(np.float32).eps
    residual = rng.standard_normal(exact.shape).astype(np.float32)
    expected = np.maximum(exact + residual, 0)

    tensors = {"x": x, "r": residual, "y": expected.astype(np.float32)}
    info = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in tensors.items()}
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"], pads=pads), helper.make_node("Add", ["c", "r"], ["s"]),
             helper.make_node("Relu", ["s"], ["y"])]
    graph = helper.make_graph(nodes, "g", [info["x"], info["r"]], [info["y"]], [numpy_helper.from_array(w, "w")])
    path = f"{folder}/conv{index}"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path + ".onnx")
    for name, value in tensors.items():
        np.save(f"{path}-{name}.npy", value)
    result = subprocess.run(
        [lathe, "run", path + ".onnx", f"--target={target}", "--input", f"x={path}-x.npy", "--input", f"r={path}-r.npy",
         f"--output-dir={folder}", "--remarks", *flags], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{shape}: {result.stderr}")
    return np.abs(np.load(f"{folder}/y.npy") - expected).max() / scale, result.stderr


failed, seen = False, set()
for index, shape in enumerate(SHAPES):
    for flags in ([], ["--no-winograd"]):
        error, remarks = run(index, shape, flags)
        method = "F(4x4)" if "TileSize=4" in remarks else "F(2x2)" if "TileSize=2" in remarks else "direct"
        seen.add(method)
        wrong = bool(error > BOUNDS[method] or (flags and method != "direct"))
        failed |= wrong
        print(f"{shape} {method}: {error:.2f} of {BOUNDS[method]}{'  FAILED' if wrong else ''}")
if seen != set(BOUNDS):
    sys.exit(f"only {sorted(seen)} were tried")
sys.exit(failed)
