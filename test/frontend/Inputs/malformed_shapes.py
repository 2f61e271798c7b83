"""Compiles models of one node whose attributes or shapes contradict its operator: malformed_shapes.py FOLDER LATHE. Each has to be
refused by an error that says why; memory and time are limited, as sizes in a file may be anything."""
import resource
import subprocess
import sys

import numpy as np
from onnx import TensorProto, helper

from models import F, I, microsoft, model, node, tensor, value

B = TensorProto.BOOL
U = TensorProto.UINT8
FAR = 1 << 62


def one(op, inputs, constants=(), outputs=("y",), opset=17, names=None, **attributes):
    """A node on inputs (name, shape, kind...) and constants (name, elements), in the order of `names`."""
    made = node(op, names or [name for name, *_ in (*inputs, *constants)], list(outputs), name="the_node", **attributes)
    return model([made], [value(*x) for x in inputs], [helper.ValueInfoProto(name=o) for o in outputs], [tensor(*c) for c in constants],
                 opset)


def scan(batch, inputs=("", "x"), outputs=("y",), scanned=1):
    body = helper.make_graph([node("Identity", ["next"], ["each"])], "body", [value("next", (2,))], [value("each", (2,))])
    x = value("x", (batch, 3, 2))
    return model([node("Scan", list(inputs), list(outputs), name="the_node", num_scan_inputs=scanned, body=body)], [x],
                 [helper.ValueInfoProto(name=o) for o in outputs] or [x], opset=8)


IMAGE = ("x", (1, 4, 8, 8))
WEIGHT = ("w", np.ones((4, 4, 3, 3), np.float32))


def conv(**attributes):
    return one("Conv", [IMAGE], [WEIGHT], **attributes)


