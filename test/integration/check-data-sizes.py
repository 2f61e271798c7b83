#!/usr/bin/python3
"""Results whose size depends on data, and operands that tell sizes at run time, against numpy.

    check-data-sizes.py LATHE FOLDER TARGET

Each model runs on several inputs: with results of several sizes, empty ones among them, and with data that does not fit, which has to be
refused.
"""
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

lathe, folder, target = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(5)
TYPES = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64, np.dtype(bool): TensorProto.BOOL,
         np.dtype(np.int32): TensorProto.INT32}
REFUSED = "refused"
passed = []


def run(name, nodes, shapes, outputs, cases, constants=(), options=()):
    """`shapes` of inputs; in each case inputs by name, and outputs in order or REFUSED."""
    first = cases[0][0]
    graph = helper.make_graph(
        [helper.make_node(*node[:3], **(node[3] if len(node) > 3 else {})) for node in nodes], "g",
        [helper.make_tensor_value_info(x, TYPES[first[x].dtype], shape) for x, shape in shapes.items()],
        [helper.make_empty_tensor_value_info(y) for y in outputs], [numpy_helper.from_array(np.array(v), n) for n, v in constants])
    model = f"{folder}/{name}"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), f"{model}.onnx")
    for number, (inputs, expected) in enumerate(cases):
        command = [lathe, "run", f"{model}.onnx", f"--target={target}", *options]
        for x, value in inputs.items():
            np.save(f"{model}-{x}.npy", value)
            command += ["--input", f"{x}={model}-{x}.npy"]
        for y, value in zip(outputs, () if expected is REFUSED else expected):
            np.save(f"{model}-{y}.npy", value)
            command += ["--check", f"{y}={model}-{y}.npy"]
        if expected is REFUSED:
            command += [f"--output-dir={folder}"]
        result = subprocess.run(command, capture_output=True, text=True)
        good = "does not fit" in result.stderr if expected is REFUSED else result.returncode == 0
        if not good:
            print(f"{name}, case {number}: {result.stdout[-500:]}{result.stderr[-500:]}")
        passed.append(good)


def sparse(*shape, share=0.5):
    x = rng.standard_normal(shape).astype(np.float32)
    return np.where(rng.random(shape) < share, 0, x).astype(np.float32)


def ints(*values):
    return np.array(values, np.int64)


x0, x1 = sparse(3, 4), sparse(9, 4, share=0.2)
inputs = [x0, x1, np.zeros((2, 4), np.float32), np.ones((1, 4), np.float32)]

# What follows works on the sizes that were found.
WEIGHT = np.full((2, 3), 0.5, np.float32)


def chain(x):
    found = x[np.nonzero(x)]
    product = np.stack([found] * 2, 1) @ WEIGHT
    soft = np.exp(product - product.max(1, keepdims=True)) if len(found) else product
    return [np.array(np.nonzero(x)), found, (found * found).sum(), np.concatenate([found, found**2]), soft / soft.sum(1, keepdims=True),
            ints(2, len(found))]


run("chain", [("NonZero", ["x"], ["i"]), ("Transpose", ["i"], ["t"]), ("GatherND", ["x", "t"], ["v"]), ("Mul", ["v", "v"], ["s"]),
              ("ReduceSum", ["s"], ["sum"], {"keepdims": 0}), ("Concat", ["v", "s"], ["both"], {"axis": 0}),
              ("Unsqueeze", ["v", "one"], ["column"]), ("Concat", ["column", "column"], ["pair"], {"axis": 1}),
              ("MatMul", ["pair", "w"], ["product"]), ("Softmax", ["product"], ["soft"]), ("Shape", ["i"], ["shape"])],
    {"x": ["n", 4]}, ["i", "v", "sum", "both", "soft", "shape"], [({"x": x}, chain(x)) for x in inputs],
    [("one", ints(1)), ("w", WEIGHT)])

# Two ops with one condition have one size.
masks = [np.array(m) for m in ([True, False, True, True], [False] * 4, [True] * 4)]
data = rng.standard_normal((4, 3)).astype(np.float32)
run("compress", [("Compress", ["x", "c"], ["a"], {"axis": 0}), ("Neg", ["x"], ["n"]), ("Compress", ["n", "c"], ["b"], {"axis": 0}),
                 ("Add", ["a", "b"], ["sum"]), ("Relu", ["a"], ["r"]), ("ReduceMax", ["r"], ["most"], {"keepdims": 1})],
    {"x": [4, 3], "c": [4]}, ["a", "sum", "r"], [({"x": data, "c": m}, [data[m], data[m] * 0, np.maximum(data[m], 0)]) for m in masks])

