#!/usr/bin/python3
"""Writes backend tests with outputs that ONNX Runtime computes, of what ONNX does not test: operators of com.microsoft, and
forms of recurrent layers.

    generate.py [NAME...]    writes test/contrib/data/test_NAME, in ONNX's backend-test layout; all without names

Inputs come from a fixed seed for each case. Needs node, and `npm ci --ignore-scripts` in tools/bench.
"""
import json
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).resolve().parent
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


class Case:
    """A model of some nodes; arrays are inputs unless they are said to be constants."""

    def __init__(self, name):
        self.random = np.random.default_rng(zlib.crc32(name.encode()))
        self.inputs, self.constants, self.nodes = {}, {}, []
        self.reference = self  # what ONNX Runtime runs for the outputs, where it does not have the case itself

    def array(self, *shape, scale=1.0):
        return (self.random.standard_normal(shape) * scale).astype(np.float32)

    def bytes(self, *shape, dtype=np.uint8):
        info = np.iinfo(dtype)
        return self.random.integers(info.min, info.max + 1, shape).astype(dtype)

    def node(self, op, inputs, outputs=("y",), domain="com.microsoft", **attributes):
        """`inputs` are names, arrays (inputs of the model) or tuples of an array (constants)."""
        names = []
        for value in inputs:
            if isinstance(value, str):
                names.append(value)
                continue
            name = f"x{len(self.inputs) + len(self.constants)}"
            constant = isinstance(value, tuple)
            (self.constants if constant else self.inputs)[name] = np.asarray(value[0] if constant else value)
            names.append(name)
        self.nodes.append(helper.make_node(op, names, outputs, domain=domain, **attributes))
        return self

    def model(self, ranks):
        def value(name, array, shape=None):
            kind = helper.np_dtype_to_tensor_dtype(array.dtype) if hasattr(helper, "np_dtype_to_tensor_dtype") \
                else onnx.mapping.NP_TYPE_TO_TENSOR_TYPE[array.dtype]
            return helper.make_tensor_value_info(name, kind, array.shape if shape is None else shape)

        outputs = [o for node in self.nodes[-1:] for o in node.output if o]
        graph = helper.make_graph(
            self.nodes, "graph", [value(n, a) for n, a in self.inputs.items()],
            [value(o, ranks[o]) if ranks else helper.ValueInfoProto(name=o) for o in outputs],
            [numpy_helper.from_array(a, n) for n, a in self.constants.items()])
        return helper.make_model(graph, ir_version=8, producer_name="test", opset_imports=[
            helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]), outputs


def run(made):
    """The outputs that ONNX Runtime computes, by name."""
    with tempfile.TemporaryDirectory() as folder:
        model, outputs = made.model(None)
        onnx.save(model, f"{folder}/model.onnx")
        inputs = []
        for name, array in made.inputs.items():
            array.tofile(f"{folder}/{name}.bin")
            inputs.append({"name": name, "type": str(array.dtype), "dims": array.shape, "file": f"{name}.bin"})
        Path(folder, "manifest.json").write_text(json.dumps({"inputs": inputs, "outputs": outputs}))
        subprocess.run(["node", HERE / "run-ort.mjs", folder], check=True)
        results = {}
        for entry in json.loads(Path(folder, "outputs.json").read_text()):
            results[entry["name"]] = np.fromfile(f"{folder}/{entry['file']}", entry["type"]).reshape(entry["dims"])
        return results


def write(name):
    made = CASES[name](Case(name))
    results = run(made.reference)
    model, outputs = made.model(results)
    folder = HERE / "data" / f"test_{name}"
    data = folder / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(folder / "model.onnx"))
    for kind, arrays in (("input", made.inputs.values()), ("output", [results[o] for o in outputs])):
        for index, array in enumerate(arrays):
            (data / f"{kind}_{index}.pb").write_bytes(numpy_helper.from_array(np.asarray(array, order="C")).SerializeToString())


# Activations and normalizations.

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


