"""Writes models that have every operator of ONNX, in the form of one opset each.

    opsets.py FOLDER LATHE-OPERATORS

FOLDER/opset-N.onnx, for N from 7 to 28, has a node for each operator that this opset has, with all the optional inputs and
attributes that the operator has there. Forms up to opset 17 come from python3-onnx, what later ones changed is below.
FOLDER/unsupported.onnx has those that are out of scope. Fails if there is no node for an operator that LATHE-OPERATORS lists.
"""
import subprocess
import sys

import numpy as np
import onnx
import onnx.defs
from onnx import TensorProto, helper, numpy_helper

OLDEST, SCHEMAS, NEWEST = 7, 17, 28
OUT_OF_SCOPE = ["ImageDecoder", "RegexFullMatch", "StringConcat", "StringNormalizer", "StringSplit"]
FOREIGN = [("ai.onnx.ml", "TreeEnsemble"), ("ai.onnx.preview.training", "Adam")]
KINDS = {"float": np.float32, "int64": np.int64, "int32": np.int32, "bool": np.bool_, "uint8": np.uint8, "int8": np.int8}


class X:
    """An input of the graph."""

    def __init__(self, *shape, kind=np.float32):
        self.shape, self.kind = shape, np.dtype(kind)


def f(*shape):
    return np.full(shape, 0.5, np.float32)


def i(*values):
    return np.int64(values)


def graph(*nodes, inputs=(), outputs=()):
    def info(name, kind=TensorProto.FLOAT, shape=()):
        return helper.make_tensor_value_info(name, kind, shape)

    return helper.make_graph(list(nodes), "body", [info(*v) for v in inputs], [info(*v) for v in outputs])


def pool(v, **more):
    return dict(kernel_shape=[2, 2], strides=[2, 1], pads=[0, 1, 0, 1], **more)


def listed(v, since, name, values, inputs, **attributes):
    """A list that was an attribute before opset `since`, and is an input from there on."""
    return (inputs + [i(*values)], attributes) if v >= since else (inputs, {name: list(values), **attributes})


def recurrent(gates):
    states = [f(2, 3, 5)] * (2 if gates == 4 else 1) + ([f(2, 15)] if gates == 4 else [])
    return ([X(6, 3, 4), f(2, gates * 5, 4), f(2, gates * 5, 5), f(2, gates * 10), np.int32([6, 4, 2])] + states,
            dict(hidden_size=5, direction="bidirectional", clip=2.0))


def pad(v):
    if v < 11:
        return [X(2, 4)], dict(pads=[0, 1, 0, 1], mode="constant", value=1.0)
    return [X(2, 4), i(1, 1) if v >= 18 else i(0, 1, 0, 1), f()] + ([i(1)] if v >= 18 else []), dict(mode="constant")


def resize(v):
    if v == 10:
        return [X(1, 2, 4, 4), np.float32([1, 1, 2, 2])], {}
    return [X(1, 2, 4, 4), np.float32([]), np.float32([1, 1, 2, 2])], dict(mode="linear") | (
        dict(antialias=0, keep_aspect_ratio_policy="stretch") if v >= 18 else {})


def top_k(v):
    if v < 10:
        return [X(2, 8)], dict(k=3, axis=1)
    return [X(2, 8), i(3)], dict(axis=1) | (dict(largest=0, sorted=1) if v >= 11 else {})


def slice_(v):
    if v < 10:
        return [X(4, 8)], dict(starts=[0], ends=[6], axes=[1])
    return [X(4, 8), i(0), i(6), i(1), i(2)], {}


def scan(v):
    body = graph(helper.make_node("Add", ["s", "x"], ["t"]), helper.make_node("Identity", ["t"], ["u"]),
                 inputs=[("s", 1, (2,)), ("x", 1, (2,))], outputs=[("t", 1, (2,)), ("u", 1, (2,))])
    if v == 8:
        return ["", f(1, 2), f(1, 3, 2)], dict(body=body, num_scan_inputs=1, directions=[1]), 2
    return [f(2), f(3, 2)], dict(body=body, num_scan_inputs=1, scan_input_axes=[0], scan_input_directions=[1],
                                 scan_output_axes=[0], scan_output_directions=[0]), 2


