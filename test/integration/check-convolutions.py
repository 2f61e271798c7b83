#!/usr/bin/python3
"""Convolutions that are computed in other ways than one by one and directly, against the exact result in f64: 3x3 ones by
Winograd's algorithm, against a bound on their errors, depthwise ones together with the 1x1 convolution before them, 1x1
ones whose weight is scaled instead of their input (squeeze-and-excitation), those in groups of a few channels, those
whose kernel is mostly in the padding, by its taps, and those of which a pool reads some lines at a time. Quantized ones by Winograd's algorithm, where the target has that
(WebAssembly), are compared with the direct ones: all bits are the same.

    check-convolutions.py LATHE FOLDER TARGET|CPU

Exits with 77 where it is a CPU whose code this machine does not run.

The error of a sum in f32 is bounded by a multiple of eps * sum |w| |x|. Of the direct convolution the factor is at most the
number of terms, in practice about its root; the transforms of F(2x2) and F(4x4) multiply it (Barabasz et al. 2020, "Error
Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks").
"""
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

lathe, folder, target = sys.argv[1:]
selection = f"--cpu={target}" if target.startswith("znver") else f"--target={target}"
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(1)
# Largest error in eps * sum |w| |x|, twice what was measured.
BOUNDS = {"direct": 3.5, "F(2x2)": 2, "F(4x4)": 24}
# images, input channels, height, width, output channels, groups, pads (top, left, bottom, right)
SHAPES = [(1, 64, 28, 28, 32, 1, (1, 1, 1, 1)),    # whole tiles
          (2, 40, 17, 19, 72, 1, (1, 0, 1, 2)),    # rests in every dimension
          (1, 256, 14, 14, 256, 1, (1, 1, 1, 1)),  # a weight larger than the cache
          (3, 16, 9, 33, 17, 1, (0, 0, 0, 0)),     # no padding
          (1, 128, 8, 8, 128, 1, (1, 1, 1, 1)),    # few tiles
          (2, 13, 60, 58, 17, 1, (1, 0, 1, 2)),    # more tiles than the cache holds, of a small weight
          (1, 128, 43, 41, 24, 1, (1, 1, 1, 1)),   # the same with fewer tiles at a time
          (1, 24, 15, 13, 40, 1, (1, 1, 1, 1)),    # outputs of five halves of a vector
          (1, 64, 28, 28, 64, 4, (1, 1, 1, 1)),    # groups of a vector
          (2, 192, 15, 17, 96, 2, (1, 0, 1, 2)),   # groups of several vectors, each with fewer outputs
          (1, 64, 61, 57, 128, 2, (1, 1, 1, 1))]   # more tiles of groups than the cache holds


# The depthwise ones: images, input channels, height, width, channels, window, stride, pads
DEPTHWISE = [(1, 16, 56, 56, 96, 3, 1, (1, 1, 1, 1)),
             (2, 5, 61, 47, 40, 3, 2, (0, 1, 1, 0)),  # masked channels, rests of lines
             (1, 24, 40, 44, 72, 5, 2, (2, 2, 2, 2)),
             (1, 3, 90, 33, 33, 5, 1, (2, 0, 1, 3))]


# Depthwise ones of narrow images, whose kernel knows the borders: images, channels, height, width, window, stride, dilation, pads
NARROW = [(1, 72, 7, 7, 5, 1, 1, (2, 2, 2, 2)),
          (2, 19, 9, 6, 3, 1, 2, (2, 2, 2, 2)),   # masked channels
          (1, 32, 11, 13, 3, 2, 1, (0, 1, 2, 1)),
          (1, 40, 3, 4, 7, 1, 1, (3, 3, 3, 3)),   # a window larger than the image
          (1, 16, 5, 3, 3, 1, 3, (3, 4, 3, 4))]


