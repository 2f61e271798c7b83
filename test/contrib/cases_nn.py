"""Activations, normalizations and products of com.microsoft."""
import numpy as np

from cases import case, cases


@case
def gelu(c):
    return c.node("Gelu", [c.array(3, 5)])


@case
def fast_gelu(c):
    return c.node("FastGelu", [c.array(2, 3, 4), (c.array(4),)])


@case
def fast_gelu_no_bias(c):
    return c.node("FastGelu", [c.array(3, 5)])


@case
def bias_gelu(c):
    return c.node("BiasGelu", [c.array(2, 3, 4), (c.array(4),)])


@case
def quick_gelu(c):
    return c.node("QuickGelu", [c.array(3, 5)], alpha=1.5)


@case
def skip_layer_normalization(c):
    return c.node("SkipLayerNormalization", [c.array(2, 3, 8), c.array(2, 3, 8), (c.array(8),), (c.array(8),), (c.array(8),)],
                  ["y", "", "", "sum"], epsilon=1e-5)


@case
def skip_simplified_layer_normalization(c):
    return c.node("SkipSimplifiedLayerNormalization", [c.array(2, 3, 8), c.array(2, 3, 8), (c.array(8),)],
                  ["y", "", "", "sum"], epsilon=1e-5)


@case
def simplified_layer_normalization(c):
    return c.node("SimplifiedLayerNormalization", [c.array(2, 3, 8), (c.array(8),)], domain="", axis=-1, epsilon=1e-5,
                  stash_type=1)


@case
def embed_layer_normalization(c):
    words, segments = np.int32([[1, 3, 2], [0, 4, 4]]), np.int32([[0, 0, 1], [1, 1, 1]])
    return c.node("EmbedLayerNormalization", [words, segments, (c.array(5, 8),), (c.array(6, 8),), (c.array(2, 8),),
                                              (c.array(8),), (c.array(8),), np.int32([[1, 1, 0], [1, 1, 1]])],
                  ["y", "count"], epsilon=1e-5)


# Products.

@case
def fused_matmul(c):
    return c.node("FusedMatMul", [c.array(2, 4, 3), c.array(2, 5, 4)], transA=1, transB=1, alpha=0.5)


@case
def fused_conv(c):
    return c.node("FusedConv", [c.array(1, 3, 5, 5), (c.array(4, 3, 3, 3),), (c.array(4),), c.array(1, 4, 3, 3)],
                  activation="Relu")


@case
def fused_conv_leaky(c):
    return c.node("FusedConv", [c.array(1, 3, 5, 5), (c.array(4, 3, 3, 3),), (c.array(4),)], pads=[1, 1, 1, 1],
                  activation="LeakyRelu", activation_params=[0.1])


# Depths that are no whole number of blocks, or of the vectors that read them; 4 bits, the usual ones, most.

@cases(matmul_nbits=dict(depth=64, block=32, bits=4),
       matmul_nbits_points=dict(depth=80, block=16, bits=4, points=True),
       matmul_nbits_stream=dict(depth=96, block=32, bits=4, points=True),
       matmul_nbits_rest=dict(depth=72, block=16, bits=4, points=True),
       matmul_2_bits=dict(depth=64, block=64, bits=2),
       matmul_8_bits=dict(depth=64, block=32, bits=8, points=True))
def nbits(c, depth, block, bits, points=False, rows=6):
    blocks = -(-depth // block)
    inputs = [c.array(2, 3, depth), (c.bytes(rows, blocks, block * bits // 8),), (c.array(rows * blocks, scale=0.1),)]
    if points:
        inputs.append((c.bytes(rows * -(-blocks * bits // 8)),))
    return c.node("MatMulNBits", inputs, K=depth, N=rows, bits=bits, block_size=block)
