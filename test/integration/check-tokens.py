#!/usr/bin/python3
"""Compares `lathe run --token-merge --token-prune` with the papers' methods in numpy.

    check-tokens.py LATHE MODEL.onnx INPUT.npy [--token-merge=T] [--token-prune=T] [--pool=KIND] [FLAGS...]

MODEL is glyph_vit or a VisionTransformer of torchvision. With --pool its class is read in another way: by a `slice`, or not
at all but as the `mean` of all tokens or of the `patches`.
"""
import math
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import helper, numpy_helper

lathe, path, data, *rest = sys.argv[1:]
options = dict(flag[2:].split("=", 1) for flag in rest if flag.startswith(("--token-", "--pool=")))
flags = [flag for flag in rest if not flag.startswith("--pool=")]
pool = options.get("pool", "class")
model = onnx.load(path)
graph = model.graph
weights = {i.name: numpy_helper.to_array(i).astype(np.float64) for i in graph.initializer}
for node in graph.node:  # equal initializers are stored once
    if node.op_type == "Identity" and node.input[0] in weights:
        weights[node.output[0]] = weights[node.input[0]]
gelu = np.vectorize(lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2))))


class Glyph:
    """Test model glyph_vit: matrices are inputs of MatMul, in order."""
    heads, epsilon = 3, 1e-5
    patch, position, cls, last, head = "patch", "pos", "cls", "norm", "head"

    def __init__(self):
        self.products = [weights[n.input[1]] for n in graph.node if n.op_type == "MatMul" and n.input[1] in weights]
        self.depth = len(self.products) // 4

    def layer(self, index):
        name = f"blocks.{index}."
        biases = [weights[name + part + ".bias"] for part in ("attn.qkv", "attn.proj", "mlp.0", "mlp.2")]
        return (name + "norm1", name + "norm2", *zip(self.products[4 * index:4 * index + 4], biases))


class Torchvision:
    """torchvision.models.VisionTransformer: matrices are stored transposed."""
    epsilon = 1e-6
    patch, position, cls, last, head = "conv_proj", "encoder.pos_embedding", "class_token", "encoder.ln", "heads.head"

    def __init__(self):
        self.depth = sum(name.endswith("self_attention.in_proj_weight") for name in weights)
        self.heads = weights[self.last + ".weight"].size // 64  # as in ViT-B and ViT-L

    def layer(self, index):
        name = f"encoder.layers.encoder_layer_{index}."
        attention = name + "self_attention."
        pairs = [(attention + "in_proj_weight", attention + "in_proj_bias"),
                 *((part + ".weight", part + ".bias") for part in (attention + "out_proj", name + "mlp.0", name + "mlp.3"))]
        return (name + "ln_1", name + "ln_2", *((weights[w].T, weights[b]) for w, b in pairs))


form = Glyph() if "cls" in weights else Torchvision()


def norm(x, name):
    centered = x - x.mean(-1, keepdims=True)
    return (centered / np.sqrt((centered**2).mean(-1, keepdims=True) + form.epsilon) * weights[name + ".weight"] +
            weights[name + ".bias"])


def softmax(x):
    p = np.exp(x - x.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True)