# Depthwise ones of bytes: images, channels, height, width, window, stride, dilation, pads
BYTES = [(1, 48, 16, 16, (3, 3), 1, 1, (1, 1, 1, 1)),
         (2, 19, 9, 6, (3, 3), 1, 2, (2, 2, 2, 2)),   # masked channels
         (1, 32, 11, 13, (3, 3), 2, 1, (0, 1, 2, 1)),
         (1, 24, 12, 11, (5, 5), 1, 1, (2, 2, 2, 2)),
         (1, 20, 12, 9, (5, 5), 2, 1, (2, 2, 2, 2)),
         (1, 8, 9, 9, (7, 7), 1, 1, (3, 3, 3, 3)),    # a loop over lines
         (1, 12, 5, 17, (1, 5), 1, 1, (0, 2, 0, 2)),  # one line, two, and an even number of columns
         (1, 12, 7, 10, (2, 2), 1, 1, (0, 0, 0, 0)),
         (1, 13, 7, 10, (3, 4), 1, 1, (1, 1, 1, 2)),
         (1, 16, 7, 7, (3, 1), 1, 1, (1, 0, 1, 0))]


# Those in groups: images, channels, channels of a group, height, width, window, strides, dilations, pads
GROUPED = [(1, 32, 4, 20, 30, (3, 3), (1, 1), (1, 1), (1, 1, 1, 1)),
           (2, 40, 8, 11, 9, (3, 3), (2, 2), (1, 1), (1, 1, 1, 1)),  # a part of a vector is left
           (1, 36, 2, 9, 40, (5, 2), (1, 1), (2, 3), (2, 0, 2, 3)),
           (1, 24, 4, 7, 8, (3, 1), (1, 3), (1, 1), (1, 0, 1, 0)),   # pixels that no window sees
           (1, 32, 4, 7, 40, (3, 1), (1, 1), (1, 1), (1, 0, 1, 0)),  # padding of whole lines
           (1, 64, 32, 7, 40, (3, 1), (1, 1), (1, 1), (1, 0, 1, 0)), # the same with groups of whole vectors
           (1, 64, 16, 9, 9, (3, 3), (1, 1), (1, 1), (1, 1, 1, 1)),
           (2, 21, 3, 8, 8, (3, 3), (1, 1), (1, 1), (1, 1, 1, 1))]   # groups that end within a vector


# Those whose kernel is mostly in the padding: images, height, width, window, strides, dilations, pads, parts, taps that are left
WIDE = [(1, 14, 14, (3, 3), (1, 1), (24, 24), (24, 24, 24, 24), 1, 1),  # only the tap in the middle meets the image
        (2, 14, 13, (3, 3), (1, 1), (12, 11), (12, 11, 12, 11), 9, 9),  # each does, most of them little of it
        (1, 9, 40, (3, 5), (1, 1), (7, 2), (7, 4, 7, 4), 3, 15),        # apart by rows only
        (1, 17, 12, (4, 3), (2, 1), (9, 8), (22, 8, 5, 8), 3, 9),       # one row is left out, the others stay together
        (1, 12, 12, (2, 2), (1, 1), (20, 20), (4, 25, 16, 3), 1, 1)]    # what is left meets a part of the image


# Those of large images that a pool reads: kind, window, stride, pads, then the pool's window, stride and pads, and whether
# some lines may be pooled before the others
POOLED = [("MaxPool", 7, 2, (3, 3, 3, 3), 3, 2, (1, 1, 1, 1), True),      # the padding is before the first line
          ("MaxPool", 3, 2, (0, 0, 0, 0), 3, 2, (0, 0, 0, 0), True),      # the first line is computed before the others
          ("MaxPool", 5, 1, (2, 1, 1, 2), 2, 2, (0, 0, 0, 0), True),      # no line is read twice
          ("MaxPool", 5, 1, (2, 2, 2, 2), 3, 1, (2, 1, 0, 1), True),      # two lines are
          ("AveragePool", 5, 1, (2, 2, 2, 2), 4, 2, (0, 1, 0, 1), True),
          ("AveragePool", 5, 1, (2, 2, 2, 2), 3, 2, (1, 1, 1, 1), False), # padding does not count
          ("MaxPool", 5, 1, (2, 2, 2, 2), 3, 1, (1, 1, 1, 1), False)]     # padding behind the last line


def pad(x, pads):
    top, left, bottom, right = pads
    return np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))