values = [rng.integers(0, 5, 12).astype(np.int64), np.zeros(12, np.int64), np.arange(12)[::-1].astype(np.int64).copy()]
run("unique", [("Unique", ["x"], ["y", "first", "inverse", "counts"]), ("Gather", ["y", "inverse"], ["again"])], {"x": [12]},
    ["y", "first", "inverse", "counts", "again"], [({"x": v}, [*np.unique(v, True, True, True), v]) for v in values])

# Operands that tell sizes.
run("top", [("TopK", ["x", "k"], ["v", "i"])], {"x": [3, 6], "k": [1]}, ["v"],
    [({"x": (m := sparse(3, 6, share=0)), "k": ints(k)}, [-np.sort(-m, 1)[:, :k]] if 0 <= k <= 6 else REFUSED) for k in (3, 6, 0, 7, -1)])
slices = [(0, 5, 1), (2, 99, 2), (-3, 2**62, 1), (5, -2**63, -1), (7, 2, 1), (-1, 0, -3), (3, 3, 1), (-99, -2, 1)]
s = np.arange(40, dtype=np.float32).reshape(8, 5)
run("slice", [("Slice", ["x", "b", "e", "a", "s"], ["y"]), ("Relu", ["y"], ["r"])], {"x": [8, 5], "b": [1], "e": [1], "s": [1]}, ["y", "r"],
    [({"x": s, "b": ints(b), "e": ints(e), "s": ints(p)}, [s[b:(e if abs(e) < 2**60 else None):p]] * 2) for b, e, p in slices] +
    [({"x": s, "b": ints(0), "e": ints(3), "s": ints(0)}, REFUSED)], [("a", ints(0))])
run("slice-unit", [("Slice", ["x", "b", "e"], ["y"]), ("Add", ["y", "one"], ["z"])], {"x": ["n", 5], "b": [2], "e": [2]}, ["y", "z"],
    [({"x": s, "b": ints(*b), "e": ints(*e)}, [(y := s[b[0]:e[0], b[1]:e[1]]), y + 1])
     for b, e in [((1, 2), (4, 5)), ((0, -2), (99, 99)), ((5, 0), (2, 5))]], [("one", np.float32(1))])
run("slice-of-symbol", [("Shape", ["x"], ["n"], {"end": 1}), ("Slice", ["table", "zero", "n"], ["y"])], {"x": ["n"]}, ["y"],
    [({"x": np.zeros(n, np.float32)}, [np.arange(6, dtype=np.float32)[:n]]) for n in (2, 6, 9)],
    [("zero", ints(0)), ("table", np.arange(6, dtype=np.float32))])
run("range", [("Range", ["b", "e", "s"], ["y"])], {"b": [], "e": [], "s": []}, ["y"],
    [({k: np.int64(v) for k, v in zip("bes", c)}, [np.arange(*c, dtype=np.int64)] if c[2] else REFUSED)
     for c in ((0, 5, 1), (10, 0, -3), (3, 3, 1), (5, 1, 1), (0, 3, 0))] +
    [({"b": np.int64(0), "e": np.int64(n), "s": np.int64(1)}, e) for n, e in ((512, [np.arange(512)]), (513, REFUSED), (2**62, REFUSED))])
run("range-float", [("Range", ["b", "e", "s"], ["y"])], {"b": [], "e": [], "s": []}, ["y"],
    [({k: np.float32(v) for k, v in zip("bes", c)}, e) for c, e in (((0, 1, 0.25), [np.arange(0, 1, 0.25, np.float32)]),
     ((1, 0, -0.3), [np.float32([1, 0.7, 0.4, 0.1])]), ((0, 1, 0), REFUSED), ((0, np.inf, 1), REFUSED), ((0, np.nan, 1), [np.zeros(0, np.float32)]))])
run("fill", [("ConstantOfShape", ["s"], ["y"]), ("Add", ["y", "one"], ["z"])], {"s": [2]}, ["z"],
    [({"s": ints(*c)}, [np.ones(c, np.float32)] if min(c) >= 0 and max(c) <= 512 else REFUSED) for c in ((2, 3), (0, 4), (512, 1), (513, 1), (-1, 2))],
    [("one", np.float32(1))])