def nbits(c, depth, rows, block, bits, points):
    blocks = -(-depth // block)
    inputs = [c.array(2, 3, depth), (c.bytes(rows, blocks, block * bits // 8),), (c.array(rows * blocks, scale=0.1),)]
    if points:
        inputs.append((c.bytes(rows * -(-blocks * bits // 8)),))
    return c.node("MatMulNBits", inputs, K=depth, N=rows, bits=bits, block_size=block)


@case
def matmul_nbits(c):
    return nbits(c, 64, 6, 32, 4, False)


@case
def matmul_nbits_points(c):
    return nbits(c, 80, 6, 16, 4, True)


@case
def matmul_nbits_stream(c):
    return nbits(c, 96, 6, 32, 4, True)


@case
def matmul_nbits_rest(c):
    return nbits(c, 72, 6, 16, 4, True)


@case
def matmul_2_bits(c):
    return nbits(c, 64, 6, 64, 2, False)


@case
def matmul_8_bits(c):
    return nbits(c, 64, 6, 32, 8, True)


# Quantized tensors.

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


# Attention: 2 sequences, 4 heads of size 8 unless it is said otherwise.

@case
def attention(c):
    return c.node("Attention", [c.array(2, 3, 16), (c.array(16, 96, scale=0.3),), (c.array(96),), np.int32([[1, 1, 1], [1, 1, 0]])],
                  num_heads=4)


@case
def attention_causal(c):
    return c.node("Attention", [c.array(2, 3, 16), (c.array(16, 96, scale=0.3),), (c.array(96),)], num_heads=4, unidirectional=1)


@case
def multi_head_attention(c):
    return c.node("MultiHeadAttention", [c.array(2, 3, 32), c.array(2, 5, 32), c.array(2, 5, 32)], num_heads=4)


@case
def multi_head_attention_bias(c):
    return c.node("MultiHeadAttention", [c.array(2, 3, 32), c.array(2, 5, 32), c.array(2, 5, 32), (c.array(96),),
                                         np.int32([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]])], num_heads=4, scale=0.25)


@case
def multi_head_attention_lengths(c):
    return c.node("MultiHeadAttention", [c.array(2, 3, 32), c.array(2, 5, 32), c.array(2, 5, 32), "", np.int32([4, 2])],
                  num_heads=4)


def part(packed, index):
    return packed[:, :, :, index].reshape(*packed.shape[:2], -1)


@case
def multi_head_attention_packed(c):
    packed = c.array(2, 3, 4, 3, 8)
    c.reference = Case("").node("MultiHeadAttention", [part(packed, i) for i in range(3)], num_heads=4)
    return c.node("MultiHeadAttention", [packed], num_heads=4)


@case
def multi_head_attention_packed_keys(c):
    query, packed = c.array(2, 3, 32), c.array(2, 5, 4, 2, 8)
    c.reference = Case("").node("MultiHeadAttention", [query, part(packed, 0), part(packed, 1)], num_heads=4)
    return c.node("MultiHeadAttention", [query, packed], num_heads=4)


@case
def multi_head_attention_cross(c):
    return c.node("MultiHeadAttention", [c.array(2, 3, 32), c.array(2, 4, 5, 8), c.array(2, 4, 5, 8)], num_heads=4)


@case
def multi_head_attention_past(c):
    return c.node("MultiHeadAttention", [c.array(2, 3, 32), c.array(2, 3, 32), c.array(2, 3, 32), "", "", c.array(1, 4, 3, 7),
                                         c.array(2, 4, 4, 8), c.array(2, 4, 4, 8)], ["y", "k", "v"], num_heads=4)


@case
def multi_head_attention_causal(c):
    return c.node("MultiHeadAttention", [c.array(2, 3, 32), c.array(2, 3, 32), c.array(2, 3, 32)], num_heads=4, unidirectional=1)


# As many queries and keys as take several blocks, the last of them with few.

@case
def multi_head_attention_blocks(c):
    return c.node("MultiHeadAttention", [c.array(1, 37, 32), c.array(1, 70, 32), c.array(1, 70, 32)], num_heads=2)


@case
def multi_head_attention_blocks_bias(c):
    return c.node("MultiHeadAttention", [c.array(1, 37, 32), c.array(1, 2, 70, 16), c.array(1, 2, 70, 16), "", "",
                                         c.array(1, 2, 37, 70)], num_heads=2)


@case
def multi_head_attention_blocks_causal(c):
    return c.node("MultiHeadAttention", [c.array(1, 37, 32), c.array(1, 37, 32), c.array(1, 37, 32)], num_heads=2,
                  unidirectional=1)


def group_query(c, batch, tokens, past, lengths, packed=False, rotary=False, **attributes):
    """4 heads of size 16 that share 2 of keys."""
    heads, keys, size = 4, 2, 16
    if packed:
        inputs = [c.array(batch, tokens, (heads + 2 * keys) * size), "", ""]
    else:
        inputs = [c.array(batch, tokens, heads * size), c.array(batch, tokens, keys * size), c.array(batch, tokens, keys * size)]
    for _ in range(2):
        inputs.append(c.array(batch, keys, past, size) if past else "")
        for sequence in range(batch * bool(past)):  # nothing lies behind the end of what was
            inputs[-1][sequence, :, lengths[sequence] - tokens:] = 0
    inputs += [np.int32(lengths) - 1, np.int32(max(lengths))]
    if rotary:
        angles = np.arange(10)[:, None] / 10 ** (np.arange(size // 2)[None] / 8)
        inputs += [(np.cos(angles).astype(np.float32),), (np.sin(angles).astype(np.float32),)]
    return c.node("GroupQueryAttention", inputs, ["y", "k", "v"], num_heads=heads, kv_num_heads=keys, do_rotary=int(rotary),
                  **attributes)


@case
def group_query_attention(c):
    return group_query(c, 2, 3, 0, [3, 3])


@case
def group_query_attention_packed(c):
    return group_query(c, 2, 3, 0, [3, 3], packed=True, rotary=True)


@case
def group_query_attention_past(c):
    return group_query(c, 2, 1, 4, [5, 5], rotary=True)


@case
def group_query_attention_lengths(c):
    return group_query(c, 2, 1, 4, [5, 3], rotary=True)


@case
def group_query_attention_interleaved(c):
    return group_query(c, 1, 2, 4, [6], rotary=True, rotary_interleaved=1, scale=0.3)


@case
def group_query_attention_window(c):
    return group_query(c, 1, 3, 4, [7], local_window_size=2)


@case
def group_query_attention_window_start(c):
    return group_query(c, 1, 5, 0, [5], local_window_size=2)


@case
def group_query_attention_softcap(c):
    return group_query(c, 1, 2, 4, [6], softcap=2.0)


def rotary(c, x, positions, **attributes):
    angles = np.arange(10)[:, None] / 10 ** (np.arange(4)[None] / 4)
    return c.node("RotaryEmbedding", [x, positions, (np.cos(angles).astype(np.float32),), (np.sin(angles).astype(np.float32),)],
                  **attributes)


@case
def rotary_embedding(c):
    return rotary(c, c.array(2, 3, 32), np.int64([4]))


@case
def rotary_embedding_positions(c):
    return rotary(c, c.array(2, 4, 3, 8), np.int64([[0, 1, 2], [5, 2, 7]]), interleaved=1)


@case
def rotary_embedding_partial(c):
    return rotary(c, c.array(2, 3, 48), np.int64([[0, 1, 2], [5, 2, 7]]), num_heads=4, rotary_embedding_dim=8)


# Recurrent layers, of which ONNX tests few forms: 5 steps of 2 sequences of 4 numbers, states of 6.

def recurrent(c, op, gates, lengths=None, directions=1, **attributes):
    inputs = [c.array(5, 2, 4), (c.array(directions, gates * 6, 4, scale=0.5),), (c.array(directions, gates * 6, 6, scale=0.5),),
              (c.array(directions, gates * 12, scale=0.5),), "" if lengths is None else np.int32(lengths)]
    outputs = ["y", "h", "c"] if op == "LSTM" else ["y", "h"]
    if directions == 2:
        attributes["direction"] = "bidirectional"
    return c.node(op, inputs, outputs, domain="", hidden_size=6, **attributes)


@case
def lstm_lengths(c):
    return recurrent(c, "LSTM", 4, [5, 3], directions=2)


@case
def gru_lengths(c):
    return recurrent(c, "GRU", 3, [2, 5], directions=2, linear_before_reset=1)


@case
def rnn_lengths(c):
    return recurrent(c, "RNN", 1, [4, 2], direction="reverse")


@case
def lstm_clip(c):
    return recurrent(c, "LSTM", 4, clip=0.5)


@case
def lstm_coupled(c):
    return recurrent(c, "LSTM", 4, input_forget=1)


@case
def lstm_activations(c):
    return recurrent(c, "LSTM", 4, activations=["HardSigmoid", "ScaledTanh", "Softsign"], activation_alpha=[0.3, 0.8],
                     activation_beta=[0.4, 1.2])


@case
def gru_activations(c):
    return recurrent(c, "GRU", 3, activations=["Sigmoid", "LeakyRelu"], activation_alpha=[0.1], clip=1.5)


@case
def rnn_activations(c):
    return recurrent(c, "RNN", 1, directions=2, activations=["Elu", "Softplus"], activation_alpha=[0.7])


@case
def rnn_affine(c):
    return recurrent(c, "RNN", 1, directions=2, activations=["Affine", "ThresholdedRelu"], activation_alpha=[0.5, 0.2],
                     activation_beta=[0.1])


if __name__ == "__main__":
    for name in sys.argv[1:] or CASES:
        print(name, flush=True)
        write(name)