def convolve(x, w, pads, groups=1):
    windows = np.lib.stride_tricks.sliding_window_view(pad(x, pads), (3, 3), axis=(2, 3))
    parts = zip(np.split(windows, groups, axis=1), np.split(w, groups))
    return np.concatenate([np.einsum("nchwij,ocij->nohw", *part, optimize=True) for part in parts], axis=1)


def execute(path, nodes, constants, inputs, expected, flags, symbolic=()):
    """The result of a model and what the compiler says that it did. Of the dimensions `symbolic` only a run tells the size."""
    def declare(name, shape):
        shape = [f"{name}{i}" if i and i in symbolic else "n" if i in symbolic else size for i, size in enumerate(shape)]
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    infos = [declare(name, value.shape) for name, value in inputs.items()]
    result = declare("y", expected.shape)
    bounds = {info.dim_param for value in infos for info in value.type.tensor_type.shape.dim} - {""}
    flags = [*flags, *(f"--dim={name}=1..{4 if name == 'n' else 64}" for name in sorted(bounds))]
    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "g", infos, [result], initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path + ".onnx")
    arguments = []
    for name, value in inputs.items():
        np.save(f"{path}-{name}.npy", value)
        arguments += ["--input", f"{name}={path}-{name}.npy"]
    run = subprocess.run([lathe, "run", path + ".onnx", selection, f"--output-dir={folder}", "--remarks",
                          *arguments, *flags], capture_output=True, text=True)
    if "on this machine" in run.stderr:
        print(run.stderr)
        sys.exit(77)
    if run.returncode != 0:
        sys.exit(f"{path}: {run.stderr}")
    return np.load(f"{folder}/y.npy"), run.stderr


