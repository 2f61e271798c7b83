#!/usr/bin/python3
"""ConvTranspose, and Conv in three dimensions, which are written by convolutions in two, against numpy in f64.

    check-conv-decompositions.py LATHE FOLDER TARGET

Each case runs with a batch of constant size and with a symbolic one.
"""
import itertools
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

lathe, folder, target = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(3)
ALL = (slice(None), slice(None))

# kernel, strides, pads, output_padding: phases with as many taps as others and with fewer, kernels below the stride, crops of more than
# a stride, one to three dimensions.
TRANSPOSED = [((3, 3), (2, 2), (1, 1, 1, 1), (1, 1)), ((4, 4), (2, 2), (1, 1, 1, 1), (0, 0)), ((2, 2), (2, 2), (0, 0, 0, 0), (0, 0)),
              ((3, 3), (1, 1), (1, 1, 1, 1), (0, 0)), ((5, 3), (3, 2), (2, 0, 1, 1), (2, 1)), ((2, 2), (3, 3), (0, 0, 0, 0), (1, 1)),
              ((7, 7), (4, 4), (3, 3, 3, 3), (3, 3)), ((1, 1), (2, 2), (0, 0, 0, 0), (0, 0)), ((3, 3), (2, 2), (2, 2, 2, 2), (0, 0)),
              ((3,), (2,), (0, 0), (0,)), ((3, 2, 3), (2, 1, 2), (1, 0, 1, 0, 0, 1), (0, 0, 0))]
# kernel, strides, pads, dilations
THREE = [((3, 3, 2), (1, 1, 1), (1,) * 6, (1, 1, 1)), ((3, 3, 2), (2, 1, 2), (0, 1, 1, 1, 0, 1), (1, 1, 1)),
         ((3, 2, 3), (1, 2, 1), (2,) * 6, (2, 1, 2)), ((1, 3, 3), (1, 1, 1), (0,) * 6, (1, 1, 1)), ((2, 1, 1), (2, 2, 2), (0,) * 6, (1, 1, 1))]


def transposed(x, w, b, strides, pads, extra):
    kernel = w.shape[2:]
    full = [(n - 1) * s + k + e for n, s, k, e in zip(x.shape[2:], strides, kernel, extra)]
    y = np.zeros((x.shape[0], w.shape[1], *full))
    for place in itertools.product(*map(range, x.shape[2:])):
        window = tuple(slice(p * s, p * s + k) for p, s, k in zip(place, strides, kernel))
        y[ALL + window] += np.tensordot(x[ALL + place], w, axes=([1], [0]))
    inside = tuple(slice(p, n - q) for p, q, n in zip(pads, pads[len(kernel):], full))
    return y[ALL + inside] + b.reshape((-1,) + (1,) * len(kernel))


def direct(x, w, b, strides, pads, dilations):
    rank = len(strides)
    x = np.pad(x, [(0, 0), (0, 0), *zip(pads[:rank], pads[rank:])])
    out = [(n - d * (k - 1) - 1) // s + 1 for n, d, k, s in zip(x.shape[2:], dilations, w.shape[2:], strides)]
    y = np.zeros((x.shape[0], w.shape[0], *out))
    for place in itertools.product(*map(range, w.shape[2:])):
        seen = tuple(slice(p * d, p * d + (n - 1) * s + 1, s) for p, d, n, s in zip(place, dilations, out, strides))
        y += np.moveaxis(np.tensordot(x[ALL + seen], w[ALL + place], axes=([1], [1])), -1, 1)
    return y + b.reshape((-1,) + (1,) * rank)


def check(name, op, x, w, b, expected, symbolic, **attributes):
    node = helper.make_node(op, ["x", "w", "b"], ["y"], **attributes)
    batch = "n" if symbolic else x.shape[0]
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *x.shape[1:]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, *expected.shape[1:]])],
        [numpy_helper.from_array(w, "w"), numpy_helper.from_array(b, "b")])
    model = f"{folder}/{name}.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), model)
    np.save(f"{folder}/x.npy", x)
    np.save(f"{folder}/y.npy", expected.astype(np.float32))
    result = subprocess.run([lathe, "run", model, f"--target={target}", "--input", f"x={folder}/x.npy", "--check", f"y={folder}/y.npy",
                             "--rtol=1e-4", "--atol=1e-4"], capture_output=True, text=True)
    if result.returncode:
        print(f"{name} {attributes}: {result.stdout[-1000:]}{result.stderr[-1000:]}")
    return result.returncode == 0


def random(*shape):
    return rng.standard_normal(shape).astype(np.float32)


passed = []
for index, (kernel, strides, pads, extra) in enumerate(TRANSPOSED):
    x, w, b = random(2, 5, *(7, 6, 4)[:len(kernel)]), random(5, 6, *kernel), random(6)
    expected = transposed(x.astype(np.float64), w.astype(np.float64), b, strides, pads, extra)
    for symbolic in (False, True):
        passed.append(check(f"transposed{index}", "ConvTranspose", x, w, b, expected, symbolic, strides=strides, pads=pads,
                            output_padding=extra))
for index, (kernel, strides, pads, dilations) in enumerate(THREE):
    x, w, b = random(2, 3, 6, 7, 6), random(4, 3, *kernel), random(4)
    expected = direct(x.astype(np.float64), w.astype(np.float64), b, strides, pads, dilations)
    for symbolic in (False, True):
        passed.append(check(f"three{index}", "Conv", x, w, b, expected, symbolic, strides=strides, pads=pads, dilations=dilations))
print(f"{sum(passed)} of {len(passed)} are right")
sys.exit(not all(passed))
