#!/usr/bin/python3
"""Compares `lathe run --token-merge` with token merging as the paper's reference defines it, in numpy.

    check-token-merge.py LATHE glyph_vit.onnx INPUT.npy R,R,... [FLAGS...]
"""
import subprocess
import sys
import tempfile
from math import erf, sqrt

import numpy as np
import onnx
from onnx import numpy_helper

HEADS, DEPTH = 3, 8
lathe, path, data, numbers, *flags = sys.argv[1:]
numbers = [int(n) for n in numbers.split(",")]
graph = onnx.load(path).graph
weights = {i.name: numpy_helper.to_array(i).astype(np.float64) for i in graph.initializer}
products = [weights[n.input[1]] for n in graph.node if n.op_type == "MatMul" and n.input[1] in weights]
gelu = np.vectorize(lambda x: 0.5 * x * (1 + erf(x / sqrt(2))))


def norm(x, name):
    centered = x - x.mean(-1, keepdims=True)
    return centered / np.sqrt((centered**2).mean(-1, keepdims=True) + 1e-5) * weights[name + ".weight"] + weights[name + ".bias"]


def merge(x, metric, size, r):
    """Bipartite soft matching of one sample, the first token protected."""
    r = min(r, (len(x) - 1) // 2)
    if r <= 0:
        return x, size
    metric = metric / np.linalg.norm(metric, axis=-1, keepdims=True)
    scores = metric[::2] @ metric[1::2].T
    scores[0] = -np.inf
    order = np.argsort(-scores.max(-1), kind="stable")
    left, merged = np.sort(order[r:]), order[:r]
    targets = scores.argmax(-1)[merged]
    total, weighted = size[1::2].copy(), (x * size[:, None])[1::2].copy()
    np.add.at(total, targets, size[::2][merged])
    np.add.at(weighted, targets, (x * size[:, None])[::2][merged])
    return (np.concatenate([x[::2][left], weighted / total[:, None]]), np.concatenate([size[::2][left], total]))


def run(image):
    patch = weights["patch.weight"]
    side = patch.shape[2]
    blocks = image.reshape(image.shape[1] // side, side, -1, side).transpose(0, 2, 1, 3).reshape(-1, side * side)
    x = blocks @ patch.reshape(len(patch), -1).T + weights["patch.bias"]
    x = np.concatenate([weights["cls"][0], x]) + weights["pos"][0]
    size = np.ones(len(x))
    for layer in range(DEPTH):
        name = f"blocks.{layer}."
        qkv, proj, up, down = products[4 * layer:4 * layer + 4]
        q, k, v = (norm(x, name + "norm1") @ qkv + weights[name + "attn.qkv.bias"]).reshape(len(x), 3, HEADS, -1).transpose(1, 2, 0, 3)
        scores = q @ k.transpose(0, 2, 1) / sqrt(q.shape[-1]) + np.log(size)
        p = np.exp(scores - scores.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        x = x + (p @ v).transpose(1, 0, 2).reshape(len(x), -1) @ proj + weights[name + "attn.proj.bias"]
        x, size = merge(x, k.mean(0), size, numbers[layer] if len(numbers) > 1 else numbers[0])
        hidden = gelu(norm(x, name + "norm2") @ up + weights[name + "mlp.0.bias"])
        x = x + hidden @ down + weights[name + "mlp.2.bias"]
    return norm(x, "norm")[0] @ weights["head.weight"].T + weights["head.bias"]


images = np.load(data)
expected = np.stack([run(image) for image in images.astype(np.float64)]).astype(np.float32)
option = f"r:{numbers[0]}" if len(numbers) == 1 else ",".join(map(str, numbers))
with tempfile.TemporaryDirectory() as folder:
    np.save(folder + "/logits.npy", expected)
    command = [lathe, "run", path, "--token-merge=" + option, "--input", f"input={data}", "--check",
               f"logits={folder}/logits.npy", "--rtol=1e-3", "--atol=1e-3", *flags]
    sys.exit(subprocess.run(command, check=False).returncode)