def loop(v):
    body = graph(helper.make_node("Add", ["s", "s"], ["t"]), helper.make_node("Identity", ["c"], ["d"]),
                 helper.make_node("Identity", ["s"], ["u"]),
                 inputs=[("n", TensorProto.INT64), ("c", TensorProto.BOOL), ("s", 1, (2,))],
                 outputs=[("d", TensorProto.BOOL), ("t", 1, (2,)), ("u", 1, (2,))])
    return [i(3).reshape(()), np.bool_(True), f(2)], dict(body=body), 2


def branches(v):
    make = lambda op: graph(helper.make_node(op, ["branch_x"], [f"branch_{op}"]), outputs=[(f"branch_{op}", 1, (2,))])
    return [X(kind=np.bool_)], dict(then_branch=make("Relu"), else_branch=make("Neg"))


def quantize(v):
    if v < 13:
        return [X(2, 4), f(), np.uint8(128)], {}
    return [X(2, 4), f(4), np.uint8([128] * 4)], dict(axis=1) | (dict(saturate=1) if v >= 19 else {}) | (
        dict(block_size=0, output_dtype=0) if v >= 21 else {}) | (dict(precision=0) if v >= 23 else {})


def dequantize(v):
    if v < 13:
        return [X(2, 4, kind=np.uint8), f(), np.uint8(128)], {}
    return [X(2, 4, kind=np.uint8), f(4), np.uint8([128] * 4)], dict(axis=1) | (dict(block_size=0) if v >= 21 else {}) | (
        dict(output_dtype=0) if v >= 23 else {})


def cast(v):
    return dict(saturate=1) if v >= 19 else {}


def squeeze(v):
    return listed(v, 13, "axes", [1], [X(2, 1, 4)])


def reduce(v):
    return listed(v, 18, "axes", [1], [X(2, 3, 4)], keepdims=0)


def optional(v):
    return [Node("Optional", [X(2)])]


class Node:
    """Another node, of which an input is the output."""

    def __init__(self, op, inputs, **attributes):
        self.op, self.inputs, self.attributes = op, inputs, attributes


def sequence():
    return Node("SequenceConstruct", [X(2, 3), X(2, 3)])


def drop(v):
    if v < 12:
        return [X(2, 3)], dict(ratio=0.25)
    return [X(2, 3), np.float32(0.25), np.bool_(False)], dict(seed=1)


