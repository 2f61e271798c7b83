"""Forms of ONNX's operators that its own tests do not have."""
import numpy as np

from cases import case, cases


def onnx(c, op, inputs, outputs=("y",), **attributes):
    return c.node(op, inputs, outputs, domain="", **attributes)


# Integers to powers: truncated, and exact where the exponent is whole.

@cases(pow_whole_float={"exponent": np.float32(3)}, pow_negative={"exponent": np.int32([[-1], [-2]])},
       pow_integer={"exponent": np.int32([[0], [5]])})
def powers(c, exponent):
    return onnx(c, "Pow", [np.int32([[1, -1, 2, -3, 9]]), (exponent,)])


# Of one element, or elements that are all the same, all lists are short.

@cases(unique_one={"x": np.float32([[-0.5]]), "axis": 1}, unique_one_flat={"x": np.float32([[-0.5]])},
       unique_same={"x": np.int64([4, 4, 4])})
def unique(c, x, **attributes):
    return onnx(c, "Unique", [x], ["y", "indices", "inverse", "counts"], **attributes)


# One scale for all axes: sizes are rounded, the scale is not.

@cases(resize_not_smaller={"policy": "not_smaller"}, resize_not_larger={"policy": "not_larger"},
       resize_not_smaller_cubic={"policy": "not_smaller", "mode": "cubic"},
       resize_not_larger_nearest={"policy": "not_larger", "mode": "nearest"})
def resize_by_ratio(c, policy, mode="linear"):
    c.opset = 19
    return onnx(c, "Resize", [c.array(1, 2, 3, 5), "", "", (np.int64([2, 4]),)], axes=[2, 3], mode=mode,
                keep_aspect_ratio_policy=policy)


# Sums of more channels than are written out one by one, and than there are.

@cases(lrn_wide={"channels": 40}, lrn_wider_than_channels={"channels": 3})
def lrn(c, channels):
    return onnx(c, "LRN", [c.array(2, channels, 2, 3)], size=33, alpha=0.5, beta=0.6, bias=1.5)


# Tensors without elements.

@case
def empty_conv(c):
    onnx(c, "Conv", [c.array(0, 2, 5, 5), (c.array(3, 2, 3, 3),)], ["conv"], pads=[1, 1, 1, 1])
    onnx(c, "Relu", ["conv"], ["relu"])
    onnx(c, "GlobalAveragePool", ["relu"], ["mean"])
    onnx(c, "Flatten", ["mean"], ["flat"])
    return onnx(c, "Gemm", ["flat", (c.array(3, 4),)])


@case
def empty_reshape(c):
    onnx(c, "Transpose", [c.array(0, 4, 3, 2)], ["moved"], perm=[0, 2, 3, 1])
    return onnx(c, "Reshape", ["moved", (np.int64([3, 0, 8]),)], allowzero=1)


@case
def empty_concat(c):
    return onnx(c, "Concat", [c.array(2, 0), c.array(2, 3), (c.array(2, 0),)], axis=1)


@case
def empty_product(c):
    return onnx(c, "MatMul", [c.array(2, 0), c.array(0, 3)])


# Views whose rows are not contiguous.

@case
def softmax_of_every_second(c):
    numbers = [(np.int64([n]),) for n in (1, 16, 1, 2)]
    onnx(c, "Slice", [c.array(4, 16), *numbers], ["part"])
    return onnx(c, "Softmax", ["part"], axis=-1)


@case
def product_of_column_as_row(c):
    onnx(c, "Split", [c.array(1, 4, 7), (np.int64([6, 1]),)], ["rest", "column"], axis=2)
    onnx(c, "Transpose", ["column"], ["row"], perm=[0, 2, 1])
    return onnx(c, "MatMul", ["column", "row"])


# Scale and bias that broadcast, each in its own way.

@cases(layer_norm_one_bias={"bias": (1,)}, layer_norm_scalar_bias={"bias": ()}, layer_norm_rows={"bias": (3, 1)})
def layer_norm(c, bias):
    return onnx(c, "LayerNormalization", [c.array(2, 3, 4), c.array(4), c.array(*bias)], ["y", "mean"], axis=1)
