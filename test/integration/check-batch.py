#!/usr/bin/python3
"""A batch that is computed a few samples at a time gives what each sample gives alone; a symbolic one does, too.

    check-batch.py LATHE FOLDER TARGET

The model has what such loops must not mix up: padding, a residual, squeeze-and-excitation, a channel split and concatenation,
a flattening reshape, and a result of an early layer.
"""
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

lathe, folder, target = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(2)
BATCH, CHANNELS, SIZE = 6, 32, 64


def weight(name, *shape):
    values = rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
    return numpy_helper.from_array(values.astype(np.float32), name)


def make_model(batch):
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "stem"], ["c0"], pads=[1, 1, 1, 1]), node("Relu", ["c0"], ["early"]),
        node("Conv", ["early", "depthwise"], ["c1"], pads=[1, 1, 1, 1], group=CHANNELS), node("Relu", ["c1"], ["r1"]),
        node("GlobalAveragePool", ["r1"], ["mean"]), node("Conv", ["mean", "gate"], ["g"]), node("Sigmoid", ["g"], ["s"]),
        node("Mul", ["r1", "s"], ["scaled"]), node("Conv", ["scaled", "project"], ["c2"]), node("Add", ["c2", "early"], ["sum"]),
        node("Split", ["sum"], ["left", "right"], axis=1, num_outputs=2), node("Tanh", ["left"], ["t"]),
        node("Concat", ["right", "t"], ["joined"], axis=1),
        node("Conv", ["joined", "window"], ["c3"], pads=[1, 1, 1, 1], strides=[2, 2]),
        node("MaxPool", ["c3"], ["pooled"], kernel_shape=[4, 4], strides=[4, 4]), node("Reshape", ["pooled", "flat"], ["f"]),
        node("MatMul", ["f", "head"], ["y"])]
    flat = CHANNELS * (SIZE // 8) ** 2
    rows = batch if isinstance(batch, int) else -1
    weights = WEIGHTS + [numpy_helper.from_array(np.array([rows, flat]), "flat")]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 10]),
         helper.make_tensor_value_info("early", TensorProto.FLOAT, [batch, CHANNELS, SIZE, SIZE])], weights)
    path = f"{folder}/batch{batch}.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return path


WEIGHTS = [weight("stem", CHANNELS, 3, 3, 3), weight("depthwise", CHANNELS, 1, 3, 3), weight("gate", CHANNELS, CHANNELS, 1, 1),
           weight("project", CHANNELS, CHANNELS, 1, 1), weight("window", CHANNELS, CHANNELS, 3, 3),
           weight("head", CHANNELS * (SIZE // 8) ** 2, 10)]


def run(model, x, *flags):
    np.save(f"{folder}/x.npy", x)
    subprocess.run([lathe, "run", model, f"--target={target}", f"--input=x={folder}/x.npy", f"--output-dir={folder}", *flags],
                   check=True, stdout=subprocess.DEVNULL)
    return np.load(f"{folder}/y.npy"), np.load(f"{folder}/early.npy")


x = rng.standard_normal((BATCH, 3, SIZE, SIZE)).astype(np.float32)
whole_model, symbolic_model, single_model = make_model(BATCH), make_model("n"), make_model(1)
for model in (whole_model, symbolic_model):
    remarks = subprocess.run([lathe, "compile", model, f"--target={target}", "--remarks", "-o", f"{folder}/batch.o"],
                             capture_output=True, text=True, check=True).stderr
    if "SplitBatch" not in remarks:
        sys.exit(f"the batch of {model} was not split: it is too small to test that")
for model, threads in ((whole_model, 1), (whole_model, 2), (symbolic_model, 1), (symbolic_model, 2)):
    whole = run(model, x, f"--threads={threads}")
    for sample in range(BATCH):
        single = run(single_model, x[sample:sample + 1])
        for name, a, b in zip(("y", "early"), whole, single):
            error = np.abs(a[sample] - b[0]).max() / np.abs(b).max()
            if not error < 1e-5:
                sys.exit(f"sample {sample} of {model} with {threads} threads: {name} differs by {error}")
print(f"{BATCH} samples are what they are alone")