row = rng.standard_normal((3, 1)).astype(np.float32)
run("expand", [("Expand", ["x", "s"], ["y"])], {"x": [3, 1], "s": [3]}, ["y"],
    [({"x": row, "s": ints(*c)}, [row * np.ones(c, np.float32)] if c[1] in (1, 3) else REFUSED) for c in ((2, 3, 4), (1, 1, 1), (0, 3, 2), (1, 2, 2))])
cube = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
run("reshape", [("Reshape", ["x", "s"], ["y"]), ("Neg", ["y"], ["z"])], {"x": [2, 3, 4], "s": [2]}, ["y", "z"],
    [({"x": cube, "s": ints(*c)}, [cube.reshape(e), -cube.reshape(e)] if e else REFUSED)
     for c, e in (((4, 6), (4, 6)), ((-1, 8), (3, 8)), ((0, -1), (2, 12)), ((5, 5), None), ((-1, 5), None), ((-1, -1), None), ((2**40, 2**40), None),
                  ((48, 1), None), ((-2, -12), None))])
run("tile", [("Tile", ["x", "r"], ["y"])], {"x": [3, 1], "r": [2]}, ["y"],
    [({"x": row, "r": ints(*c)}, [np.tile(row, c)] if c[0] >= 0 and c[0] < 999 else REFUSED) for c in ((2, 3), (1, 1), (0, 2), (2**40, 1), (-1, 1))])
for mode in ("constant", "edge", "reflect", "wrap"):
    run(f"pad-{mode}", [("Pad", ["x", "p"], ["y"], {"mode": mode})], {"x": [8, 5], "p": [4]}, ["y"],
        [({"x": s, "p": ints(*p)}, [np.pad(s, ((p[0], p[2]), (p[1], p[3])), mode=mode)]) for p in ((0, 1, 2, 3), (4, 0, 0, 2), (0, 0, 0, 0))] +
        [({"x": s, "p": ints(-2, 0, -1, -1)}, [s[2:-1, :-1]]), ({"x": s, "p": ints(2**40, 0, 0, 0)}, REFUSED)])
run("split", [("Split", ["x", "s"], ["a", "b"], {"axis": 0})], {"x": [8, 5], "s": [2]}, ["a", "b"],
    [({"x": s, "s": ints(a, b)}, [s[:a], s[a:]] if a + b == 8 and min(a, b) >= 0 else REFUSED) for a, b in ((3, 5), (0, 8), (8, 0), (3, 4), (9, -1), (-1, 9))])
run("one-hot", [("OneHot", ["i", "d", "v"], ["y"])], {"i": [3], "d": []}, ["y"],
    [({"i": ints(0, 2, 1), "d": np.int64(d)}, [np.eye(max(d, 3), dtype=np.float32)[[0, 2, 1], :d]] if d <= 512 else REFUSED) for d in (3, 5, 1, 600)],
    [("v", np.float32([0, 1]))])

picture = rng.standard_normal((1, 2, 4, 6)).astype(np.float32)


def nearest(height, width):
    return picture[:, :, np.arange(height) * 4 // height][:, :, :, np.arange(width) * 6 // width]


options = {"mode": "nearest", "axes": [2, 3], "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
run("resize-sizes", [("Resize", ["x", "", "", "s"], ["y"], options)], {"x": [1, 2, 4, 6], "s": [2]}, ["y"],
    [({"x": picture, "s": ints(h, w)}, [nearest(h, w)] if h <= 512 else REFUSED) for h, w in ((8, 12), (4, 3), (2, 18), (513, 1))])
run("resize-scales", [("Resize", ["x", "", "s"], ["y"], options)], {"x": [1, 2, 4, 6], "s": [2]}, ["y"],
    [({"x": picture, "s": np.float32([h, w])}, [nearest(int(4 * h), int(6 * w))] if h < 99 else REFUSED)
     for h, w in ((2, 1), (0.5, 3), (0.25, 0.5), (np.inf, 1))])

# A bound of the user's: what is above it is refused.
run("bound", [("NonZero", ["x"], ["i"], {"name": "found"})], {"x": [3, 4]}, ["i"],
    [({"x": np.eye(3, 4, dtype=np.float32) * k}, [np.array(np.nonzero(np.eye(3, 4) * k))]) for k in (1, 0)] +
    [({"x": np.ones((3, 4), np.float32)}, REFUSED)], options=["--dim", "found=0..4"])
print(f"{sum(passed)} of {len(passed)} are right")
sys.exit(not all(passed))