def random(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def winograd(index, shape, flags, symbolic=()):
    """The largest error of the result, in eps * sum |w| |x|, and what the compiler says that it did."""
    images, channels, height, width, outputs, groups, pads = shape
    x, w = random(images, channels, height, width), random(outputs, channels // groups, 3, 3) / 16
    exact = convolve(x.astype(np.float64), w.astype(np.float64), pads, groups)
    scale = convolve(np.abs(x), np.abs(w), pads, groups).max() * np.finfo(np.float32).eps
    residual = random(*exact.shape)
    expected = np.maximum(exact + residual, 0)
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"], pads=pads, group=groups), helper.make_node("Add", ["c", "r"], ["s"]),
             helper.make_node("Relu", ["s"], ["y"])]
    result, remarks = execute(f"{folder}/conv{index}", nodes, {"w": w}, {"x": x, "r": residual}, expected, flags,
                              symbolic)
    return np.abs(result - expected).max() / scale, remarks


def quantized(index, shape):
    """Tiles of F(2x2) and F(4x4) that a quantized convolution used, and whether it gave what the direct one does."""
    images, channels, height, width, outputs, groups, pads = shape
    x, w = random(images, channels, height, width), random(outputs, channels // groups, 3, 3) / 16
    np.savez(f"{folder}/quantized{index}.npz", x=x)
    flags = ["--quantize=int8", f"--calibrate={folder}/quantized{index}.npz"]
    expected = convolve(x.astype(np.float64), w.astype(np.float64), pads, groups)
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"], pads=pads, group=groups)]
    path = f"{folder}/quantized{index}"
    direct, remarks = execute(path, nodes, {"w": w}, {"x": x}, expected, [*flags, "--no-winograd"])
    assert "TileSize" not in remarks
    result, remarks = execute(path, nodes, {"w": w}, {"x": x}, expected, flags)
    # Of many elements the largest are beyond the range of least squared error.
    close = np.abs(result - expected).max() < 0.08 * np.abs(expected).max()
    return {m for m in (2, 4) if f"TileSize={m}" in remarks}, close and np.array_equal(result, direct)


def depthwise(index, shape):
    """The largest error of the result, relative to the largest element, and what the compiler says that it did."""
    images, inputs, height, width, channels, window, stride, pads = shape
    x, a, b = random(images, inputs, height, width), random(channels, inputs, 1, 1), random(channels)
    w, c = random(channels, 1, window, window), random(channels)
    expanded = np.einsum("nchw,oc->nohw", x.astype(np.float64), a[:, :, 0, 0]) + b[None, :, None, None]
    expanded = pad(np.maximum(expanded, 0), pads)
    windows = np.lib.stride_tricks.sliding_window_view(expanded, (window, window), axis=(2, 3))[:, :, ::stride, ::stride]
    expected = np.einsum("nchwij,cij->nchw", windows, w[:, 0]) + c[None, :, None, None]
    nodes = [helper.make_node("Conv", ["x", "a", "b"], ["e"]), helper.make_node("Relu", ["e"], ["f"]),
             helper.make_node("Conv", ["f", "w", "c"], ["y"], pads=pads, strides=[stride, stride], group=channels)]
    constants = {"a": a, "b": b, "w": w, "c": c}
    result, remarks = execute(f"{folder}/depthwise{index}", nodes, constants, {"x": x}, expected, [])
    return np.abs(result - expected).max() / np.abs(expected).max(), remarks


def narrow(index, shape):
    """The largest error of the result, relative to the largest element, and what the compiler says that it did."""
    images, channels, height, width, window, stride, dilation, pads = shape
    x, w = random(images, channels, height, width), random(channels, 1, window, window)
    windows = windows_of(x, (window, window), (stride, stride), (dilation, dilation), pads)
    expected = np.einsum("nchwij,cij->nchw", windows, w[:, 0])
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=pads, strides=[stride, stride], dilations=[dilation, dilation],
                            group=channels)
    result, remarks = execute(f"{folder}/narrow{index}", [node], {"w": w}, {"x": x}, expected, [])
    return np.abs(result - expected).max() / np.abs(expected).max(), remarks


def depthwise_bytes(index, shape):
    """The largest error of a quantized result between 1x1 ones, relative to the largest element."""
    images, channels, height, width, window, stride, dilation, pads = shape
    x, a, b = random(images, channels, height, width), random(channels, channels), random(channels, channels)
    w, c = random(channels, 1, *window), random(channels)
    inner = np.maximum(np.einsum("nchw,oc->nohw", x.astype(np.float64), a), 0)
    windows = windows_of(inner, window, (stride, stride), (dilation, dilation), pads)
    filtered = np.maximum(np.einsum("nchwij,cij->nchw", windows, w[:, 0]) + c[None, :, None, None], 0)
    expected = np.einsum("nchw,oc->nohw", filtered, b)
    nodes = [helper.make_node("Conv", ["x", "a"], ["d"]), helper.make_node("Relu", ["d"], ["e"]),
             helper.make_node("Conv", ["e", "w", "c"], ["f"], pads=pads, strides=[stride, stride],
                              dilations=[dilation, dilation], group=channels),
             helper.make_node("Relu", ["f"], ["g"]), helper.make_node("Conv", ["g", "b"], ["y"])]
    path = f"{folder}/bytes{index}"
    np.savez(path + ".npz", x=x)
    constants = {"a": a[:, :, None, None], "b": b[:, :, None, None], "w": w, "c": c}
    result, _ = execute(path, nodes, constants, {"x": x}, expected, ["--quantize=int8", f"--calibrate={path}.npz"])
    return np.abs(result - expected).max() / np.abs(expected).max()


def windows_of(x, window, strides, dilations, pads):
    """[N, C, height, width, *window] of an image, in f64."""
    spans = [(size - 1) * dilation + 1 for size, dilation in zip(window, dilations)]
    windows = np.lib.stride_tricks.sliding_window_view(pad(x.astype(np.float64), pads), spans, axis=(2, 3))
    return windows[:, :, ::strides[0], ::strides[1], ::dilations[0], ::dilations[1]]


def grouped(index, shape):
    """The largest error of the result, relative to the largest element."""
    images, channels, size, height, width, window, strides, dilations, pads = shape
    x, w, b = random(images, channels, height, width), random(channels, size, *window), random(channels)
    windows = windows_of(x, window, strides, dilations, pads)
    groups = [np.einsum("nchwij,ocij->nohw", windows[:, first:first + size], w[first:first + size], optimize=True)
              for first in range(0, channels, size)]
    expected = np.maximum(np.concatenate(groups, axis=1) + b[None, :, None, None], 0)
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=pads, strides=strides, dilations=dilations,
                              group=channels // size), helper.make_node("Relu", ["c"], ["y"])]
    result, _ = execute(f"{folder}/grouped{index}", nodes, {"w": w, "b": b}, {"x": x}, expected, ["--no-winograd"])
    return np.abs(result - expected).max() / np.abs(expected).max()


def wide(index, shape):
    """The largest error of the result, relative to the largest element, and what the compiler says that it did."""
    images, height, width, window, strides, dilations, pads, _, _ = shape
    x, w, b = random(images, 48, height, width), random(40, 48, *window), random(40)
    sums = np.einsum("nchwij,ocij->nohw", windows_of(x, window, strides, dilations, pads), w, optimize=True)
    sums += b[None, :, None, None]
    residual = random(*sums.shape)
    expected = np.maximum(sums + residual, 0)
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=pads, strides=strides, dilations=dilations),
             helper.make_node("Add", ["c", "r"], ["s"]), helper.make_node("Relu", ["s"], ["y"])]
    result, remarks = execute(f"{folder}/wide{index}", nodes, {"w": w, "b": b}, {"x": x, "r": residual}, expected, [])
    return np.abs(result - expected).max() / np.abs(expected).max(), remarks


