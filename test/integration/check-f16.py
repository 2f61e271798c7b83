#!/usr/bin/python3
"""Products of f16 against numpy in f64: how far `--precision=f16` is from the products of f32.

    check-f16.py LATHE FOLDER CPU-OPTION...
    LATHE=lathe EMULATOR="..." check-f16.py RUN_EMULATED FOLDER CPU-OPTION...

Exits with 77 where the options' target does not multiply f16, or not on this machine. r is 2^-11, the rounding of f16. Each element
is within (2 + BLOCK) * r of the sum of its products' magnitudes: 2 * r for rounding what is multiplied, and r for each of the products
that are added up in f16. The root of the mean squared error is at most three times what it is where what is multiplied is rounded and
nothing else; or, of sums that grow with each product, whose errors of that kind cancel, r / 4 of the results' own.
"""
import os
import subprocess
import sys

import numpy as np

import products
from products import Model

runner, folder, *options = sys.argv[1:]
lathe = os.environ.get("LATHE", runner)
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(1)
ROUNDING, BLOCK = 2.0 ** -11, 16  # nn::kHalfBlock
MOST_RATIO, MOST_RELATIVE = 3, 1 / 4
# A product of f16 below 2^-14 is rounded to a multiple of 2^-24, and the results' own f32 sums round, too.
SMALLEST, F32_ROUNDING = 2.0 ** -25, 2.0 ** -24


def rounded(values):
    return values.astype(np.float16).astype(np.float64)


def rms(values):
    return np.sqrt(np.mean(np.square(values)))


class Products(Model):
    """Products of one kind, each of an input and a constant, with what their errors are measured by."""

    def __init__(self, name):
        super().__init__(folder, name)
        self.cases = []

    def add(self, kind, multiply, x, weight, symbolic, **attributes):
        name = self.value("x", x, symbolic)
        exact = multiply(x.astype(np.float64), weight.astype(np.float64))
        y = self.node(kind, [name, self.constant(weight)], self.value("y", exact, symbolic), **attributes)
        size = weight[0].size if kind == "Conv" else weight.shape[0]
        self.cases.append((y, size, exact, multiply(np.abs(x).astype(np.float64), np.abs(weight).astype(np.float64)),
                           multiply(rounded(x), rounded(weight)) - exact))

    def check(self, *more):
        results = f"{folder}/{self.name}-results"
        os.makedirs(results, exist_ok=True)
        if subprocess.run(self.command(runner, "--precision=f16", f"--output-dir={results}", *options, *more), check=False, stdout=subprocess.DEVNULL).returncode:
            return False
        good, largest, widest = True, 0, 0
        for y, size, exact, magnitudes, rounding in self.cases:
            error = np.load(f"{results}/{y}.npy") - exact
            limit = ((2 + BLOCK) * ROUNDING + size * F32_ROUNDING) * magnitudes + size * SMALLEST
            share, ratio, relative = np.max(np.abs(error) / limit), rms(error) / rms(rounding), rms(error) / rms(exact) / ROUNDING
            largest = max(largest, share)
            if relative > MOST_RELATIVE:
                widest = max(widest, ratio)
            if not share <= 1 or not (ratio <= MOST_RATIO or relative <= MOST_RELATIVE):
                print(f"{self.name}: {y} of {exact.shape}: {share:.3f} of the bound, {ratio:.2f} times the rounding's error")
                good = False
        print(self.name, *more, f"at most {largest:.3f} of the bound, {widest:.2f} times the rounding's error", flush=True)
        return good


def matmul(x, weight):
    return x @ weight


