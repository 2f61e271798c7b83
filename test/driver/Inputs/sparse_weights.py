"""Runs models with sparse weights and compares them with what numpy computes from the dense ones.

Arguments: a folder to write to; two models of other densities are written there, too. Each model is compiled for each target that this machine has, and every size of its
dynamic dimension is run, on 1 and 2 threads in turn. A model that the cost model left dense is an error, too."""
import os
import subprocess
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

FOLDER = sys.argv[1]
RNG = np.random.default_rng(7)
node = helper.make_node


def sparse(*shape, density=1 / 32):
    """About so many elements are not zero; one column has none."""
    weight = np.where(RNG.random(shape) < density, RNG.standard_normal(shape), 0).astype(np.float32)
    weight[..., 3] = 0
    return weight


def some(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def pointwise(x, weight):
    """A 1x1 convolution of [N, C, H, W] by [C, O]."""
    return np.einsum("nchw,co->nohw", x, weight)


def kernel(weight):
    return np.ascontiguousarray(weight.T[:, :, None, None])


def linear(rows, channels=1001, columns=137, density=1 / 32):
    w, b, r = sparse(channels, columns, density=density), some(columns), some(1, columns)
    return dict(nodes=[node("Gemm", ["x", "w", "b"], ["h"]), node("Relu", ["h"], ["i"]), node("Add", ["i", "r"], ["y"])],
                weights=dict(w=w, b=b, r=r), inputs=dict(x=(rows, channels)), rank=2,
                expected=lambda x: np.maximum(x @ w + b, 0) + r)


def residual(batch):
    """Another input is added, and a table that is repeated over the batch."""
    w, table = sparse(256, 140), some(9, 140)
    return dict(nodes=[node("MatMul", ["x", "w"], ["h"]), node("Add", ["h", "t"], ["i"]), node("Sigmoid", ["i"], ["j"]),
                       node("Add", ["j", "r"], ["y"])],
                weights=dict(w=w, t=table), inputs=dict(x=(batch, 9, 256), r=(batch, 9, 140)), rank=3,
                expected=lambda x, r: sigmoid(x @ w + table) + r)


def strided(rows):
    """Every other channel is read."""
    w = sparse(512, 137)
    return dict(nodes=[node("Slice", ["x", "start", "end", "axis", "step"], ["h"]), node("MatMul", ["h", "w"], ["y"])],
                weights=dict(w=w, start=np.int64([1]), end=np.int64([1 << 31]), axis=np.int64([1]), step=np.int64([2])),
                inputs=dict(x=(rows, 1024)), rank=2, expected=lambda x: x[:, 1::2] @ w)


def convolution(batch):
    """1x1 convolutions: one with a residual, one whose result is written into the padding of the next input."""
    w, v, b, r, d = sparse(256, 144), sparse(144, 136), some(144), some(1, 144, 1, 1), some(136, 1, 3, 3)

    def expected(x):
        y = np.maximum(pointwise(x, w) + b[:, None, None], 0) + r
        z = np.pad(np.maximum(pointwise(y, v), 0), ((0, 0), (0, 0), (1, 1), (1, 1)))
        return sum(z[:, :, i:i + 7, j:j + 5] * d[:, 0, i, j, None, None] for i in range(3) for j in range(3))

    return dict(nodes=[node("Conv", ["x", "w", "b"], ["h"]), node("Relu", ["h"], ["i"]), node("Add", ["i", "r"], ["j"]),
                       node("Conv", ["j", "v"], ["k"]), node("Relu", ["k"], ["l"]),
                       node("Conv", ["l", "d"], ["y"], group=136, pads=[1, 1, 1, 1])],
                weights=dict(w=kernel(w), v=kernel(v), b=b, r=r, d=d), inputs=dict(x=(batch, 256, 7, 5)), rank=4,
                expected=expected, sparse=2)


MODELS = {
    "row": (linear(1), [1, 1]),
    "rows": (linear(3), [3, 3]),
    "vector": (linear(16), [16, 16]),
    "vector-and-row": (linear(17), [17, 17]),
    "tiles-and-row": (linear(65), [65, 65]),
    "any-rows": (linear("n"), [1, 2, 3, 5, 8, 9, 15, 16, 17, 31, 32, 33, 65]),
    "long": (linear(40, 2500, 19), [40, 40]),
    "narrow": (linear(33, 1500, 13), [33, 33]),
    "zeros": (linear(16, density=0), [16]),
    "residual": (residual("n"), [1, 4, 4]),
    "strided": (strided(37), [37, 37]),
    "convolution": (convolution("n"), [1, 2, 2]),
}


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, cwd=FOLDER)


def write(name, model):
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(model["nodes"], name, [value(*item) for item in model["inputs"].items()],
                              [value("y", [None] * model["rank"])],
                              [numpy_helper.from_array(array, key) for key, array in model["weights"].items()])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), os.path.join(FOLDER, name + ".onnx"))


def check(name, model, sizes, target):
    made = run("lathe", "compile", name + ".onnx", "--target=" + target, "--remarks", "-o", "m.o")
    found, wanted = made.stderr.count("[Passed] SparseWeight"), model.get("sparse", 1)
    if made.returncode or found != wanted:
        return [f"{name} {target}: expected {wanted} sparse weights, but got {found}\n{made.stderr}"]
    errors = []
    for index, size in enumerate(sizes):
        inputs = {key: some(*[size if extent == "n" else extent for extent in shape])
                  for key, shape in model["inputs"].items()}
        flags = []
        for key, array in inputs.items():
            np.save(os.path.join(FOLDER, key + ".npy"), array)
            flags += ["--input", f"{key}={key}.npy"]
        np.save(os.path.join(FOLDER, "y.npy"), model["expected"](**inputs).astype(np.float32))
        result = run("lathe", "run", "m.o", f"--threads={1 + index % 2}", "--check", "y=y.npy", *flags)
        if result.returncode:
            errors.append(f"{name} {target} {size}: {result.stdout}{result.stderr}")
    return errors


def main():
    errors = []
    write("tenth", linear(64, 512, 128, 0.1))
    write("half", linear(64, 512, 128, 0.5))
    for name, (model, _) in MODELS.items():
        write(name, model)
    for target in ["x86-64-v2", "x86-64-v3", "x86-64-v4"]:
        np.save(os.path.join(FOLDER, "x.npy"), some(1, 1001))
        if "cannot run code" in run("lathe", "run", "row.onnx", "--target=" + target, "--input", "x=x.npy").stderr:
            continue
        for name, (model, sizes) in MODELS.items():
            errors += check(name, model, sizes, target)
    print("\n".join(errors) if errors else "all agree")
    return 1 if errors else 0


sys.exit(main())