def excite(images):
    """The same for an image whose channels are scaled by what is computed from their means."""
    x, f, a, w = random(images, 8, 40, 40), random(32, 8, 1, 1), random(32, 32, 1, 1), random(16, 32, 1, 1)
    image = np.einsum("nchw,oc->nohw", x.astype(np.float64), f[:, :, 0, 0])
    scales = 1 / (1 + np.exp(-np.einsum("nc,oc->no", image.mean((2, 3)), a[:, :, 0, 0])))
    expected = np.einsum("nchw,oc->nohw", image * scales[:, :, None, None], w[:, :, 0, 0])
    nodes = [helper.make_node("Conv", ["x", "f"], ["i"]), helper.make_node("GlobalAveragePool", ["i"], ["m"]),
             helper.make_node("Conv", ["m", "a"], ["b"]), helper.make_node("Sigmoid", ["b"], ["s"]),
             helper.make_node("Mul", ["i", "s"], ["p"]), helper.make_node("Conv", ["p", "w"], ["y"])]
    result, remarks = execute(f"{folder}/excite{images}", nodes, {"f": f, "a": a, "w": w}, {"x": x}, expected, [])
    return np.abs(result - expected).max() / np.abs(expected).max(), remarks


def pooled(index, shape):
    """The largest error of the result, relative to the largest element, and what the compiler says that it did."""
    kind, window, stride, pads, pool_window, pool_stride, pool_pads, _ = shape
    x, w, b = random(1, 3, 240 * stride, 200 * stride), random(40, 3, window, window), random(40) - 20
    image = np.einsum("nchwij,ocij->nohw", windows_of(x, (window, window), (stride, stride), (1, 1), pads), w, optimize=True)
    image += b[None, :, None, None]
    padding = [(0, 0), (0, 0), (pool_pads[0], pool_pads[2]), (pool_pads[1], pool_pads[3])]

    def taps(values, beyond):
        return np.lib.stride_tricks.sliding_window_view(np.pad(values, padding, constant_values=beyond), (pool_window, pool_window),
                                                        axis=(2, 3))[:, :, ::pool_stride, ::pool_stride]

    if kind == "MaxPool":
        expected = taps(image, -np.inf).max((-2, -1))
    else:
        expected = taps(image, 0).sum((-2, -1)) / taps(np.ones_like(image), 0).sum((-2, -1))
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=pads, strides=[stride, stride]),
             helper.make_node(kind, ["c"], ["y"], kernel_shape=[pool_window] * 2, strides=[pool_stride] * 2, pads=pool_pads)]
    result, remarks = execute(f"{folder}/pooled{index}", nodes, {"w": w, "b": b}, {"x": x}, expected, [])
    return np.abs(result - expected).max() / np.abs(expected).max(), remarks


