"""Imports models of one node in a form that is not supported, or of graphs and types that do not fit: refused_forms.py FOLDER LATHE.
Each has to be refused by an error that says why."""
import sys

import numpy as np
from onnx import TensorProto, helper

from malformed_shapes import check, one
from models import F, I, microsoft, model, node, tensor, value

B, H, U = TensorProto.BOOL, TensorProto.FLOAT16, TensorProto.UINT8
FLAT, X, UNKNOWN = ("x", (1, 2, 8)), ("x", (4, 3)), ("x", None)


def preview(graph):
    """FlexAttention with this in `score_mod`."""
    made = model([node("FlexAttention", ["q", "q", "q"], ["y"], domain="ai.onnx.preview", score_mod=graph)],
                 [value("q", (1, 2, 3, 8))], [value("y", (1, 2, 3, 8))], opset=26)
    made.opset_import.append(helper.make_opsetid("ai.onnx.preview", 1))
    return made


def body(inputs=("a",), outputs=("a",), kind=F):
    """A graph without nodes."""
    return helper.make_graph([], "body", [value(name, None, kind) for name in inputs], [value(name, None) for name in outputs])


def constant(name, kind):
    """A graph of one constant."""
    made = helper.make_tensor(name, kind, [1], [1])
    return helper.make_graph([node("Constant", [], [name], value=made)], "branch", [], [value(name, None, kind)])


def attend(op, names, **attributes):
    """An attention of com.microsoft, some of whose inputs x of rank 3, m of rank 4, i of integers are named."""
    inputs = [FLAT, ("m", (1, 1, 2, 2), I), ("i", (1,), I)]
    return microsoft(op, [i for i in inputs if i[0] in names], names=names, **attributes)


def call(function, inputs=("x",), opset=17):
    """A model that calls a function of its own."""
    function.opset_import[0].version = opset
    return model([node("f", list(inputs), ["y"], domain="local", name="the_node")], [value("x", (4,))], [value("y", (4,))],
                 functions=[function])


def function(outputs=("b",), nodes=None):
    return helper.make_function("local", "f", ["a"], list(outputs), nodes or [node("Relu", ["a"], ["b"])],
                                [helper.make_opsetid("", 17)])


def bad_default():
    """ONNX 1.12 does not know the field `attribute_proto`; its one byte here is no message."""
    made = call(function())
    made.functions[0].MergeFromString(b"\x5a\x01\xff")
    return made


def iteration(*carried):
    """A body of a Loop that gives nothing and takes values of these types."""
    states = [helper.make_value_info(f"s{i}", kind) for i, kind in enumerate(carried)]
    return helper.make_graph([], "body", [value("i", (), I), value("c", (), B), *states], [value("c", ())])


def loop(graph, states=("x",), outputs=("y",)):
    made = node("Loop", ["n", "c", *states], list(outputs), name="the_node", **({"body": graph} if graph else {}))
    return model([made], [value("n", (), I), value("c", (), B), value("x", (4,))], [value(o, None) for o in outputs])


def branches(first, second):
    made = node("If", ["c"], ["y"], name="the_node", then_branch=first, else_branch=second)
    return model([made], [value("c", (), B)], [value("y", None)])


def initialiser(change):
    made = model([node("Add", ["x", "w"], ["y"])], [value("x", (2,))], [value("y", (2,))], [tensor("w", np.float32([1, 2]))])
    change(made.graph)
    return made


def segment(graph):
    graph.initializer[0].segment.begin = 0


def external(graph):
    graph.initializer[0].ClearField("raw_data")
    graph.initializer[0].data_location = TensorProto.EXTERNAL


def sparse(graph):
    values = tensor("s", np.float32([1]))
    graph.sparse_initializer.append(helper.make_sparse_tensor(values, tensor("i", np.int64([0])), [2]))


def no_outputs(graph):
    del graph.output[:]


def input_type(kind):
    def change(graph):
        graph.input[0].type.CopyFrom(kind)

    return initialiser(change)


def sequence():
    return helper.make_sequence_type_proto(helper.make_tensor_type_proto(F, (2,)))


def twice():
    made = one("Softmax", [X], axis=1)
    made.graph.node[0].attribute.append(made.graph.node[0].attribute[0])
    return made


