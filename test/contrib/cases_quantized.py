"""Operators of com.microsoft on quantized tensors."""
import numpy as np

from cases import case


def scale(value):
    return (np.float32(value),)


@case
def qlinear_add(c):
    return c.node("QLinearAdd", [c.bytes(2, 3, 4), scale(0.02), (np.uint8(120),), c.bytes(3, 4), scale(0.03), (np.uint8(130),),
                                 scale(0.04), (np.uint8(128),)])


@case
def qlinear_mul(c):
    int8 = np.int8
    return c.node("QLinearMul", [c.bytes(2, 3, 4, dtype=int8), scale(0.02), (int8(3),), c.bytes(2, 3, 4, dtype=int8),
                                 scale(0.03), (int8(-5),), scale(0.05), (int8(1),)])


@case
def qlinear_concat(c):
    return c.node("QLinearConcat", [scale(0.05), (np.uint8(100),), c.bytes(2, 3), scale(0.04), (np.uint8(128),), c.bytes(2, 2),
                                    scale(0.06), (np.uint8(90),)], axis=1)


@case
def qlinear_global_average_pool(c):
    return c.node("QLinearGlobalAveragePool", [c.bytes(2, 3, 4, 5), scale(0.05), (np.uint8(128),), scale(0.013), (np.uint8(110),)],
                  channels_last=0)


@case
def qlinear_global_average_pool_last(c):
    return c.node("QLinearGlobalAveragePool", [c.bytes(2, 4, 5, 3), scale(0.05), (np.uint8(128),), scale(0.013), (np.uint8(110),)],
                  channels_last=1)


@case
def qlinear_softmax(c):
    return c.node("QLinearSoftmax", [c.bytes(2, 3, 4), scale(0.02), (np.uint8(128),), scale(1 / 256), (np.uint8(0),)],
                  axis=-1, opset=13)


@case
def qlinear_softmax_12(c):
    return c.node("QLinearSoftmax", [c.bytes(2, 3, 4), scale(0.02), (np.uint8(128),), scale(1 / 256), (np.uint8(0),)],
                  axis=1, opset=12)


@case
def qlinear_sigmoid(c):
    return c.node("QLinearSigmoid", [c.bytes(3, 5), scale(0.05), (np.uint8(128),), scale(1 / 256), (np.uint8(0),)])


@case
def qlinear_leaky_relu(c):
    return c.node("QLinearLeakyRelu", [c.bytes(3, 5), scale(0.05), (np.uint8(128),), scale(0.04), (np.uint8(60),)], alpha=0.2)


@case
def qlinear_average_pool(c):
    return c.node("QLinearAveragePool", [c.bytes(1, 2, 5, 5), scale(0.05), (np.uint8(128),), scale(0.031), (np.uint8(110),)],
                  kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=0)


@case
def qlinear_where(c):
    return c.node("QLinearWhere", [np.array([[True, False, True]]), c.bytes(2, 3), scale(0.05), (np.uint8(128),), c.bytes(2, 3),
                                   scale(0.03), (np.uint8(100),), scale(0.061), (np.uint8(120),)])


@case
def qgemm(c):
    return c.node("QGemm", [c.bytes(2, 4), scale(0.02), (np.uint8(120),), (c.bytes(3, 4, dtype=np.int8),), scale(0.03),
                            (np.int8(0),), (np.int32([100, -200, 300]),), scale(0.05), (np.uint8(128),)], transB=1)


@case
def qgemm_float(c):
    return c.node("QGemm", [c.bytes(2, 4), scale(0.02), (np.uint8(120),), (c.bytes(4, 3, dtype=np.int8),),
                            (np.float32([0.01, 0.02, 0.03]),), (np.int8([0, 0, 0]),), (np.int32([100, -200, 300]),)], alpha=0.5)


@case
def matmul_integer_to_float(c):
    return c.node("MatMulIntegerToFloat", [c.bytes(2, 3, 4), (c.bytes(4, 5),), scale(0.02), scale(0.03), (np.uint8(120),),
                                           (np.uint8(130),), (c.array(5),)])


@case
def dynamic_quantize_matmul(c):
    return c.node("DynamicQuantizeMatMul", [c.array(2, 3, 4), (c.bytes(4, 5, dtype=np.int8),), scale(0.03), (np.int8(3),),
                                            (c.array(5),)])
