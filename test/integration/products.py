"""Models of products with constant weights, and what numpy computes for them: shared by check-bf16.py and check-f16.py."""
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Rows around those of tiles, whole and partial panels, reductions around a chunk of 32: (rows, size, columns).
MATRICES = ((1, 64, 64), (2, 128, 72), (13, 96, 80), (16, 32, 64), (17, 80, 96), (33, 24, 65), (40, 200, 64), (197, 64, 100),
            (64, 37, 64), (5, 7, 130), (47, 1024, 112), (300, 360, 64))
# Windows, strides, groups; lines around the rows of a tile, of which short ones share tiles:
# (channels, size, outputs, kernel, stride, pad, dilation, group).
CONVOLUTIONS = ((3, 32, 32, 7, 2, 3, 1, 1), (16, 14, 48, 3, 1, 1, 1, 1), (64, 7, 64, 3, 1, 1, 1, 1), (32, 28, 32, 3, 1, 1, 1, 1),
                (64, 14, 72, 1, 1, 0, 1, 1), (40, 28, 256, 1, 2, 0, 1, 1), (48, 14, 64, 3, 2, 1, 1, 1), (32, 9, 32, 3, 1, 2, 2, 1),
                (64, 10, 64, 3, 1, 1, 1, 2), (32, 34, 16, 5, 1, 0, 1, 1), (96, 3, 64, 3, 1, 1, 1, 1), (24, 40, 32, 3, 2, 1, 1, 1),
                (36, 16, 64, 3, 1, 1, 1, 1), (64, 1, 64, 1, 1, 0, 1, 1))


class Model:
    """A model of inputs, constants and nodes, in `folder`, and the arguments of `lathe run` that give it its inputs."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.nodes, self.inputs, self.outputs, self.constants, self.arguments = [], [], [], [], []
        self.count = 0
        self.expected = {}

    def value(self, kind, array, symbolic=None):
        """An input ("x"), or an output ("y") that is expected to be `array`; with `symbolic`, that dimension's size is not known."""
        self.count += 1
        name = f"{kind}{self.count}"
        path = f"{self.folder}/{self.name}-{name}.npy"
        np.save(path, array.astype(np.float32))
        shape = list(array.shape)
        if symbolic is not None:
            shape[symbolic] = f"n{array.shape[symbolic]}"
        info = helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        if kind == "x":
            self.inputs.append(info)
            self.arguments.append(f"--input={name}={path}")
        else:
            self.outputs.append(info)
            self.expected[name] = path
        return name

    def constant(self, array):
        self.count += 1
        self.constants.append(numpy_helper.from_array(array.astype(np.float32), f"c{self.count}"))
        return f"c{self.count}"

    def node(self, kind, inputs, output=None, **attributes):
        self.count += 1
        output = output or f"v{self.count}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def probe(self, lathe, runner, wanted, *options):
        """The MLIR after `compress`, with `wanted` in it. Ends the test as skipped where the target has no such products, or this
        machine none."""
        text = subprocess.run([lathe, "compile", self.save(), "--compile-to=compress", "--emit=mlir", "-o", "-", *options],
                              check=True, capture_output=True, text=True).stdout
        if wanted not in text:
            print(f"the target has no products with '{wanted}'")
            sys.exit(77)
        result = subprocess.run(self.command(runner, f"--output-dir={self.folder}", *options), check=False, capture_output=True,
                                text=True)
        if "on this machine" in result.stderr:
            print(result.stderr)
            sys.exit(77)
        return text

    def save(self):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        path = f"{self.folder}/{self.name}.onnx"
        onnx.save(model, path)
        return path

    def command(self, runner, *options):
        """Saves the model; the command that runs it."""
        return [runner, "run", self.save(), *options, *self.arguments]

    def matches(self, runner, rtol, atol, *options):
        """Whether each element is the expected one within `atol` and `rtol` of it."""
        checks = [f"--check={name}={path}" for name, path in self.expected.items()]
        command = self.command(runner, f"--rtol={rtol}", f"--atol={atol}", *options)
        result = subprocess.run([*command, *checks], check=False)
        print(self.name, *options, "failed" if result.returncode else "passed", flush=True)
        return result.returncode == 0


def conv(x, weight, stride=1, pad=0, dilation=1, group=1):
    """A convolution of `x` [N, C, H, W] in f64."""
    x = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    outputs, channels, kh, kw = weight.shape
    height = (x.shape[2] - dilation * (kh - 1) - 1) // stride + 1
    width = (x.shape[3] - dilation * (kw - 1) - 1) // stride + 1
    y = np.zeros((x.shape[0], outputs, height, width))
    for g in range(group):
        out = slice(g * outputs // group, (g + 1) * outputs // group)
        for i in range(kh):
            for j in range(kw):
                window = x[:, g * channels:(g + 1) * channels, i * dilation:, j * dilation:]
                window = window[:, :, :(height - 1) * stride + 1:stride, :(width - 1) * stride + 1:stride]
                y[:, out] += np.einsum("nchw,oc->nohw", window, weight[out, :, i, j].astype(np.float64))
    return y