# What a node of the operator has, by opset: inputs, attributes beside those with defaults, and how many outputs if not all.
EXAMPLES = {
    "AffineGrid": lambda v: ([X(2, 2, 3), i(2, 3, 4, 5)], dict(align_corners=1)),
    "ArgMax": lambda v: ([X(2, 3)], {}),
    "ArgMin": lambda v: ([X(2, 3)], {}),
    "Attention": lambda v: ([X(1, 2, 3, 8)] * 3 + [f(3, 3)], dict(is_causal=1, scale=0.5, softcap=2.0, qk_matmul_output_mode=0), 1),
    "AveragePool": lambda v: ([X(1, 3, 6, 6)], pool(v) | (dict(dilations=[2, 2]) if v >= 19 else {})),
    "BatchNormalization": lambda v: ([X(2, 3, 4)] + [f(3)] * 4, {}, 1),
    "BitCast": lambda v: ([X(2, 3)], dict(to=TensorProto.INT32)),
    "BitShift": lambda v: ([X(2, 3, kind=np.uint8)] * 2, dict(direction="LEFT")),
    "BlackmanWindow": lambda v: ([i(8).reshape(())], {}),
    "Cast": lambda v: ([X(2, 3)], dict(to=TensorProto.INT32) | cast(v)),
    "CastLike": lambda v: ([X(2, 3), X(1, kind=np.int32)], cast(v)),
    "CausalConvWithState": lambda v: ([X(2, 4, 8), f(4, 1, 3), f(4), f(2, 4, 2)], dict(activation="silu"), 2),
    "CenterCropPad": lambda v: ([X(4, 6), i(2, 8)], dict(axes=[0, 1])),
    "Clip": lambda v: ([X(2, 3), f(), f()], {}) if v >= 11 else ([X(2, 3)], {}),
    "Col2Im": lambda v: ([X(1, 4, 9), i(4, 4), i(2, 2)], dict(dilations=[1, 1], pads=[0] * 4, strides=[1, 1])),
    "Compress": lambda v: ([X(4, 2), np.bool_([1, 0, 1, 1])], dict(axis=0)),
    "Concat": lambda v: ([X(2, 3), X(2, 3)], dict(axis=1)),
    "ConcatFromSequence": lambda v: ([sequence()], dict(axis=0, new_axis=1)),
    "Constant": lambda v: ([], dict(value=numpy_helper.from_array(f(2)))),
    "ConstantOfShape": lambda v: ([i(2, 3)], dict(value=numpy_helper.from_array(f(1)))),
    "Conv": lambda v: ([X(1, 4, 8, 8), f(6, 2, 3, 3), f(6)],
                       dict(group=2, kernel_shape=[3, 3], pads=[1, 1, 0, 0], strides=[2, 2], dilations=[1, 1])),
    "ConvInteger": lambda v: ([X(1, 4, 8, 8, kind=np.uint8), np.ones((6, 2, 3, 3), np.uint8), np.uint8(1), np.uint8(2)],
                              dict(group=2, kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2], dilations=[1, 1])),
    "ConvTranspose": lambda v: ([X(1, 4, 5, 5), f(4, 3, 3, 3), f(6)],
                                dict(group=2, kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2], dilations=[1, 1], output_padding=[1, 1])),
    "CumProd": lambda v: ([X(2, 3), i(1).reshape(())], dict(exclusive=1, reverse=1)),
    "CumSum": lambda v: ([X(2, 3), i(1).reshape(())], dict(exclusive=1, reverse=1)),
    "DFT": lambda v: ([X(2, 8, 1), i(8).reshape(())] + ([i(1).reshape(())] if v >= 20 else []), dict(onesided=1) | ({} if v >= 20 else dict(axis=1))),
    "DeformConv": lambda v: ([X(1, 2, 4, 4), f(2, 2, 2, 2), f(1, 8, 3, 3), f(2), f(1, 4, 3, 3)],
                             dict(kernel_shape=[2, 2], pads=[0] * 4, strides=[1, 1], dilations=[1, 1], group=1, offset_group=1)),
    "DepthToSpace": lambda v: ([X(1, 8, 2, 2)], dict(blocksize=2)),
    "DequantizeLinear": dequantize,
    "Det": lambda v: ([X(2, 3, 3)], {}),
    "Dropout": drop,
    "Einsum": lambda v: ([X(2, 3), X(3, 4)], dict(equation="ij,jk->ik")),
    "Expand": lambda v: ([X(2, 1), i(2, 3)], {}),
    "EyeLike": lambda v: ([X(3, 3)], dict(dtype=1)),
    "GRU": lambda v: recurrent(3),
    "Gather": lambda v: ([X(4, 3), i(0, 2)], {}),
    "GatherElements": lambda v: ([X(2, 3), i(0, 1, 1).reshape(1, 3)], {}),
    "GatherND": lambda v: ([X(2, 3), i(0, 1).reshape(2, 1)], dict(batch_dims=1) if v >= 12 else {}),
    "Gelu": lambda v: ([X(2, 3)], dict(approximate="tanh")),
    "Gemm": lambda v: ([X(3, 2), f(4, 3), f(4)], dict(transA=1, transB=1)),
    "GridSample": lambda v: ([X(1, 2, 4, 4), X(1, 3, 3, 2)], dict(mode="linear" if v >= 20 else "bilinear")),
    "GroupNormalization": lambda v: ([X(2, 4, 3)] + [f(4 if v >= 21 else 2)] * 2, dict(num_groups=2) | (dict(stash_type=1) if v >= 21 else {})),
    "HammingWindow": lambda v: ([i(8).reshape(())], {}),
    "HannWindow": lambda v: ([i(8).reshape(())], {}),
    "If": branches,
    "InstanceNormalization": lambda v: ([X(2, 3, 4), f(3), f(3)], {}),
    "LRN": lambda v: ([X(1, 4, 3, 3)], dict(size=3)),
    "LSTM": lambda v: recurrent(4),
    "LayerNormalization": lambda v: ([X(2, 3, 4), f(4), f(4)], {}),
    "LinearAttention": lambda v: ([X(1, 4, 16)] * 3 + [f(1, 2, 8, 8), f(1, 4, 2), f(1, 4, 2)], dict(q_num_heads=2, kv_num_heads=2), 2),
    "Loop": loop,
    "LpPool": lambda v: ([X(1, 3, 6, 6)], pool(v, p=1) | (dict(dilations=[2, 2], ceil_mode=1) if v >= 18 else {})),
    "MatMul": lambda v: ([X(2, 3), X(3, 4)], {}),
    "MatMulInteger": lambda v: ([X(2, 3, kind=np.uint8), np.ones((3, 4), np.uint8), np.uint8(1), np.uint8([1] * 4)], {}),
    "MaxPool": lambda v: ([X(1, 3, 6, 6)], pool(v) | (dict(dilations=[2, 2]) if v >= 10 else {})),
    "MaxRoiPool": lambda v: ([X(1, 2, 6, 6), f(3, 5)], dict(pooled_shape=[2, 2])),
    "MaxUnpool": lambda v: ([X(1, 1, 2, 2), i(0, 3, 8, 11).reshape(1, 1, 2, 2), i(1, 1, 4, 4)],
                            dict(kernel_shape=[2, 2], strides=[2, 2], pads=[0] * 4)),
    "MeanVarianceNormalization": lambda v: ([X(2, 3, 4, 4)], {}),
    "MelWeightMatrix": lambda v: ([i(n).reshape(()) for n in (8, 16, 8000)] + [f(), np.float32(4000)], {}),
    "Multinomial": lambda v: ([X(2, 4)], dict(sample_size=3, seed=1.0)),
    "NegativeLogLikelihoodLoss": lambda v: ([X(2, 3), i(0, 2), f(3)], dict(ignore_index=1)),
    "NonMaxSuppression": lambda v: ([X(1, 6, 4), X(1, 2, 6), i(3), np.float32([0.5]), np.float32([0.1])], {}),
    "OneHot": lambda v: ([X(2, 3, kind=np.int64), i(5), np.float32([0, 1])], {}),
    "Optional": lambda v: ([X(2)], {}),
    "OptionalGetElement": lambda v: (optional(v), {}),
    "OptionalHasElement": lambda v: (optional(v), {}),
    "PRelu": lambda v: ([X(2, 3), f(3)], {}),
    "Pad": pad,
    "QLinearConv": lambda v: ([X(1, 2, 4, 4, kind=np.uint8), f(), np.uint8(1), np.ones((3, 2, 2, 2), np.uint8), f(3), np.uint8([1] * 3), f(),
                               np.uint8(3), np.int32([1, 2, 3])], dict(kernel_shape=[2, 2], pads=[1] * 4, strides=[1, 1], dilations=[1, 1])),
    "QLinearMatMul": lambda v: ([X(2, 3, kind=np.uint8), f(), np.uint8(1), np.ones((3, 4), np.uint8), f(), np.uint8(1), f(), np.uint8(1)], {}),
    "QuantizeLinear": quantize,
    "RMSNormalization": lambda v: ([X(2, 3, 4), f(4)], dict(axis=-1, epsilon=1e-5, stash_type=1)),
    "RNN": lambda v: recurrent(1),
    "RandomNormal": lambda v: ([], dict(shape=[2, 3], seed=1.0)),
    "RandomUniform": lambda v: ([], dict(shape=[2, 3], seed=1.0)),
    "RandomNormalLike": lambda v: ([X(2, 3)], dict(seed=1.0, dtype=1)),
    "RandomUniformLike": lambda v: ([X(2, 3)], dict(seed=1.0, dtype=1)),
    "Range": lambda v: ([np.float32(n) for n in (0, 5, 1)], {}),
    "ReduceSum": lambda v: listed(v, 13, "axes", [1], [X(2, 3, 4)], keepdims=0),
    "Reshape": lambda v: ([X(2, 6), i(3, 4)], {}),
    "Resize": resize,
    "ReverseSequence": lambda v: ([X(4, 2), i(4, 2)], {}),
    "RoiAlign": lambda v: ([X(1, 2, 6, 6), f(3, 4), i(0, 0, 0)], {}),
    "RotaryEmbedding": lambda v: ([X(1, 2, 3, 8), f(5, 4), f(5, 4), i(0, 1, 2).reshape(1, 3)], dict(interleaved=1, num_heads=2, rotary_embedding_dim=0)),
    "STFT": lambda v: ([X(1, 32, 1), i(4).reshape(()), f(8), i(8).reshape(())], {}),
    "Scan": scan,
    "Scatter": lambda v: ([X(4), i(1), f(1)], {}),
    "ScatterElements": lambda v: ([X(4), i(1), f(1)], dict(reduction="max") if v >= 18 else {}),
    "ScatterND": lambda v: ([X(4), i(1).reshape(1, 1), f(1)], dict(reduction="min") if v >= 18 else {}),
    "SequenceAt": lambda v: ([sequence(), i(1).reshape(())], {}),
    "SequenceConstruct": lambda v: ([X(2), X(3)], {}),
    "SequenceEmpty": lambda v: ([], dict(dtype=1)),
    "SequenceErase": lambda v: ([sequence(), i(1).reshape(())], {}),
    "SequenceInsert": lambda v: ([sequence(), X(2, 3), i(1).reshape(())], {}),
    "SequenceLength": lambda v: ([sequence()], {}),
    "SequenceMap": lambda v: ([sequence()], dict(body=graph(helper.make_node("Relu", ["map_x"], ["map_y"]), inputs=[("map_x", 1, (2, 3))],
                                                            outputs=[("map_y", 1, (2, 3))]))),
    "SimplifiedLayerNormalization": lambda v: ([X(2, 3, 4), f(4)], dict(axis=-1, epsilon=1e-5, stash_type=1)),
    "Slice": slice_,
    "SoftmaxCrossEntropyLoss": lambda v: ([X(2, 3), i(0, 2), f(3)], dict(ignore_index=1)),
    "SpaceToDepth": lambda v: ([X(1, 2, 4, 4)], dict(blocksize=2)),
    "Split": lambda v: ([X(2, 6)], dict(axis=1, num_outputs=2), 2) if v >= 18 else (*listed(v, 13, "split", [2, 4], [X(2, 6)], axis=1), 2),
    "SplitToSequence": lambda v: ([X(4, 2), i(1, 3)], {}),
    "Squeeze": squeeze,
    "SwiGLU": lambda v: ([X(2, 3), X(2, 3)], dict(alpha=1.0)),
    "Swish": lambda v: ([X(2, 3)], dict(alpha=2.0)),
    "TensorScatter": lambda v: ([X(2, 4, 5), f(2, 1, 5), i(0, 3)], dict(mode="linear", axis=-2)),
    "TfIdfVectorizer": lambda v: ([X(2, 6, kind=np.int32)], dict(
        mode="TFIDF", min_gram_length=1, max_gram_length=2, max_skip_count=0, ngram_counts=[0, 2], ngram_indexes=[0, 1, 2],
        pool_int64s=[1, 2, 1, 2], weights=[1.0, 2.0, 3.0])),
    "Tile": lambda v: ([X(2, 3), i(1, 2)], {}),
    "TopK": top_k,
    "Transpose": lambda v: ([X(2, 3)], dict(perm=[1, 0])),
    "Trilu": lambda v: ([X(3, 3), i(1).reshape(())], {}),
    "Unique": lambda v: ([X(4)], dict(axis=0)),
    "Unsqueeze": squeeze,
    "Upsample": lambda v: ([X(1, 2, 3, 3), np.float32([1, 1, 2, 2])], {}) if v >= 9 else ([X(1, 2, 3, 3)], dict(scales=[1.0, 1.0, 2.0, 2.0])),
    "Where": lambda v: ([X(2, 3, kind=np.bool_), X(2, 3), X(3)], {}),
}
REDUCTIONS = ["ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSumSquare"]
EXAMPLES.update({name: reduce for name in REDUCTIONS})
for name in ("And", "Or", "Xor"):
    EXAMPLES["Bitwise" + name] = lambda v: ([X(2, 3, kind=np.int32)] * 2, {})