failed = False
for symbolic, name in (((), ""), ((0,), " of a symbolic batch"), ((2, 3), " of symbolic sizes"),
                       ((0, 2, 3), " of a symbolic batch and sizes")):
    seen, in_tasks = set(), False
    for index, shape in enumerate(SHAPES):
        for flags in [[]] if symbolic else [[], ["--no-winograd"]]:
            error, remarks = winograd(index, shape, flags, symbolic)
            method = "F(4x4)" if "TileSize=4" in remarks else "F(2x2)" if "TileSize=2" in remarks else "direct"
            seen.add(method)
            in_tasks |= "TransformInTasks=true" in remarks
            wrong = bool(error > BOUNDS[method] or (flags and method != "direct"))
            failed |= wrong
            print(f"{shape}{name} {method}: {error:.2f} of {BOUNDS[method]}{'  FAILED' if wrong else ''}")
    if not seen >= ({"F(4x4)"} if symbolic else set(BOUNDS)):
        sys.exit(f"only {sorted(seen)} were tried{name}")
    # Of an unknown size no convolution is known to have more tiles than the cache holds.
    if not in_tasks and 2 not in symbolic:
        sys.exit(f"no convolution{name} transformed its tiles in its own tasks")
tiles = set()
for index, shape in enumerate(SHAPES):
    used, same = quantized(index, shape)
    tiles |= used
    failed |= not same
    print(f"{shape} quantized{''.join(f', F({m}x{m})' for m in used)}{'' if same else '  FAILED'}")
if tiles != ({2, 4} if target.startswith("wasm") else set()):
    sys.exit(f"quantized convolutions used tiles of {sorted(tiles)}")
for index, shape in enumerate(DEPTHWISE):
    error, remarks = depthwise(index, shape)
    fused = "SavedBytes" in remarks
    wrong = bool(error > 1e-6 or not fused)
    failed |= wrong
    print(f"{shape} depthwise{', fused' if fused else ''}: {error:.1e} of 1e-06{'  FAILED' if wrong else ''}")
for index, shape in enumerate(NARROW):
    error, _ = narrow(index, shape)
    wrong = bool(error > 1e-6)
    failed |= wrong
    print(f"{shape} depthwise, narrow: {error:.1e} of 1e-06{'  FAILED' if wrong else ''}")
for index, shape in enumerate(BYTES):
    error = depthwise_bytes(index, shape)
    failed |= bool(error > 0.05)
    print(f"{shape} depthwise, bytes: {error:.3f} of 0.05{'' if error <= 0.05 else '  FAILED'}")
for index, shape in enumerate(GROUPED):
    error = grouped(index, shape)
    failed |= bool(error > 1e-6)
    print(f"{shape} in groups: {error:.1e} of 1e-06{'' if error <= 1e-6 else '  FAILED'}")
for index, shape in enumerate(WIDE):
    error, remarks = wide(index, shape)
    wrong = bool(error > 1e-6 or f"Parts={shape[-2]}," not in remarks or f"TapsLeft={shape[-1]}," not in remarks)
    failed |= wrong
    print(f"{shape} by taps: {error:.1e} of 1e-06{'  FAILED' if wrong else ''}")
for index, shape in enumerate(POOLED):
    error, remarks = pooled(index, shape)
    split = "SplitPool" in remarks
    # A step of enough work needs a second cache of 1 MB.
    wrong = bool(error > 2e-6 or (split != shape[-1] and target in ("x86-64-v4", "znver4")))
    failed |= wrong
    print(f"{shape} pooled{', by lines' if split else ''}: {error:.1e} of 2e-06{'  FAILED' if wrong else ''}")
for images in (1, 2):
    error, remarks = excite(images)
    scaled = "WeightElements" in remarks
    # The factors are those of one image; a loop over the batch has one at a time.
    wrong = bool(error > 1e-6 or scaled != (images == 1 or "SplitBatch" in remarks))
    failed |= wrong
    print(f"{images} excited image(s){', weight scaled' if scaled else ''}: {error:.1e} of 1e-06{'  FAILED' if wrong else ''}")
sys.exit(failed)