def merge(x, metric, size, r):
    """Bipartite soft matching of one sample (Bolya et al. 2023); the first token is protected if it is the class."""
    r = min(r, (len(x) - 1) // 2)
    if r <= 0:
        return x, size
    metric = metric / np.linalg.norm(metric, axis=-1, keepdims=True)
    scores = metric[::2] @ metric[1::2].T
    if pool != "mean":
        scores[0] = -np.inf
    order = np.argsort(-scores.max(-1), kind="stable")
    left, merged = np.sort(order[r:]), order[:r]
    targets = scores.argmax(-1)[merged]
    total, weighted = size[1::2].copy(), (x * size[:, None])[1::2].copy()
    np.add.at(total, targets, size[::2][merged])
    np.add.at(weighted, targets, (x * size[:, None])[::2][merged])
    return (np.concatenate([x[::2][left], weighted / total[:, None]]), np.concatenate([size[::2][left], total]))


def prune(x, importance, size, keep):
    """Keeps what the class attends to and fuses the rest (Liang et al. 2022), here to a weighted mean."""
    kept = math.ceil(keep * (len(x) - 1) - 1e-9)
    if kept + 2 > len(x) - 1:
        return x, size
    order = 1 + np.argsort(-importance[1:], kind="stable")
    kept, fused = np.sort(order[:kept]), order[kept:]
    w = importance[fused]
    return (np.concatenate([x[:1], x[kept], (w @ x[fused] / w.sum())[None]]),
            np.concatenate([size[:1], size[kept], size[fused].sum(keepdims=True)]))


def read_numbers():
    """Tokens to merge and the share to keep in each layer."""
    text = options.get("token-merge", "0," * (form.depth - 1) + "0")
    numbers = [int(text[2:])] * form.depth if text.startswith("r:") else [int(n) for n in text.split(",")]
    shares = [1.0] * form.depth
    if "token-prune" in options:
        _, share, *layers = options["token-prune"].split(":")
        chosen = [int(n) for n in layers[0][7:].split(",")] if layers else [form.depth * i // 4 for i in (1, 2, 3)]
        for layer in chosen:
            shares[layer] = float(share)
    return numbers, shares


def run(image):
    numbers, shares = read_numbers()
    patch = weights[form.patch + ".weight"]
    count, channels, side, _ = patch.shape
    grid = image.reshape(channels, image.shape[1] // side, side, -1, side).transpose(1, 3, 0, 2, 4)
    x = grid.reshape(-1, channels * side * side) @ patch.reshape(count, -1).T + weights[form.patch + ".bias"]
    x = np.concatenate([weights[form.cls][0], x]) + weights[form.position][0]
    size, tokens = np.ones(len(x)), len(x)
    for layer in range(form.depth):
        first, second, qkv, proj, up, down = form.layer(layer)
        q, k, v = (norm(x, first) @ qkv[0] + qkv[1]).reshape(len(x), 3, form.heads, -1).transpose(1, 2, 0, 3)
        # Only merging makes later attention proportional.
        stands = np.log(size) if any(numbers[:layer]) else 0
        p = softmax(q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1]) + stands)
        x = x + (p @ v).transpose(1, 0, 2).reshape(len(x), -1) @ proj[0] + proj[1]
        x, size = merge(x, k.mean(0), size, numbers[layer])
        if shares[layer] < 1:
            x, size = prune(x, p[:, 0].mean(0), size, shares[layer])
        x = x + gelu(norm(x, second) @ up[0] + up[1]) @ down[0] + down[1]
    x = norm(x, form.last)
    weight = size if any(numbers) else np.full(len(x), tokens / len(x))
    pooled = {"mean": lambda: weight @ x / tokens, "patches": lambda: weight[1:] @ x[1:] / (tokens - 1)}
    return pooled.get(pool, lambda: x[0])() @ weights[form.head + ".weight"].T + weights[form.head + ".bias"]


def replace_pool(folder):
    """Writes the model with another reading of the tokens than Gather."""
    readers = [n for n in graph.node if n.op_type == "Gather" and any(a.name == "axis" and a.i == 1 for a in n.attribute)]
    gather = readers[-1]
    place = list(graph.node).index(gather)
    graph.node.remove(gather)
    for name, values in {"from": [0 if pool == "slice" else 1], "to": [1 if pool == "slice" else 2**31], "one": [1]}.items():
        graph.initializer.append(numpy_helper.from_array(np.array(values), "pool_" + name))
    sliced = helper.make_node("Slice", [gather.input[0], "pool_from", "pool_to", "pool_one"], ["pool_sliced"])
    mean = helper.make_node("ReduceMean", ["pool_sliced" if pool == "patches" else gather.input[0]], gather.output, axes=[1],
                            keepdims=0)
    squeeze = helper.make_node("Squeeze", ["pool_sliced", "pool_one"], gather.output)
    for node in reversed({"slice": [sliced, squeeze], "mean": [mean], "patches": [sliced, mean]}[pool]):
        graph.node.insert(place, node)
    onnx.save(model, folder + "/pool.onnx")
    return folder + "/pool.onnx"


images = np.load(data)
expected = np.stack([run(image) for image in images.astype(np.float64)]).astype(np.float32)
with tempfile.TemporaryDirectory() as folder:
    np.save(folder + "/expected.npy", expected)
    if pool != "class":
        path = replace_pool(folder)
    command = [lathe, "run", path, "--input", f"{graph.input[0].name}={data}", "--check",
               f"{graph.output[0].name}={folder}/expected.npy", "--rtol=1e-3", "--atol=1e-3", *flags]
    sys.exit(subprocess.run(command, check=False).returncode)