EXAMPLES["BitwiseNot"] = lambda v: ([X(2, 3, kind=np.int32)], {})
EXAMPLES["Mish"] = lambda v: ([X(2, 3)], {})

EXAMPLES.update({name: lambda v: ([X(1, 2, 4, 4)], {}) for name in ("GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool")})

# Shapes of outputs of which only the values decide how large they are.
DECLARED = {"Compress_0": (4, 2), "NonMaxSuppression_0": (6, 3), "NonZero_0": (2, 6), **{f"Unique_{k}": (4,) for k in range(4)}}

# The opsets after 17 that brought operators.
NEW = {7: ["SimplifiedLayerNormalization"],  # what ONNX Runtime adds to the domain
       18: ["BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor", "CenterCropPad", "Col2Im", "GroupNormalization", "Mish"],
       19: ["DeformConv"], 20: ["AffineGrid", "Gelu"], 23: ["Attention", "RMSNormalization", "RotaryEmbedding"],
       24: ["Swish", "TensorScatter"], 26: ["BitCast", "CumProd"], 27: ["CausalConvWithState", "LinearAttention"], 28: ["SwiGLU"]}


def generic(schema):
    """Values of the first of KINDS that each input may have."""
    allowed = {c.type_param_str: c.allowed_type_strs for c in schema.type_constraints}
    inputs = []
    for formal in schema.inputs:
        types = allowed.get(formal.typeStr, [formal.typeStr])
        kind = next(KINDS[k] for k in KINDS if f"tensor({k})" in types)
        inputs += [X(2, 3, kind=kind)] * (2 if formal.option == onnx.defs.OpSchema.FormalParameterOption.Variadic else 1)
    return inputs, {}


