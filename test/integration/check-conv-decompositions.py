#!/usr/bin/python3
"""ConvTranspose, and Conv and pools in three dimensions, which are written by those in two, against numpy in f64.

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
# kernel, strides, pads, dilations, groups: windows over slices and pixels of 6 channels, over pixels, over slices, over neither; groups of
# one channel are depthwise.
THREE = [((3, 3, 2), (1, 1, 1), (1,) * 6, (1, 1, 1), 1), ((3, 3, 2), (2, 1, 2), (0, 1, 1, 1, 0, 1), (1, 1, 1), 1),
         ((3, 2, 3), (1, 2, 1), (2,) * 6, (2, 1, 2), 1), ((3, 3, 3), (1, 2, 1), (1,) * 6, (2, 1, 1), 2), ((3, 3, 3), (2, 1, 1), (1,) * 6, (1, 1, 1), 6),
         ((1, 3, 3), (1, 1, 1), (0,) * 6, (1, 1, 1), 1), ((1, 3, 3), (2, 2, 1), (0, 1, 0, 0, 1, 1), (1, 1, 2), 3), ((1, 2, 2), (1, 1, 1), (1, 0, 0, 0, 1, 0), (1, 1, 1), 1),
         ((3, 1, 1), (1, 1, 1), (1, 0, 0, 1, 0, 0), (1, 1, 1), 1), ((4, 1, 1), (2, 1, 1), (3, 0, 0, 2, 0, 0), (1, 1, 1), 2),
         ((2, 1, 1), (1, 1, 1), (1, 0, 0, 4, 0, 0), (3, 1, 1), 6), ((2, 1, 1), (2, 2, 2), (0,) * 6, (1, 1, 1), 1), ((1, 1, 1), (2, 2, 1), (0,) * 6, (1, 1, 1), 1)]
# kernel, strides, pads, dilations, ceil_mode
POOLS = [((3, 3, 3), (1, 1, 1), (1,) * 6, (1, 1, 1), 0), ((3, 3, 2), (2, 1, 2), (1, 0, 1, 0, 1, 0), (1, 1, 1), 1), ((2, 1, 1), (2, 1, 1), (0,) * 6, (1, 1, 1), 0),
         ((1, 3, 3), (1, 2, 2), (0, 1, 1, 0, 1, 1), (1, 1, 1), 1), ((3, 2, 1), (1, 2, 1), (1, 1, 0, 1, 0, 0), (2, 1, 1), 0)]

def transposed(x, w, b, strides, pads, extra):
    kernel = w.shape[2:]
    full = [(n - 1) * s + k + e for n, s, k, e in zip(x.shape[2:], strides, kernel, extra)]
    y = np.zeros((x.shape[0], w.shape[1], *full))
    for place in itertools.product(*map(range, x.shape[2:])):
        window = tuple(slice(p * s, p * s + k) for p, s, k in zip(place, strides, kernel))
        y[ALL + window] += np.tensordot(x[ALL + place], w, axes=([1], [0]))
    inside = tuple(slice(p, n - q) for p, q, n in zip(pads, pads[len(kernel):], full))
    return y[ALL + inside] + b.reshape((-1,) + (1,) * len(kernel))


def direct(x, w, b, strides, pads, dilations, groups):
    if groups > 1:
        parts = zip(np.split(x, groups, axis=1), np.split(w, groups), np.split(b, groups))
        return np.concatenate([direct(*part, strides, pads, dilations, 1) for part in parts], axis=1)
    rank = len(strides)
    x = np.pad(x, [(0, 0), (0, 0), *zip(pads[:rank], pads[rank:])])
    out = [(n - d * (k - 1) - 1) // s + 1 for n, d, k, s in zip(x.shape[2:], dilations, w.shape[2:], strides)]
    y = np.zeros((x.shape[0], w.shape[0], *out))
    for place in itertools.product(*map(range, w.shape[2:])):
        seen = tuple(slice(p * d, p * d + (n - 1) * s + 1, s) for p, d, n, s in zip(place, dilations, out, strides))
        y += np.moveaxis(np.tensordot(x[ALL + seen], w[ALL + place], axes=([1], [1])), -1, 1)
    return y + b.reshape((-1,) + (1,) * rank)


def pool(x, kernel, strides, pads, dilations, ceil, average, counts):
    """Elements outside are NaN; `counts` of the padding are zeros."""
    rank = len(kernel)
    extents = [d * (k - 1) + 1 for d, k in zip(dilations, kernel)]
    spans = [n + p + q - e for n, p, q, e in zip(x.shape[2:], pads, pads[rank:], extents)]
    out = [-(-span // s) + 1 if ceil else span // s + 1 for span, s in zip(spans, strides)]
    out = [n - 1 if (n - 1) * s >= size + p else n for n, s, size, p in zip(out, strides, x.shape[2:], pads)]
    padding = [(0, 0), (0, 0), *zip(pads[:rank], pads[rank:])]
    beyond = [(0, 0), (0, 0), *((0, max((n - 1) * s - span, 0)) for n, s, span in zip(out, strides, spans))]
    x = np.pad(np.pad(x, padding, constant_values=0 if counts else np.nan), beyond, constant_values=np.nan)
    seen = [x[ALL + tuple(slice(p * d, p * d + (n - 1) * s + 1, s) for p, d, n, s in zip(place, dilations, out, strides))]
            for place in itertools.product(*map(range, kernel))]
    return np.nanmean(seen, axis=0) if average else np.nanmax(seen, axis=0)


def check(name, op, x, w, b, expected, symbolic, **attributes):
    node = helper.make_node(op, ["x", "w", "b"][:1 if w is None else 3], ["y"], **attributes)
    batch = "n" if symbolic else x.shape[0]
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *x.shape[1:]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, *expected.shape[1:]])],
        [] if w is None else [numpy_helper.from_array(w, "w"), numpy_helper.from_array(b, "b")])
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
for index, (kernel, strides, pads, dilations, groups) in enumerate(THREE):
    x, w, b = random(2, 6, 6, 7, 6), random(12, 6 // groups, *kernel), random(12)
    if groups == 6:
        w, b = w[:6], b[:6]
    expected = direct(x.astype(np.float64), w.astype(np.float64), b, strides, pads, dilations, groups)
    for symbolic in (False, True):
        passed.append(check(f"three{index}", "Conv", x, w, b, expected, symbolic, strides=strides, pads=pads, dilations=dilations, group=groups))
for index, (kernel, strides, pads, dilations, ceil) in enumerate(POOLS):
    x = random(2, 5, 6, 7, 6)
    attributes = {"kernel_shape": kernel, "strides": strides, "pads": pads, "ceil_mode": ceil}
    expected = pool(x.astype(np.float64), kernel, strides, pads, dilations, ceil, average=False, counts=False)
    passed.append(check(f"max{index}", "MaxPool", x, None, None, expected, True, dilations=dilations, **attributes))
    if max(dilations) > 1:
        continue
    for counts in (0, 1):
        expected = pool(x.astype(np.float64), kernel, strides, pads, dilations, ceil, average=True, counts=counts)
        passed.append(check(f"average{index}_{counts}", "AveragePool", x, None, None, expected, False, count_include_pad=counts, **attributes))
print(f"{sum(passed)} of {len(passed)} are right")
sys.exit(not all(passed))