CASES = {
    # Attention.
    "expected inputs Q, K and V, but got fewer": lambda: one("Attention", [FLAT], names=["x", "x", ""], opset=23),
    "expected attributes 'q_num_heads' and 'kv_num_heads' for inputs of rank 3": lambda: one(
        "Attention", [FLAT], names=["x"] * 3, opset=23),
    "expected 'qk_matmul_output_mode' from 0 to 3, but got 4": lambda: one(
        "Attention", [FLAT], names=["x"] * 3, opset=23, q_num_heads=2, kv_num_heads=2, qk_matmul_output_mode=4),
    "expected a graph of one output in attribute 'score_mod', but got 2": lambda: preview(body(outputs=("a", "a"))),
    "expected a graph of 1 inputs in attribute 'score_mod', but got 2": lambda: preview(body(inputs=("a", "b"))),
    "expected a graph in attribute 'score_mod', but got none": lambda: preview(1),
    "expected attribute 'num_heads' for an input of rank 3, but got none": lambda: one(
        "RotaryEmbedding", [FLAT], names=["x"] * 3, opset=23),
    "expected an even 'rotary_embedding_dim', but got 3": lambda: one(
        "RotaryEmbedding", [FLAT], names=["x"] * 3, opset=23, num_heads=2, rotary_embedding_dim=3),
    "expected a mask of rank 1, 2 or 3, but got another one": lambda: attend(
        "MultiHeadAttention", ["x", "x", "x", "", "m"], num_heads=2),
    "MultiHeadAttention, opset 17): error: expected a positive attribute 'num_heads', but got 0": lambda: attend(
        "MultiHeadAttention", ["x"] * 3),
    "past_sequence_length and cache_indirection are not supported": lambda: attend(
        "MultiHeadAttention", ["x", "x", "x", "", "", "", "", "", "i"], num_heads=2),
    "microsoft.Attention, opset 17): error: expected a positive attribute 'num_heads', but got 0": lambda: attend(
        "Attention", ["x"] * 3),
    "a past is not supported": lambda: attend("Attention", ["x", "x", "x", "", "x"], num_heads=2),
    "packed batches are not supported": lambda: attend("RotaryEmbedding", ["x"] * 4, is_packed_batching=1),
    "a scale other than 1 is not supported": lambda: attend("RotaryEmbedding", ["x"] * 4, scale=2.0),
    "expected an input of rank 3 or 4, but got another one": lambda: attend("RotaryEmbedding", ["i"] * 4),
    "RotaryEmbedding, opset 17): error: expected attribute 'num_heads' for an input of rank 3": lambda: attend(
        "RotaryEmbedding", ["x", "i", "i", "i"]),
    "expected 'num_heads' to be a multiple of 'kv_num_heads', but got 3 and 2": lambda: attend(
        "GroupQueryAttention", ["x"] * 3, num_heads=3, kv_num_heads=2),
    "smooth softmax and sinks of heads are not supported": lambda: attend(
        "GroupQueryAttention", ["x"] * 3, num_heads=2, kv_num_heads=2, smooth_softmax=1),
    "the scores as a result are not supported": lambda: attend(
        "GroupQueryAttention", ["x"] * 3, num_heads=2, kv_num_heads=2, qk_output=1),
    # Broadcasting before opset 7.
    "expected an input 1 of known rank, but got an unknown one": lambda: one(
        "Add", [X, ("z", None)], opset=6, names=["x", "later"], broadcast=1, axis=1),
    "expected an input 0 of known rank, but got an unknown one": lambda: one(
        "Add", [X], opset=6, names=["later", "x"], broadcast=1, axis=1),
    "expected an axis where the dimensions of the second input fit, but got 1": lambda: one(
        "Add", [X], opset=6, names=["x", "x"], broadcast=1, axis=1),
    # Products and numbers of few bits.
    "transposed batches are not supported": lambda: microsoft("FusedMatMul", [X, ("z", (3, 4))], transBatchA=1),
    "expected operands of known rank": lambda: microsoft("FusedMatMul", [X], names=["later", "x"], transA=1),
    "expected attribute 'axis' and three inputs for each operand": lambda: microsoft(
        "QLinearConcat", [("s", ()), ("z", (), U), ("x", (4,), U)], names=["s", "z", "x", "s", "z"]),
    "expected an input of a known rank of 3 or more": lambda: microsoft(
        "QLinearGlobalAveragePool", [("x", (4, 3), U), ("s", ()), ("z", (), U)], names=["x", "s", "z", "s", "z"]),
    "channels in the last dimension are not supported": lambda: microsoft(
        "QLinearAveragePool", [("x", (1, 4, 4, 3), U), ("s", ()), ("z", (), U)], names=["x", "s", "z", "s", "z"],
        kernel_shape=[2, 2], channels_last=1),
    "expected positive attributes 'K', 'N' and 'block_size', and 'bits' of 2, 4 or 8": lambda: microsoft(
        "MatMulNBits", [("x", (1, 32)), ("w", (6, 2, 8), U), ("s", (12,))], K=32, N=6, bits=3, block_size=16),
    "g_idx is not supported": lambda: microsoft(
        "MatMulNBits", [("x", (1, 32)), ("w", (6, 2, 8), U), ("s", (12,))], names=["x", "w", "s", "", "s"], K=32, N=6,
        bits=4, block_size=16),
    # Losses, norms and states.
    "expected reduction none, sum or mean, but got max": lambda: one(
        "NegativeLogLikelihoodLoss", [X, ("t", (4,), I)], reduction="max"),
    "the form for training, with is_test = 0, is not supported": lambda: one(
        "BatchNormalization", [X, ("s", (3,))], opset=6, names=["x", "s", "s", "s", "s"], outputs=("y", "z")),
    "the form for training, with more than one output, is not supported": lambda: one(
        "BatchNormalization", [X, ("s", (3,))], opset=9, names=["x", "s", "s", "s", "s"], outputs=("y", "z")),
    "expected a positive attribute 'num_groups', but got none": lambda: one(
        "GroupNormalization", [X, ("s", (3,))], opset=18, names=["x", "s", "s"]),
    "expected a negative axis for an input of unknown rank, but got 0": lambda: one(
        "RMSNormalization", [("s", (3,))], opset=23, names=["later", "s"], axis=0),
    "expected an axis within the input's rank": lambda: one("RMSNormalization", [X, ("s", (3,))], opset=23, axis=2),
    "expected a weight of known shape and rank 3": lambda: one("CausalConvWithState", [FLAT, ("w", (2, 4))], opset=27),
    "expected activation none, silu or swish, but got relu": lambda: one(
        "CausalConvWithState", [FLAT, ("w", (2, 1, 4))], opset=27, activation="relu"),
    "expected an update of known rank": lambda: one("TensorScatter", [X], names=["x", "later"], opset=24),
    "expected an axis behind the first, but got 0": lambda: one("TensorScatter", [X], names=["x", "x"], opset=24, axis=0),
    "expected mode linear or circular, but got square": lambda: one(
        "TensorScatter", [X], names=["x", "x"], opset=24, axis=1, mode="square"),
    # Operators of old opsets that move data.
    "expected attributes 'starts' and 'ends', but got only one or none": lambda: one("Slice", [X], opset=9, starts=[0]),
    "expected the name of an element type in 'to', but got another one": lambda: one("Cast", [X], opset=5, to="NUMBER"),
    "expected attribute 'k', but got none": lambda: one("TopK", [X], opset=9, outputs=("y", "i")),
    "expected attributes 'height_scale' and 'width_scale', but got only one or none": lambda: one(
        "Upsample", [("x", (1, 1, 4, 4))], opset=1, height_scale=2.0),
    "expected scales, but got none": lambda: one("Upsample", [("x", (1, 1, 4, 4))], opset=9),
    "the form of opset 8 with sequence lengths is not supported": lambda: one(
        "Scan", [("l", (2,), I), ("x", (2, 3, 2))], opset=8, num_scan_inputs=1, body=body()),
    "the form of opset 8 is not supported for batches of a size known only at run time": lambda: one(
        "Scan", [("x", ("n", 3, 2))], opset=8, names=["", "x"], num_scan_inputs=1, body=body()),
    # Nodes and constants.
    "expected one attribute and one output": lambda: one("Constant", [], value_int=1, value_float=1.0),
    "attribute 'value': tensors in segments are not supported": lambda: one("Constant", [], value=segmented()),
    "expected a name of input 1, but got none": lambda: one("Concat", [X], names=["x", "", "x"], axis=0),
    "expected attribute 'axis' once, but got it twice": twice,
    "initialiser 's': sparse tensors are not supported": lambda: initialiser(sparse),
    "initialiser 'w': tensors in segments are not supported": lambda: initialiser(segment),
    "initialiser 'w': expected a location of external data, but got none": lambda: initialiser(external),
    "expected a graph with outputs, but got none": lambda: initialiser(no_outputs),
    # Functions.
    "expected at most 1 inputs and 1 outputs of the function, but got 2 and 1": lambda: call(function(), ("x", "x")),
    "but got opset 99": lambda: call(function(), opset=99),
    "the function has a default attribute that is not valid": bad_default,
    "output 'c' of the function is not computed by any node": lambda: call(function(outputs=("c",))),
    # Bodies.
    "expected a body of 3 inputs, but got 1": lambda: loop(body()),
    "input 'a' of its body: expected elements of 'i64', but got 'f32'": lambda: loop(body(("a", "b", "d"))),
    "expected a graph in attribute 'body', but got none": lambda: loop(None),
    "expected 2 outputs of graph 'body', but got 1": lambda: loop(iteration(), states=()),
    "expected the same element type of output 0 in both branches, but got 'i64' and 'f32'": lambda: branches(
        constant("p", F), constant("q", I)),
    # Types.
    "expected a tensor type, but got a sequence": lambda: loop(
        iteration(helper.make_sequence_type_proto(sequence()))),
    "expected a tensor type, but got an optional": lambda: loop(
        iteration(helper.make_sequence_type_proto(helper.make_optional_type_proto(sequence())))),
    "only tensor types are supported": lambda: input_type(
        helper.make_sparse_tensor_type_proto(F, (2,))),
}


def segmented():
    made = tensor("v", np.float32([1]))
    made.segment.begin = 0
    return made


if __name__ == "__main__":
    check(CASES, sys.argv[1], [sys.argv[2], "compile", f"{sys.argv[1]}/model.onnx", "--compile-to=import"])