def matrices(symbolic):
    model = Products("products" + ("-symbolic" if symbolic else ""))
    for rows, size, columns in products.MATRICES + ((3, 500, 8), (1, 333, 20)):
        x, weight = rng.standard_normal((rows, size)), rng.standard_normal((size, columns))
        model.add("MatMul", matmul, x.astype(np.float32), weight.astype(np.float32), 0 if symbolic else None)
    # Sums of positive numbers grow with each step.
    x, weight = rng.random((40, 512)), rng.random((512, 48)) - 0.25
    model.add("MatMul", matmul, x.astype(np.float32), weight.astype(np.float32), 0 if symbolic else None)
    x, weight = rng.standard_normal((3, 21, 48)), rng.standard_normal((48, 72))
    model.add("MatMul", matmul, x.astype(np.float32), weight.astype(np.float32), None)
    return model


def convolutions(symbolic):
    model = Products("convolutions" + ("-symbolic" if symbolic else ""))
    for channels, size, outputs, kernel, stride, pad, dilation, group in products.CONVOLUTIONS:
        x, weight = rng.standard_normal((2, channels, size, size)), rng.standard_normal((outputs, channels // group, kernel, kernel))
        multiply = lambda a, b, s=stride, p=pad, d=dilation, g=group: products.conv(a, b, s, p, d, g)
        model.add("Conv", multiply, x.astype(np.float32), weight.astype(np.float32), 0 if symbolic else None, strides=[stride] * 2,
                  pads=[pad] * 4, dilations=[dilation] * 2, group=group)
    return model


def layers():
    """A residual block with a depthwise convolution and an encoder's two halves, whose values lie in f16 between contractions.
    Against the same in f64, without any rounding: the errors of three products in a row."""
    model = Model(folder, "layers")
    normal = lambda *shape: rng.standard_normal(shape).astype(np.float32)
    x, weights = normal(1, 32, 20, 20), [normal(32, 32, 3, 3) / 16, normal(32, 32, 3, 3) / 16, normal(64, 32, 1, 1) / 6]
    filters = normal(32, 1, 3, 3) / 3
    a = np.maximum(products.conv(x, weights[0], pad=1), 0)
    b = np.maximum(products.conv(products.conv(a, filters, pad=1, group=32), weights[1], pad=1) + a, 0)
    pooled = b.reshape(1, 32, 10, 2, 10, 2).max((3, 5))
    c = [model.constant(weight) for weight in weights]
    name = model.node("Relu", [model.node("Conv", [model.value("x", x), c[0]], pads=[1] * 4)])
    inner = model.node("Conv", [name, model.constant(filters)], pads=[1] * 4, group=32)
    name = model.node("Add", [model.node("Conv", [inner, c[1]], pads=[1] * 4), name])
    name = model.node("MaxPool", [model.node("Relu", [name])], kernel_shape=[2, 2], strides=[2, 2])
    model.node("Conv", [name, c[2]], model.value("y", products.conv(pooled, weights[2])))
    x, scale, bias = normal(1, 50, 96), normal(96), normal(96)
    centred = x.astype(np.float64) - x.mean(-1, keepdims=True, dtype=np.float64)
    normed = centred / np.sqrt((centred ** 2).mean(-1, keepdims=True) + 1e-5) * scale + bias
    first, second = normal(96, 160) / 8, normal(160, 96) / 8
    hidden = np.tanh(normed @ first.astype(np.float64))
    name = model.value("x", x)
    y = model.node("LayerNormalization", [name, model.constant(scale), model.constant(bias)], epsilon=1e-5)
    y = model.node("Tanh", [model.node("MatMul", [y, model.constant(first)])])
    y = model.node("MatMul", [y, model.constant(second)])
    model.node("Add", [y, name], model.value("y", hidden @ second + x))
    return model


probe = Products("probe")
probe.add("MatMul", matmul, np.ones((16, 64), np.float32), np.ones((64, 64), np.float32), None)
probe.probe(lathe, runner, "tensor<16x64xf16>, tensor<64x64xf16>", "--precision=f16", *options)
good = matrices(False).check()
good &= matrices(True).check()
good &= matrices(False).check("--threads=2")
good &= convolutions(False).check()
good &= convolutions(True).check()
good &= layers().matches(runner, 0, 24 * ROUNDING, "--precision=f16", *options)
sys.exit(not good)