CASES = {
    # Numbers of inputs, outputs and nodes.
    "expected at least 2 inputs, but got 0": lambda: scan(2, inputs=(), scanned=0),
    "expected at least 1 output, but got none": lambda: scan(2, outputs=()),
    "expected attributes 'num_scan_inputs' and 'body' that fit the inputs": lambda: scan(2, scanned=-(1 << 63)),
    "expected a batch of 1 to 1024, but got 1099511627776": lambda: scan(1 << 40),
    "expected one result without training_mode, but got 2": lambda: one(
        "BatchNormalization", [IMAGE, *((n, (4,)) for n in "sbmv")], outputs=("y", "z"), training_mode=0),
    # Ranks and sizes.
    "expected a result of rank 64 or less, but got rank 1099511627776": lambda: one("ConstantOfShape", [("s", (1 << 40,), I)]),
    "expected a result of rank 64 or less, but got rank 65": lambda: one("Expand", [("x", (2,)), ("s", (65,), I)]),
    "expected a result of rank 64 or less, but got rank 66": lambda: one("Reshape", [("x", (2,)), ("s", (66,), I)]),
    "expected sizes of 0 or more, but got [3, 4, -2, 2]": lambda: one(
        "RoiAlign", [IMAGE, ("r", (3, 4)), ("b", (3,), I)], output_height=-2, output_width=2),
    "expected regions of 4 coordinates and the image of each": lambda: one(
        "RoiAlign", [IMAGE, ("r", (3, 2)), ("b", (3,), I)], output_height=2, output_width=2),
    "expected a block size from 1 to 2^31 - 1, but got 4294967296": lambda: one("DepthToSpace", [IMAGE], blocksize=1 << 32),
    "expected a delta whose magnitude fits 64 bits, but got -9223372036854775808": lambda: one(
        "Range", [], [(n, np.int64(x)) for n, x in zip("abc", (0, 5, -(1 << 63)))]),
    "expected tensors of at most 2^48 elements, but got [n * 281474976710656]": lambda: one(
        "Tile", [("x", ("n",))], [("r", np.int64([1 << 48]))]),
    "expected 0 to 2^48 repeats, but got 4611686018427387904": lambda: one("Tile", [("x", (4,))], [("r", np.int64([FAR]))]),
    "expected 0 to 2^48 repeats, but got -1": lambda: one("Tile", [("x", (4,))], [("r", np.int64([-1]))]),
    "expected sizes of 0 or more, but got [-1]": lambda: one("Pad", [("x", (4,))], [("p", np.int64([-5, 0]))]),
    # Windows and signals.
    "expected values below 2^31 in dilations, but got 4611686018427387904": lambda: conv(dilations=[FAR, 1]),
    "expected values below 2^31 in pads, but got 1099511627776": lambda: conv(pads=[1 << 40, 0, 0, 0]),
    "expected values below 2^31 in kernel_shape, but got 4294967297": lambda: one(
        "MaxPool", [IMAGE], kernel_shape=[(1 << 32) + 1, 1]),
    "expected at least one filter of at least one channel, but got none": lambda: one(
        "Conv", [IMAGE], [("w", np.ones((0, 4, 3, 3), np.float32))]),
    "expected an index for each element, but got another shape": lambda: one(
        "MaxUnpool", [("x", (1, 1, 2, 2)), ("i", (1, 1, 3, 3), I)], kernel_shape=[2, 2]),
    "expected positive sizes of blocks that fit the image, but got -2": lambda: one(
        "Col2Im", [("x", (1, 4, 4))], [("i", np.int64([3, 3])), ("b", np.int64([-2, -2]))], opset=18),
    "expected a window of rank 1, but got rank 0": lambda: one(
        "STFT", [("x", (1, 128, 1)), ("w", ())], [("s", np.int64(8))], names=["x", "s", "w"]),
    "expected samples of 1 or 2 numbers, but got 3": lambda: one(
        "STFT", [("x", (1, 128, 3)), ("w", (16,))], [("s", np.int64(8))], names=["x", "s", "w"]),
    # Scales.
    "expected scales from 2^-31 to 2^31, but got": lambda: one(
        "Resize", [("x", (1, 1, "n", 4))], [("s", np.float32([1, 1, 1e-30, 1]))], names=["x", "", "s"]),
    # Einsum.
    "expected letters for dimensions, but got `i1`": lambda: one("Einsum", [("x", (2, 3))], equation="i1->i"),
    "expected output indices that an operand has, each once, but got `ii`": lambda: one("Einsum", [("x", (2,))], equation="i->ii"),
    # Norms.
    "expected an input of rank 2 or more, but got rank 1": lambda: one("LRN", [("x", (4,))], size=3),
    "expected a size from 1 to 2^31 - 1, but got -3": lambda: one("LRN", [IMAGE], size=-3),
    "has sizes 8 and 3 that do not broadcast": lambda: one("LayerNormalization", [("x", (1, 4, 8)), ("s", (8,)), ("b", (3,))]),
    # Scales and zero points.
    "expected an axis in [-1, 1), but got -2147483648": lambda: one(
        "DequantizeLinear", [("x", (5,), U), ("s", ()), ("z", (5,), U)], axis=-(1 << 31)),
    "expected an axis in [-1, 1), but got 1": lambda: one("QuantizeLinear", [("x", (5,)), ("s", (5,))]),
    "expected 8 scales along axis 2, but got 4": lambda: one("DequantizeLinear", [("x", (1, 4, 8), U), ("s", (4,))], axis=2),
    "expected 4 zero points along axis 1, but got 5": lambda: one(
        "QuantizeLinear", [("x", (1, 4, 8)), ("s", (4,)), ("z", (5,), U)]),
    "expected one for the tensor, one for each slice, or blocks, but got scales of rank 1": lambda: one(
        "QuantizeLinear", [("x", (4, 8)), ("s", (2,))], opset=21, block_size=2),
    "expected 2 scales along axis 1, but got 3": lambda: one("QuantizeLinear", [("x", (4, 8)), ("s", (4, 3))], opset=21, block_size=4),
    "expected a block size of 0 or more, but got -4": lambda: one(
        "QuantizeLinear", [("x", (4, 8)), ("s", (4, 2))], opset=21, block_size=-4),
}


def limit():
    """Sizes in a file may be anything: a process may not take all memory, or for ever."""
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))


def check(cases, folder, command):
    """Runs a command on models, by what has to be said of each, and exits with what it did not say."""
    wrong = []
    for message, make in cases.items():
        with open(f"{folder}/model.onnx", "wb") as file:
            file.write(make().SerializeToString())
        done = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True)
        if done.returncode != 1 or message not in done.stderr:
            wrong.append(f"expected exit status 1 and '{message}', but got {done.returncode} and {done.stderr[:400]}")
    sys.exit("\n".join(wrong) or None)


if __name__ == "__main__":
    check(CASES, sys.argv[1], [sys.argv[2], "compile", f"{sys.argv[1]}/model.onnx", "-o", f"{sys.argv[1]}/model.o"])
