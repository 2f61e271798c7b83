#!/usr/bin/python3
"""Networks of which a part of the result is read, against numpy in f64: only that part is computed (lower-select-early).

    check-selection.py LATHE FOLDER TARGET
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
TOKENS, WIDTH, HEADS = 24, 32, 4


def random(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def gather(axis, index):
    """The nodes that select, the constants they read, and what they do."""
    return [helper.make_node("Gather", ["t", "index"], ["y"], axis=axis)], {"index": np.int64(index)}, \
        lambda t: np.take(t, index, axis)


def slices(axis, begin, end):
    constants = {"begin": np.int64([begin]), "end": np.int64([end]), "axis": np.int64([axis])}
    return [helper.make_node("Slice", ["t", "begin", "end", "axis"], ["y"])], constants, \
        lambda t: t[(slice(None),) * axis + (slice(begin, end),)]


def normalize(x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)


def softmax(x):
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def encoder(images, causal):
    """A layer of a transformer: its nodes, constants, input and result t [images, TOKENS, WIDTH]."""
    depth = WIDTH // HEADS
    constants = {name: random(WIDTH, WIDTH) / WIDTH ** 0.5 for name in ("wq", "wk", "wv", "wo")}
    constants |= {"wu": random(WIDTH, 3 * WIDTH) / 4, "wd": random(3 * WIDTH, WIDTH) / 8, "bu": random(3 * WIDTH)}
    mask = np.triu(np.full((TOKENS, TOKENS), -np.inf), 1).astype(np.float32)
    shapes = {"split": np.int64([images, TOKENS, HEADS, depth]), "join": np.int64([images, TOKENS, WIDTH]),
              "scale": np.float32(depth ** -0.5), "mask": mask, "one": np.ones(WIDTH, np.float32)}
    nodes = [helper.make_node("LayerNormalization", ["x", "one"], ["n"])]
    for name, order in (("q", (0, 2, 1, 3)), ("k", (0, 2, 3, 1)), ("v", (0, 2, 1, 3))):
        nodes += [helper.make_node("MatMul", ["n", "w" + name], [name + "1"]), helper.make_node("Reshape", [name + "1", "split"], [name + "2"]),
                  helper.make_node("Transpose", [name + "2"], [name], perm=order)]
    nodes += [helper.make_node("MatMul", ["q", "k"], ["s1"]), helper.make_node("Mul", ["s1", "scale"], ["s2"])]
    if causal:
        nodes.append(helper.make_node("Add", ["s2", "mask"], ["s3"]))
    nodes += [helper.make_node("Softmax", ["s3" if causal else "s2"], ["p"]), helper.make_node("MatMul", ["p", "v"], ["a1"]),
              helper.make_node("Transpose", ["a1"], ["a2"], perm=(0, 2, 1, 3)), helper.make_node("Reshape", ["a2", "join"], ["a"]),
              helper.make_node("MatMul", ["a", "wo"], ["o"]), helper.make_node("Add", ["x", "o"], ["h"]),
              helper.make_node("LayerNormalization", ["h", "one"], ["m"]), helper.make_node("MatMul", ["m", "wu"], ["u1"]),
              helper.make_node("Add", ["u1", "bu"], ["u2"]), helper.make_node("Relu", ["u2"], ["u"]),
              helper.make_node("MatMul", ["u", "wd"], ["d"]), helper.make_node("Add", ["h", "d"], ["t"])]
    if not causal:
        del shapes["mask"]
    x = random(images, TOKENS, WIDTH)
    exact = {name: value.astype(np.float64) for name, value in constants.items()}
    heads = {name: (normalize(x.astype(np.float64)) @ exact["w" + name]).reshape(images, TOKENS, HEADS, depth).transpose(0, 2, 1, 3)
             for name in "qkv"}
    scores = heads["q"] @ heads["k"].swapaxes(2, 3) * depth ** -0.5 + (mask if causal else 0)
    attended = (softmax(scores) @ heads["v"]).transpose(0, 2, 1, 3).reshape(images, TOKENS, WIDTH)
    h = x + attended @ exact["wo"]
    return nodes, constants | shapes, x, h + np.maximum(normalize(h) @ exact["wu"] + exact["bu"], 0) @ exact["wd"]


def pixels():
    """1x1 convolutions with activations: t [1, 12, 10, 14]."""
    constants = {"w": random(24, 8, 1, 1), "b": random(24), "v": random(12, 24, 1, 1)}
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["c"]), helper.make_node("Relu", ["c"], ["r"]),
             helper.make_node("Conv", ["r", "v"], ["t"])]
    x = random(1, 8, 10, 14)
    inner = np.einsum("nchw,oc->nohw", x.astype(np.float64), constants["w"][:, :, 0, 0]) + constants["b"][:, None, None]
    return nodes, constants, x, np.einsum("nchw,oc->nohw", np.maximum(inner, 0), constants["v"][:, :, 0, 0])


# What computes t, what is selected of it, and whether only that is computed
CASES = [("first token", encoder(1, False), gather(1, 0), True),
         ("last token", encoder(2, False), gather(1, -1), True),
         ("a token in between", encoder(1, False), gather(1, 7), True),
         ("two last tokens", encoder(2, False), slices(1, -2, 1 << 40), True),
         ("tokens in between", encoder(1, False), slices(1, 3, 6), True),
         ("last token of a causal layer", encoder(1, True), gather(1, TOKENS - 1), True),
         ("first token of a causal layer", encoder(1, True), gather(1, 0), True),
         ("all tokens but one", encoder(1, False), slices(1, 1, TOKENS), False),
         ("second sample", encoder(3, False), gather(0, 1), True),
         ("some channels", encoder(1, False), slices(2, 4, 9), False),  # columns of a weight, which is packed whole
         ("some lines", pixels(), slices(2, 3, 5), False)]              # convolutions stay whole

failed = False
for number, (name, (nodes, constants, x, whole), (selecting, indices, select), is_early) in enumerate(CASES):
    expected = select(whole)
    path = f"{folder}/selection{number}"
    initializers = [numpy_helper.from_array(np.asarray(value), key) for key, value in (constants | indices).items()]
    infos = [helper.make_tensor_value_info(key, TensorProto.FLOAT, value.shape) for key, value in (("x", x), ("y", expected))]
    graph = helper.make_graph([*nodes, *selecting], "g", infos[:1], infos[1:], initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path + ".onnx")
    np.save(path + "-x.npy", x)
    run = subprocess.run([lathe, "run", path + ".onnx", f"--target={target}", f"--output-dir={folder}", "--remarks",
                          "--input", f"x={path}-x.npy"], capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"{name}: {run.stderr}")
    error = np.abs(np.load(f"{folder}/y.npy") - expected).max() / np.abs(expected).max()
    early = run.stderr.count("SelectEarly")
    wrong = bool(not error <= 3e-6 or (early > 0) != is_early)
    failed |= wrong
    print(f"{name}: {early} ops, {error:.1e} of 3e-06{'  FAILED' if wrong else ''}")
sys.exit(failed)
