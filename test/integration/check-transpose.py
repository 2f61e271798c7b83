#!/usr/bin/python3
"""Transposes of every element size, rank and kind of tail against numpy, with static and with symbolic sizes.

    check-transpose.py LATHE FOLDER TARGET [OPTIONS...]
"""
import itertools
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

lathe, folder, target, *options = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(1)
TYPES = {np.float32: TensorProto.FLOAT, np.float16: TensorProto.FLOAT16, np.float64: TensorProto.DOUBLE,
         np.int8: TensorProto.INT8, np.uint16: TensorProto.UINT16, np.int64: TensorProto.INT64, np.bool_: TensorProto.BOOL}
# Below, at and above the lanes of a block, and more than a stripe or an item of work.
SIZES = (1, 2, 3, 8, 15, 16, 17, 33, 100)
CASES = [((rows, columns), (1, 0)) for rows, columns in itertools.product(SIZES, SIZES)]
CASES += [((500, 300), (1, 0)), ((3, 500), (1, 0)), ((500, 3), (1, 0)),
          # channels last and first, heads, unit dimensions, dimensions that stay neighbours
          ((2, 17, 5, 33), (0, 3, 1, 2)), ((2, 33, 17, 5), (0, 2, 3, 1)), ((1, 9, 4, 16), (0, 2, 3, 1)),
          ((17, 1, 33), (2, 1, 0)), ((1, 17, 1, 15), (3, 2, 0, 1)), ((5, 3, 17), (2, 0, 1)), ((3, 15, 17), (1, 2, 0)),
          ((4, 15, 3, 17), (3, 1, 2, 0)), ((15, 4, 17, 3), (2, 3, 0, 1)), ((2, 8, 3, 9, 10), (0, 4, 1, 3, 2)),
          ((3, 2, 11, 4, 12), (3, 4, 1, 0, 2)),
          # the last dimension stays
          ((3, 15, 17), (1, 0, 2)), ((2, 4, 5, 3), (0, 2, 1, 3))]


def check(name, dtype, cases, symbolic):
    """Runs one model with a node for each case; true if all results are numpy's."""
    nodes, inputs, outputs, flags = [], [], [], []
    for index, (shape, permutation) in enumerate(cases):
        x = rng.integers(0, 2 if dtype == np.bool_ else 100, shape).astype(dtype)
        dims = [f"d{size}" if symbolic else size for size in shape]
        inputs.append(helper.make_tensor_value_info(f"x{index}", TYPES[dtype], dims))
        outputs.append(helper.make_tensor_value_info(f"y{index}", TYPES[dtype], [dims[p] for p in permutation]))
        nodes.append(helper.make_node("Transpose", [f"x{index}"], [f"y{index}"], perm=permutation))
        path = f"{folder}/{name}-{index}"
        np.save(path + "-x.npy", x)
        np.save(path + "-y.npy", np.transpose(x, permutation))
        flags += ["--input", f"x{index}={path}-x.npy", "--check", f"y{index}={path}-y.npy"]
    graph = helper.make_graph(nodes, "g", inputs, outputs)
    model = f"{folder}/{name}.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), model)
    result = subprocess.run([lathe, "run", model, f"--target={target}", "--threads=2", "--rtol=0", "--atol=0", *options, *flags],
                            capture_output=True, text=True)
    if result.returncode != 0:
        print(f"{name}: {result.stdout[-2000:]}{result.stderr[-2000:]}")
    return result.returncode == 0


passed = [check(f"{np.dtype(dtype).name}{'-symbolic' if symbolic else ''}", dtype, CASES, symbolic)
          for dtype in TYPES for symbolic in (False, True)]
print(f"{sum(passed)} of {len(passed)} models are right, of {len(CASES)} transposes each")
sys.exit(not all(passed))