class Model:
    def __init__(self, opset):
        self.opset, self.nodes, self.inputs, self.constants, self.outputs = opset, [], [], [], []

    def value(self, operand):
        """The name of an input, a constant, or what another node makes."""
        if isinstance(operand, str):
            return operand
        if isinstance(operand, Node):
            return self.node(operand.op, operand.inputs, operand.attributes, 1, f"{operand.op}_for_{len(self.nodes)}")[0]
        if isinstance(operand, X):
            name = f"x{len(self.inputs)}"
            self.inputs.append(helper.make_tensor_value_info(name, helper.mapping.NP_TYPE_TO_TENSOR_TYPE[operand.kind], operand.shape))
        else:
            name = f"c{len(self.constants)}"
            self.constants.append(numpy_helper.from_array(np.asarray(operand), name))
        return name

    def node(self, op, inputs, attributes, count, name):
        inputs = [self.value(operand) for operand in inputs]
        outputs = [f"{name}_{k}" for k in range(count)]
        self.nodes.append(helper.make_node(op, inputs, outputs, name=name, **attributes))
        return outputs

    def add(self, op, schema):
        example = EXAMPLES[op](self.opset) if op in EXAMPLES else generic(schema)
        inputs, attributes, *count = example
        defaults = {}
        if schema:
            defaults = {a.name: helper.get_attribute_value(a.default_value) for a in schema.attributes.values() if a.default_value.name}
            if op in REDUCTIONS and self.opset >= 18:
                defaults["noop_with_empty_axes"] = 0
            if op == "DFT" and self.opset >= 20:
                del defaults["axis"]
        # A variadic output is one.
        self.outputs += self.node(op, inputs, defaults | attributes, count[0] if count else len(schema.outputs) if schema else 1, op)

    @staticmethod
    def output(name):
        kind = TensorProto.FLOAT if name in ("Compress_0", "Unique_0") else TensorProto.INT64
        return helper.make_tensor_value_info(name, kind, DECLARED[name]) if name in DECLARED else helper.ValueInfoProto(name=name)

    def save(self, path):
        branch = [t for t in self.constants if t.name == "branch_x"] or [numpy_helper.from_array(f(2), "branch_x")]
        made = helper.make_graph(self.nodes, "graph", self.inputs, [self.output(o) for o in self.outputs], self.constants + branch)
        onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8, producer_name="test"), path)


