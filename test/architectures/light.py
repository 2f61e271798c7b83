#!/usr/bin/python3
"""Writes the topologies of ONNX's first model zoo, narrower and with random weights, and values that torch computes.

    light.py FOLDER [NAME...]      writes FOLDER/NAME.onnx, FOLDER/NAME-input.npy and FOLDER/NAME-output.npy

They are in the form of opset 8, as exporters of 2017 and 2018 wrote it: Reshape before fully connected layers, scale and
shift of batch normalisations apart, Dropout with a mask, Softmax over all dimensions behind the first.
"""
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

WIDTH = 8  # channels are divided by this


class Net:
    """Adds nodes and computes what they do at the same time: a value is its name and a tensor."""

    def __init__(self, size=224):
        self.random = torch.Generator().manual_seed(8)
        self.nodes, self.constants = [], []
        self.input = torch.randn(1, 3, size, size, generator=self.random)

    def start(self):
        return "input", self.input

    def constant(self, array):
        name = f"w{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, op, inputs, result, outputs=1, **attributes):
        name = f"v{len(self.nodes)}"
        names = [name] + [f"{name}_{i}" for i in range(1, outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=f"{op}_{len(self.nodes)}", **attributes))
        return name, result

    def weight(self, *shape):
        fan = int(np.prod(shape[1:]))
        return torch.randn(*shape, generator=self.random) * (2 / fan) ** 0.5

    def conv(self, x, channels, kernel, stride=1, pad=0, group=1, bias=True):
        name, value = x
        w = self.weight(channels, value.shape[1] // group, kernel, kernel)
        b = torch.randn(channels, generator=self.random) * 0.1 if bias else None
        inputs = [name, self.constant(w.numpy())] + ([self.constant(b.numpy())] if bias else [])
        return self.node("Conv", inputs, F.conv2d(value, w, b, stride, pad, 1, group), kernel_shape=[kernel] * 2,
                         strides=[stride] * 2, pads=[pad] * 4, group=group)

    def relu(self, x):
        return self.node("Relu", [x[0]], F.relu(x[1]))

    def batch_norm(self, x, scale_apart=False):
        name, value = x
        count = value.shape[1]
        mean, variance = value.mean((0, 2, 3)), value.var((0, 2, 3)) + 0.1
        scale, shift = 1 + 0.1 * self.weight(count, 1)[:, 0], 0.1 * self.weight(count, 1)[:, 0]
        ones, zeros = torch.ones(count), torch.zeros(count)
        first = (ones, zeros) if scale_apart else (scale, shift)
        inputs = [name] + [self.constant(t.numpy()) for t in (*first, mean, variance)]
        x = self.node("BatchNormalization", inputs, F.batch_norm(value, mean, variance, *first, eps=1e-5), epsilon=1e-5)
        if not scale_apart:
            return x
        for op, parameter in (("Mul", scale), ("Add", shift)):
            column = self.node("Unsqueeze", [self.constant(parameter.numpy())], parameter[:, None, None], axes=[1, 2])
            result = x[1] * column[1] if op == "Mul" else x[1] + column[1]
            x = self.node(op, [x[0], column[0]], result)
        return x

    def lrn(self, x):
        return self.node("LRN", [x[0]], F.local_response_norm(x[1], 5, 1e-4, 0.75, 1.0), size=5, alpha=1e-4, beta=0.75, bias=1.0)

    def max_pool(self, x, kernel=3, stride=2, pads=(0, 0, 0, 0)):
        top, left, bottom, right = pads
        padded = F.pad(x[1], (left, right, top, bottom), value=-torch.inf)
        return self.node("MaxPool", [x[0]], F.max_pool2d(padded, kernel, stride), kernel_shape=[kernel] * 2,
                         strides=[stride] * 2, pads=list(pads))

    def average_pool(self, x, kernel, stride=1, pad=0):
        result = F.avg_pool2d(x[1], kernel, stride, pad, count_include_pad=False)
        return self.node("AveragePool", [x[0]], result, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4)

    def global_pool(self, x):
        return self.node("GlobalAveragePool", [x[0]], x[1].mean((2, 3), keepdim=True))

    def concat(self, parts):
        return self.node("Concat", [name for name, _ in parts], torch.cat([value for _, value in parts], 1), axis=1)

    def sum(self, a, b):
        return self.node("Sum", [a[0], b[0]], a[1] + b[1])

    def reshape(self, x, shape):
        return self.node("Reshape", [x[0], self.constant(np.int64(shape))], x[1].reshape(shape))

    def shuffle(self, x, groups):
        _, channels, height, width = x[1].shape
        x = self.reshape(x, [1, groups, channels // groups, height, width])
        x = self.node("Transpose", [x[0]], x[1].transpose(1, 2), perm=[0, 2, 1, 3, 4])
        return self.reshape(x, [1, channels, height, width])

    def dropout(self, x):
        return self.node("Dropout", [x[0]], x[1], outputs=2, ratio=0.5)

    def dense(self, x, outputs):
        x = self.reshape(x, [1, -1])
        w, b = self.weight(outputs, x[1].shape[1]), torch.randn(outputs, generator=self.random) * 0.1
        return self.node("Gemm", [x[0], self.constant(w.numpy()), self.constant(b.numpy())], x[1] @ w.T + b, transB=1)

    def softmax(self, x):
        return self.node("Softmax", [x[0]], torch.softmax(x[1].flatten(1), 1).reshape(x[1].shape))

    def save(self, folder, name, x):
        self.nodes[-1].output[0] = "output"
        graph = helper.make_graph(self.nodes, name, [helper.make_tensor_value_info("input", TensorProto.FLOAT, self.input.shape)],
                                  [helper.make_tensor_value_info("output", TensorProto.FLOAT, x[1].shape)], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 8)], ir_version=3, producer_name="light")
        for tensor in self.constants:  # before version 4, initialisers were inputs, too
            graph_input = model.graph.input.add()
            graph_input.CopyFrom(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
        onnx.save(model, str(folder / f"{name}.onnx"))
        np.save(folder / f"{name}-input.npy", self.input.numpy())
        np.save(folder / f"{name}-output.npy", x[1].numpy())


def classify(n, x, hidden):
    for _ in range(2):
        x = n.dropout(n.relu(n.dense(x, hidden // WIDTH)))
    return n.softmax(n.dense(x, 1000 // WIDTH))


def bvlc_alexnet(n):
    x = n.max_pool(n.lrn(n.relu(n.conv(n.start(), 96 // WIDTH, 11, 4))))
    x = n.max_pool(n.lrn(n.relu(n.conv(x, 256 // WIDTH, 5, pad=2, group=2))))
    x = n.relu(n.conv(x, 384 // WIDTH, 3, pad=1))
    x = n.relu(n.conv(x, 384 // WIDTH, 3, pad=1, group=2))
    x = n.max_pool(n.relu(n.conv(x, 256 // WIDTH, 3, pad=1, group=2)))
    return classify(n, x, 4096)


def zfnet512(n):
    x = n.max_pool(n.lrn(n.relu(n.conv(n.start(), 96 // WIDTH, 7, 2))), pads=(0, 0, 1, 1))
    x = n.max_pool(n.lrn(n.relu(n.conv(x, 256 // WIDTH, 5, 2))), pads=(0, 0, 1, 1))
    for channels in (512, 1024, 512):
        x = n.relu(n.conv(x, channels // WIDTH, 3, pad=1))
    return classify(n, n.max_pool(x), 4096)


def vgg19(n):
    x = n.start()
    for channels, count in ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4)):
        for _ in range(count):
            x = n.relu(n.conv(x, channels // WIDTH, 3, pad=1))
        x = n.max_pool(x, 2)
    return classify(n, x, 4096)


def squeezenet(n):
    def fire(x, squeeze, expand):
        x = n.relu(n.conv(x, squeeze // WIDTH, 1))
        return n.concat([n.relu(n.conv(x, expand // WIDTH, 1)), n.relu(n.conv(x, expand // WIDTH, 3, pad=1))])

    x = n.max_pool(n.relu(n.conv(n.start(), 64 // WIDTH, 3, 2)))
    x = n.max_pool(fire(fire(x, 16, 64), 16, 64))
    x = n.max_pool(fire(fire(x, 32, 128), 32, 128))
    for squeeze, expand in ((48, 192), (48, 192), (64, 256), (64, 256)):
        x = fire(x, squeeze, expand)
    x = n.relu(n.conv(n.dropout(x), 1000 // WIDTH, 1))
    return n.softmax(n.global_pool(x))


def resnet50(n):
    def unit(x, channels, stride, first):
        y = n.relu(n.batch_norm(n.conv(x, channels // WIDTH, 1, stride, bias=False)))
        y = n.relu(n.batch_norm(n.conv(y, channels // WIDTH, 3, pad=1, bias=False)))
        y = n.batch_norm(n.conv(y, 4 * channels // WIDTH, 1, bias=False))
        if first:
            x = n.batch_norm(n.conv(x, 4 * channels // WIDTH, 1, stride, bias=False))
        return n.relu(n.sum(y, x))

    x = n.max_pool(n.relu(n.batch_norm(n.conv(n.start(), 64 // WIDTH, 7, 2, 3, bias=False))), pads=(1, 1, 1, 1))
    for stage, (channels, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for i in range(count):
            x = unit(x, channels, 2 if stage and not i else 1, not i)
    return n.softmax(n.dense(n.average_pool(x, 7), 1000 // WIDTH))


def densenet121(n):
    def layer(x, channels, kernel, pad):
        return n.conv(n.relu(n.batch_norm(x, scale_apart=True)), channels // WIDTH, kernel, pad=pad, bias=False)

    x = n.max_pool(n.relu(n.batch_norm(n.conv(n.start(), 64 // WIDTH, 7, 2, 3, bias=False), True)), pads=(1, 1, 1, 1))
    for stage, count in enumerate((6, 12, 24, 16)):
        for _ in range(count):
            x = n.concat([x, layer(layer(x, 128, 1, 0), 32, 3, 1)])
        if stage < 3:
            x = n.average_pool(layer(x, x[1].shape[1] // 2 * WIDTH, 1, 0), 2, 2)
    x = n.relu(n.batch_norm(x, True))
    return n.conv(n.global_pool(x), 1000 // WIDTH, 1)


def inception_v1(n):
    def conv(x, channels, kernel=1, pad=0):
        return n.relu(n.conv(x, channels // WIDTH, kernel, pad=pad))

    def block(x, one, three_in, three, five_in, five, pooled):
        return n.concat([conv(x, one), conv(conv(x, three_in), three, 3, 1), conv(conv(x, five_in), five, 5, 2),
                         conv(n.max_pool(x, 3, 1, (1, 1, 1, 1)), pooled)])

    corner = (0, 0, 1, 1)
    x = n.lrn(n.max_pool(n.relu(n.conv(n.start(), 64 // WIDTH, 7, 2, 3)), pads=corner))
    x = n.max_pool(n.lrn(conv(conv(x, 64), 192, 3, 1)), pads=corner)
    x = block(x, 64, 96, 128, 16, 32, 32)
    x = n.max_pool(block(x, 128, 128, 192, 32, 96, 64), pads=corner)
    for sizes in ((192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64),
                  (112, 144, 288, 32, 64, 64)):
        x = block(x, *sizes)
    x = n.max_pool(block(x, 256, 160, 320, 32, 128, 128), pads=corner)
    x = block(block(x, 256, 160, 320, 32, 128, 128), 384, 192, 384, 48, 128, 128)
    return n.softmax(n.dense(n.dropout(n.average_pool(x, 7)), 1000 // WIDTH))


def inception_v2(n):
    def conv(x, channels, kernel=1, stride=1, pad=0):
        return n.relu(n.batch_norm(n.conv(x, channels // WIDTH, kernel, stride, pad), scale_apart=True))

    def block(x, one, three_in, three, five_in, five, pooled):
        return n.concat([conv(x, one), conv(conv(x, three_in), three, 3, 1, 1),
                         conv(conv(conv(x, five_in), five, 3, 1, 1), five, 3, 1, 1), conv(n.average_pool(x, 3, 1, 1), pooled)])

    def reduce(x, three_in, three, five_in, five):
        return n.concat([conv(conv(x, three_in), three, 3, 2, 1), conv(conv(conv(x, five_in), five, 3, 1, 1), five, 3, 2, 1),
                         n.max_pool(x, pads=(0, 0, 1, 1))])

    x = n.max_pool(conv(n.start(), 64, 7, 2, 3), pads=(0, 0, 1, 1))
    x = n.max_pool(conv(conv(x, 64), 192, 3, 1, 1), pads=(0, 0, 1, 1))
    x = block(block(x, 64, 64, 64, 64, 96, 32), 64, 64, 96, 64, 96, 64)
    x = reduce(x, 128, 160, 64, 96)
    for sizes in ((224, 64, 96, 96, 128, 128), (192, 96, 128, 96, 128, 128), (160, 128, 160, 128, 160, 96),
                  (96, 128, 192, 160, 192, 96)):
        x = block(x, *sizes)
    x = reduce(x, 128, 192, 192, 256)
    x = block(block(x, 352, 192, 320, 160, 224, 128), 352, 192, 320, 192, 224, 128)
    return n.softmax(n.dense(n.average_pool(x, 7), 1000 // WIDTH))


def shufflenet(n):
    groups = 3

    def unit(x, channels, stride, group):
        middle = channels // 4
        y = n.relu(n.batch_norm(n.conv(x, middle, 1, group=group, bias=False)))
        if group > 1:
            y = n.shuffle(y, group)
        y = n.batch_norm(n.conv(y, middle, 3, stride, 1, group=middle, bias=False))
        rest = channels - (x[1].shape[1] if stride == 2 else 0)
        y = n.batch_norm(n.conv(y, rest, 1, group=groups, bias=False))
        if stride == 2:
            return n.relu(n.concat([n.average_pool(x, 3, 2, 1), y]))
        return n.relu(n.sum(x, y))

    x = n.max_pool(n.relu(n.batch_norm(n.conv(n.start(), 24, 3, 2, 1, bias=False))), pads=(1, 1, 1, 1))
    for stage, (channels, count) in enumerate(((60, 4), (120, 8), (240, 4))):
        for i in range(count):
            x = unit(x, channels, 1 if i else 2, groups if stage or i else 1)
    return n.softmax(n.dense(n.average_pool(x, 7), 1000 // WIDTH))


NETS = [bvlc_alexnet, densenet121, inception_v1, inception_v2, resnet50, shufflenet, squeezenet, vgg19, zfnet512]


def main():
    folder = Path(sys.argv[1])
    with torch.no_grad():
        for make in NETS:
            if make.__name__ in (sys.argv[2:] or [m.__name__ for m in NETS]):
                net = Net()
                net.save(folder, make.__name__, make(net))


if __name__ == "__main__":
    main()
