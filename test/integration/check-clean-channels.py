#!/usr/bin/python3
"""Widens layers of a model by channels that change nothing, and checks that compilation takes them out again.

    check-clean-channels.py LATHE MODEL.onnx INPUT.npy [FLAGS...]

Planted in each layer: a channel of zeros, one that nobody reads, the double of another one with half of the weights
that read it and, where no padding follows, one that holds 2 whatever the input is. The outputs must be those of the
model as it was, to 1e-5, the remarks must tell what was removed, and the code must be of the same size.
"""
import json
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper

lathe, path, data, *flags = sys.argv[1:]
model = onnx.load(path)
tensors = {i.name: i for i in model.graph.initializer}
random = np.random.default_rng(0)
EPSILON = 1e-5  # of the batch normalisations


def get(name):
    return numpy_helper.to_array(tensors[name]).copy()


def put(name, value):
    tensors[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))


def widen(name, axis, columns):
    """Appends slices along an axis; None for random numbers, a number for all elements."""
    value = get(name)
    shape = [n for i, n in enumerate(value.shape) if i != axis]
    new = [random.normal(size=shape) * 0.1 if column is None else np.broadcast_to(column, shape) for column in columns]
    put(name, np.concatenate([value, np.stack(new, axis)], axis))


def widen_norm(prefix, biases, twin):
    for part, columns in (("weight", [1.0] * 3), ("running_mean", [0.0] * 3), ("running_var", [1.0 - EPSILON] * 3),
                          ("bias", biases)):
        name = f"{prefix}.{part}"
        widen(name, 0, columns + [get(name)[twin]])


def halve(name, axis, twin):
    """Halves the slice that reads a channel and returns what its double gets."""
    value = get(name)
    row = np.take(value, twin, axis) / 2
    value[(slice(None),) * axis + (twin,)] = row
    put(name, value)
    return row


def plant_resnet(block):
    """The hidden layer of a residual block, which a padded convolution reads: zero, constant, unread, double."""
    twin = 3
    widen(f"{block}.a.0.weight", 0, [0.0, 0.0, None, get(f"{block}.a.0.weight")[twin]])
    widen_norm(f"{block}.a.1", [0.0, -2.0, 1.0], twin)  # relu makes 0 of -2
    widen(f"{block}.b.0.weight", 1, [None, None, 0.0, halve(f"{block}.b.0.weight", 1, twin)])
    return "Constant=2, Duplicate=1, Removed=4, Units={}, Unread=1", len(get(f"{block}.a.1.bias"))


def plant_mobilenet(block):
    """The expansion of an inverted residual, through its depthwise filter and, where it has one, its excitation."""
    twin = 5
    widen(f"{block}.body.0.0.weight", 0, [0.0, 0.0, None, get(f"{block}.body.0.0.weight")[twin]])
    widen_norm(f"{block}.body.0.1", [0.0, -2.0, 1.0], twin)
    filters = f"{block}.body.1.0.weight"
    excited = f"{block}.body.2.down.weight" in tensors
    # Without excitation the second channel is 2 behind the filter, which is zero: the norm that follows the reader
    # takes that off its mean.
    widen(filters, 0, [None, 0.0, None, get(filters)[twin]])
    widen_norm(f"{block}.body.1.1", [0.0, 0.0 if excited else 2.0, 1.0], twin)
    reader = f"{block}.body.3.0.weight"
    constant = random.normal(size=get(reader).shape[:1] + (1, 1)) * 0.1
    if not excited:
        put(f"{block}.body.3.1.running_mean", get(f"{block}.body.3.1.running_mean") + 2 * constant[:, 0, 0])
    widen(reader, 1, [None, constant, 0.0, halve(reader, 1, twin)])
    if excited:
        down, up = f"{block}.body.2.down.weight", f"{block}.body.2.up"
        widen(down, 1, [None, None, 0.0, halve(down, 1, twin)])
        widen(f"{up}.weight", 0, [None, None, None, get(f"{up}.weight")[twin]])
        widen(f"{up}.bias", 0, [0.5, 0.5, 0.5, get(f"{up}.bias")[twin]])
    for node in model.graph.node:
        if filters in node.input:
            next(a for a in node.attribute if a.name == "group").i += 4
    return "Constant=2, Duplicate=1, Removed=4, Units={}, Unread=1", len(get(f"{block}.body.0.1.bias"))


def plant_vit(block):
    """The hidden neurons of an MLP: 2 in front of the activation is 1.9545 behind it."""
    twin, gelu = 7, 2 * 0.9772498680518208
    bias, out = f"{block}.mlp.0.bias", f"{block}.mlp.2.bias"
    products = [n for n in model.graph.node if n.op_type == "MatMul" and n.input[1] in tensors]
    first = next(i for i, n in enumerate(products) if n.name.startswith(f"/{block}/mlp/"))
    up, down = products[first].input[1], products[first + 1].input[1]
    widen(up, 1, [0.0, 0.0, None, get(up)[:, twin]])
    widen(bias, 0, [0.0, 2.0, 1.0, get(bias)[twin]])
    constant = random.normal(size=get(down).shape[1]) * 0.1
    put(out, get(out) - gelu * constant)
    widen(down, 0, [None, constant, 0.0, halve(down, 0, twin)])
    return "Constant=2, Duplicate=1, Removed=4, Units={}, Unread=1", len(get(bias))


def run(args):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True, text=True)


with tempfile.TemporaryDirectory() as folder:
    options = [f"--input=input={data}", *flags]
    run([lathe, "run", path, *options, f"--output-dir={folder}"])
    plant, blocks = {"resnet": (plant_resnet, ["features.1", "features.4"]),
                     "mobilenet": (plant_mobilenet, ["features.1", "features.3"]),
                     "vit": (plant_vit, ["blocks.0", "blocks.5"])}[path.rsplit("_", 1)[1].split(".")[0]]
    expected = [plant(block) for block in blocks]
    del model.graph.value_info[:]
    planted = f"{folder}/planted.onnx"
    onnx.save(model, planted)
    result = run([lathe, "run", planted, *options, "--remarks", f"--check=logits={folder}/logits.npy", "--rtol=0",
                  "--atol=1e-5"])
    print(result.stdout, result.stderr)
    found = [line for line in (result.stdout + result.stderr).splitlines() if "CleanChannels" in line]
    for text, units in expected:
        if not any(text.format(units) in line for line in found):
            sys.exit(f"expected a remark with {text.format(units)}, but got {found}")
    sizes = []
    for number, source in enumerate((path, planted)):
        run([lathe, "compile", source, "--name=m", f"-o={folder}/{number}.o", *flags])
        sizes.append(len(open(f"{folder}/{number}.o", "rb").read()))
    if abs(sizes[0] - sizes[1]) > 4096:
        sys.exit(f"expected objects of one size, but got {sizes}")