def find_schema(op, opset):
    """Null if python3-onnx does not have the operator at this opset, or it is gone by then."""
    try:
        schema = onnx.defs.get_schema(op, min(opset, SCHEMAS))
    except onnx.defs.SchemaError:
        return None
    return None if schema.deprecated else schema


def main():
    folder, tool = sys.argv[1:]
    known = {schema.name for schema in onnx.defs.get_all_schemas_with_history() if schema.domain == ""}
    written = set()
    for opset in range(OLDEST, NEWEST + 1):
        model = Model(opset)
        for op in sorted(known - set(OUT_OF_SCOPE)):
            if schema := find_schema(op, opset):
                model.add(op, schema)
        for op in sorted(op for since, ops in NEW.items() if since <= opset for op in ops):
            model.add(op, None)
        written |= {node.op_type for node in model.nodes}
        model.save(f"{folder}/opset-{opset}.onnx")
    model = Model(20)
    for op in OUT_OF_SCOPE:
        model.outputs += model.node(op, [X(2)], {}, 1, f"my_{op}")
    for domain, op in FOREIGN:
        model.outputs += model.node(op, [X(2)], {"domain": domain}, 1, f"my_{op}")
    model.save(f"{folder}/unsupported.onnx")

    lines = subprocess.run([tool], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    missing = {line.split("\t")[1] for line in lines if line.startswith("\t")} - written
    if missing:
        sys.exit(f"expected a node for each operator, but got none for {sorted(missing)}")


main()
