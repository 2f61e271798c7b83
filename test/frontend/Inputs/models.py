"""Writes some of the small models below. Nothing is checked, so they may be wrong on purpose."""
import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

F, I = TensorProto.FLOAT, TensorProto.INT64
node = helper.make_node
MODELS = {}


def value(name, shape, kind=F):
    return helper.make_tensor_value_info(name, kind, shape)


def tensor(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def model(nodes, inputs, outputs, initialisers=(), opset=17, functions=(), **rest):
    graph = helper.make_graph(list(nodes), "graph", inputs, outputs, list(initialisers), **rest)
    imports = [helper.make_opsetid("", opset)] + [helper.make_opsetid("local", 1)] * bool(functions)
    return helper.make_model(graph, opset_imports=imports, functions=list(functions), producer_name="test")


def old(op, opset, x=("n", 8, 4, 4), inputs=(), outputs=("y",), kind=F, **attributes):
    """One node `op` as `opset` has it, on x and initialisers."""
    names = [name for name, _ in inputs]
    made = node(op, ["x"] + names, outputs, name="the_node", **attributes)
    return model([made], [value("x", x, kind)], [helper.ValueInfoProto(name=o) for o in outputs if o],
                 [tensor(n, a) for n, a in inputs if n], opset)


def define(function):
    MODELS[function.__name__.replace("_", "-")] = function
    return function


for name, make in {
        "clip-6": lambda: old("Clip", 7, min=0.0, max=6.0),
        "clip-f16": lambda: old("Clip", 7, kind=TensorProto.FLOAT16, max=6.0),
        "softmax-11": lambda: old("Softmax", 11),
        "softmax-11-last": lambda: old("Softmax", 11, axis=3),
        "softmax-13": lambda: old("Softmax", 13, axis=1),
        "squeeze-11": lambda: old("Squeeze", 11, x=("n", 1, 4), axes=[1]),
        "unsqueeze-11": lambda: old("Unsqueeze", 11, axes=[0, 2]),
        "slice-9": lambda: old("Slice", 9, starts=[1], ends=[3], axes=[2]),
        "pad-2": lambda: old("Pad", 10, pads=[0, 0, 1, 1, 0, 0, 1, 1], value=2.0),
        "split-11": lambda: old("Split", 11, outputs=("y", "z"), axis=1, split=[2, 6]),
        "split-13": lambda: old("Split", 13, outputs=("y", "z"), axis=1),
        "topk-9": lambda: old("TopK", 9, outputs=("y", "i"), k=3),
        "upsample-7": lambda: old("Upsample", 7, mode="linear", scales=[1.0, 1.0, 2.0, 2.0]),
        "resize-10": lambda: old("Resize", 10, inputs=[("s", np.float32([1, 1, 2, 2]))]),
        "resize-11": lambda: old("Resize", 11, inputs=[("roi", np.float32([])), ("s", np.float32([])),
                                                       ("sizes", np.int64([1, 8, 9, 9]))]),
        "reducesum-11": lambda: old("ReduceSum", 11, axes=[1], keepdims=0),
        "reducemean-17": lambda: old("ReduceMean", 17, axes=[-1]),
        "dropout-7": lambda: old("Dropout", 7, outputs=("y", "mask"), ratio=0.25),
        "batchnorm-7": lambda: old("BatchNormalization", 7, spatial=1,
                                   inputs=[(n, np.ones(8, np.float32)) for n in "sbmv"]),
        "batchnorm-7-elements": lambda: old("BatchNormalization", 7, spatial=0,
                                            inputs=[(n, np.ones(8, np.float32)) for n in "sbmv"]),
        "groupnorm-18": lambda: old("GroupNormalization", 18, num_groups=2,
                                    inputs=[(n, np.ones(2, np.float32)) for n in "sb"]),
        "scatter-9": lambda: old("Scatter", 9, x=(4,), inputs=[("i", np.int64([1])), ("u", np.float32([2]))]),
        "roialign-10": lambda: old("RoiAlign", 10, inputs=[("r", np.ones((2, 4), np.float32)),
                                                          ("b", np.int64([0, 0]))]),
        "gridsample-20": lambda: old("GridSample", 20, inputs=[("g", np.ones((1, 2, 2, 2), np.float32))],
                                     mode="linear"),
        "swish": lambda: old("Swish", 24, alpha=2.0),
        "swiglu": lambda: old("SwiGLU", 28, x=("n", 8), inputs=[("b", np.ones(8, np.float32))], alpha=0.5),
        "causal-conv": lambda: old("CausalConvWithState", 27, x=("n", 4, 8), outputs=("y", "state"), activation="silu",
                                   inputs=[("w", np.ones((4, 1, 3), np.float32))]),
        "tensor-scatter": lambda: old("TensorScatter", 24, x=(2, 4, 5), mode="circular",
                                      inputs=[("u", np.ones((2, 1, 5), np.float32)), ("i", np.int64([0, 3]))]),
        "rmsnorm": lambda: old("RMSNormalization", 23, x=("n", 16), inputs=[("s", np.ones(16, np.float32))]),
        "attention": lambda: model([node("Attention", ["q", "k", "v", "mask"], ["y"], name="attend", q_num_heads=4,
                                         kv_num_heads=2, is_causal=1)],
                                   [value("q", ("b", 3, 32)), value("k", ("b", 5, 16)), value("v", ("b", 5, 16)),
                                    value("mask", (3, 5), TensorProto.BOOL)], [value("y", ("b", 3, 32))], opset=23),
        "attention-heads": lambda: model([node("Attention", ["q", "q", "q"], ["y"], name="attend", q_num_heads=3,
                                               kv_num_heads=2, colour=1)],
                                         [value("q", (1, 3, 24))], [value("y", (1, 3, 24))], opset=23),
        "attention-unknown": lambda: model([node("Attention", ["q", "q", "q"], ["y"], name="attend", colour=1)],
                                           [value("q", (1, 2, 3, 8))], [value("y", (1, 2, 3, 8))], opset=23),
        "rotary": lambda: model([node("RotaryEmbedding", ["q", "c", "s"], ["y"], name="rotate",
                                      rotary_embedding_dim=4)],
                                [value("q", (1, 2, 3, 8)), value("c", (1, 3, 2)), value("s", (1, 3, 2))],
                                [value("y", (1, 2, 3, 8))], opset=23),
        "opset-29": lambda: old("Relu", 29),
        "add-6": lambda: old("Add", 6, inputs=[("b", np.ones(8, np.float32))], broadcast=1, axis=1),
        "prelu-6": lambda: old("PRelu", 6, inputs=[("s", np.ones(8, np.float32))]),
        "cast-5": lambda: old("Cast", 5, to="DOUBLE"),
        "reshape-1": lambda: old("Reshape", 1, shape=[0, -1], consumed_inputs=[0]),
        "tile-5": lambda: old("Tile", 5, inputs=[("t", np.int64([2])), ("a", np.int64([1]))]),
        "nll": lambda: old("NegativeLogLikelihoodLoss", 13, x=("n", 8), ignore_index=-1,
                           inputs=[("t", np.int64([1, -1])), ("w", np.ones(8, np.float32))]),
        "sce": lambda: old("SoftmaxCrossEntropyLoss", 13, x=("n", 8), outputs=("y", "log"), reduction="none",
                           inputs=[("t", np.int64([1, -1]))]),
        "random": lambda: model([node("RandomUniform", [], ["a"], shape=[2]), node("RandomUniform", [], ["b"], shape=[2]),
                                 node("RandomUniform", [], ["c"], shape=[2], seed=3.0)], [],
                                [value(name, (2,)) for name in "abc"]),
        "simplified": lambda: old("SimplifiedLayerNormalization", 17, inputs=[("s", np.ones(4, np.float32))], epsilon=1e-6,
                                  axis=-1, stash_type=1),
        "unknown-op": lambda: old("Frobnicate", 17),
        "string": lambda: old("Identity", 17, kind=TensorProto.STRING),
}.items():
    MODELS[name] = make


def microsoft(op, inputs, outputs=("y",), constants=(), **attributes):
    """One node of com.microsoft on inputs (name, shape, kind...) and constants, in the order of `names`."""
    names = attributes.pop("names", [i[0] for i in inputs] + [c[0] for c in constants])
    made = node(op, names, outputs, name="the_node", domain="com.microsoft", **attributes)
    graph = model([made], [value(*i) for i in inputs], [helper.ValueInfoProto(name=o) for o in outputs if o],
                  [tensor(*c) for c in constants])
    graph.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return graph


for name, make in {
        "ms-skip-norm": lambda: microsoft("SkipLayerNormalization", [("x", ("b", 3, 8)), ("s", ("b", 3, 8)), ("g", (8,))],
                                          ["y", "", "", "sum"]),
        "ms-statistics": lambda: microsoft("SkipLayerNormalization", [("x", ("b", 3, 8)), ("s", ("b", 3, 8)), ("g", (8,))],
                                           ["y", "mean"]),
        "ms-nbits": lambda: microsoft("MatMulNBits", [("x", ("b", 32))],
                                      constants=[("w", np.zeros((6, 2, 8), np.uint8)), ("s", np.ones(12, np.float32))],
                                      K=32, N=6, bits=4, block_size=16),
        "ms-add": lambda: microsoft("QLinearAdd", [("a", (4,), 2), ("t", ()), ("b", (4,), 2)],
                                    names=["a", "t", "", "b", "t", "", "t", ""]),
        "ms-heads": lambda: microsoft("MultiHeadAttention", [("q", ("b", 3, 32)), ("k", ("b", 5, 32)), ("v", ("b", 5, 32))],
                                      num_heads=4, unidirectional=1),
        "ms-groups": lambda: microsoft("GroupQueryAttention", [
            ("q", ("b", 1, 64)), ("k", ("b", 1, 32)), ("v", ("b", 1, 32)), ("pk", ("b", 2, "p", 16)), ("pv", ("b", 2, "p", 16)),
            ("l", ("b",), 6), ("t", (), 6)], ["y", "nk", "nv"], num_heads=4, kv_num_heads=2),
        "ms-unknown": lambda: microsoft("Frobnicate", [("x", (4,))]),
        "ms-attribute": lambda: microsoft("QuickGelu", [("x", (4,))], colour=1),
}.items():
    MODELS[name] = make


def sequence(name, shape, kind=F):
    return helper.make_value_info(name, helper.make_sequence_type_proto(helper.make_tensor_type_proto(kind, shape)))


@define
def sequences():
    body = helper.make_graph([node("Add", ["e", "z"], ["r"])], "body", [value("e", None), value("z", None)],
                             [helper.ValueInfoProto(name="r")])
    return model([node("SequenceMap", ["list", "x"], ["mapped"], body=body),
                  node("SequenceInsert", ["mapped", "x"], ["longer"]),
                  node("SequenceLength", ["longer"], ["length"])],
                 [sequence("list", ("k",)), value("x", (1,))],
                 [sequence("longer", None), helper.ValueInfoProto(name="length")])


@define
def shapeless():
    """Nothing but the type of the elements is declared, and an input decides the place."""
    list_type = helper.make_sequence_type_proto(helper.make_tensor_type_proto(F, None))
    return model([node("SequenceInsert", ["list", "x", "place"], ["longer"])],
                 [helper.make_value_info("list", list_type), value("x", (1,)), value("place", (), TensorProto.INT64)],
                 [sequence("longer", None)])


@define
def optional():
    kind = helper.make_optional_type_proto(helper.make_tensor_type_proto(F, (4,)))
    yes = helper.make_graph([node("OptionalGetElement", ["maybe"], ["got"])], "yes", [], [helper.ValueInfoProto(name="got")])
    no = helper.make_graph([node("Neg", ["x"], ["negative"])], "no", [], [helper.ValueInfoProto(name="negative")])
    return model([node("OptionalHasElement", ["maybe"], ["has"]), node("If", ["has"], ["y"], then_branch=yes, else_branch=no)],
                 [helper.make_value_info("maybe", kind), value("x", (4,))], [value("y", (4,))])


@define
def scan_8():
    body = helper.make_graph([node("Add", ["sum", "next"], ["total"]), node("Identity", ["total"], ["each"])], "body",
                             [value("sum", (2,)), value("next", (2,))], [value("total", (2,)), value("each", (2,))])
    return model([node("Scan", ["", "first", "x"], ["y", "z"], num_scan_inputs=1, body=body)],
                 [value("first", (2, 2)), value("x", (2, 3, 2))], [value("y", (2, 2)), value("z", (2, 3, 2))], opset=8)


@define
def flex_attention():
    score = helper.make_graph([node("Mul", ["s", "two"], ["r"])], "score", [value("s", None)], [value("r", None)],
                              [tensor("two", np.float32(2))])
    made = model([node("FlexAttention", ["q", "q", "q"], ["y"], domain="ai.onnx.preview", score_mod=score)],
                 [value("q", (1, 2, 3, 8), TensorProto.FLOAT16)], [value("y", (1, 2, 3, 8), TensorProto.FLOAT16)], opset=26)
    made.opset_import.append(helper.make_opsetid("ai.onnx.preview", 1))
    return made


@define
def constants():
    nodes = [node("Constant", [], ["a"], value_int=7), node("Constant", [], ["b"], value_floats=[1.0, 2.0]),
             node("Constant", [], ["c"], value=tensor("c", np.arange(6, dtype=np.int8).reshape(2, 3)))]
    initialisers = [tensor("shape", np.int64([2, 3])), tensor("w", np.arange(20, dtype=np.float32)),
                    tensor("u8", np.uint8([1, 255])), tensor("flag", np.array([True, False])),
                    helper.make_tensor("h", TensorProto.FLOAT16, [2], [1.0, -2.0]),
                    helper.make_tensor("i16", TensorProto.INT16, [2], [-1, 3]), tensor("unused", np.int64([1]))]
    names = ["a", "b", "c", "shape", "w", "u8", "flag", "h", "i16"]
    nodes += [node("Identity", [n], [n + "_out"]) for n in names]
    inputs = [value("x", ("batch", None, 3)), value("w", (20,))]
    return model(nodes + [node("Relu", ["x"], ["y"])], inputs,
                 [value("y", ("batch", None, 3))] + [helper.ValueInfoProto(name=n + "_out") for n in names],
                 initialisers)


# Numbers of element types that ONNX 1.12 does not know.
NARROW = {"e4m3fn": 17, "e4m3fnuz": 18, "e5m2": 19, "e5m2fnuz": 20, "uint4": 21, "int4": 22, "e2m1": 23, "e8m0": 24, "uint2": 25,
          "int2": 26}


@define
def narrow_types():
    """Constants of types of at most 8 bits, packed as files have them: raw, or one byte in each int32. They are outputs, too."""
    raw = {"uint4": (3, b"\x21\x0f"), "int4": (3, b"\x98\x07"), "e2m1": (4, b"\x71\xf8"), "int2": (5, b"\xe4\x02"),
           "e4m3fn": (2, b"\x38\x7e"), "e8m0": (2, b"\x7f\x80")}
    typed = {"uint2": (5, [0xe4, 0x01]), "e5m2": (2, [0x3c, 0xc0]), "e4m3fnuz": (2, [0x40, 0x80]), "e5m2fnuz": (2, [0x40, 0x80])}
    initialisers = [TensorProto(name=n, data_type=NARROW[n], dims=[size], raw_data=data) for n, (size, data) in raw.items()]
    initialisers += [TensorProto(name=n, data_type=NARROW[n], dims=[size], int32_data=data) for n, (size, data) in typed.items()]
    names = [*raw, *typed]
    large = TensorProto(name="large", data_type=NARROW["int4"], dims=[2049], raw_data=bytes([0xf7] * 1024 + [1]))
    nodes = [node("Identity", [n], [n + "_out"]) for n in names] + [node("Identity", ["large"], ["large_out"])]
    outputs = [value(n + "_out", (size,), NARROW[n]) for n, (size, _) in (raw | typed).items()]
    return model(nodes, [], outputs + [value("large_out", (2049,), NARROW["int4"])], initialisers + [large], opset=25)


@define
def quantize_e4m3fn():
    """Float to float8 and back."""
    nodes = [node("QuantizeLinear", ["x", "scale"], ["q"], output_dtype=NARROW["e4m3fn"]),
             node("DequantizeLinear", ["q", "scale"], ["y"])]
    return model(nodes, [value("x", (4,))], [value("q", (4,), NARROW["e4m3fn"]), value("y", (4,))],
                 [tensor("scale", np.float32(0.5))], opset=21)


@define
def dequantize_e4m3fn():
    return model([node("DequantizeLinear", ["q", "scale"], ["y"])], [value("q", (4,), NARROW["e4m3fn"])], [value("y", (4,))],
                 [tensor("scale", np.float32(0.5))], opset=21)


@define
def function():
    relu = node("LeakyRelu", ["t"], ["r"], name="leaky")
    reference = relu.attribute.add()
    reference.name, reference.ref_attr_name, reference.type = "alpha", "slope", 1
    inner = helper.make_function("local", "Inner", ["t"], ["r"], [relu], [helper.make_opsetid("", 17)], ["slope"])
    call = node("Inner", ["p"], ["q"], domain="local", name="inner")
    forwarded = call.attribute.add()
    forwarded.name, forwarded.ref_attr_name, forwarded.type = "slope", "slope", 1
    outer = helper.make_function("local", "Outer", ["a", "b"], ["q"],
                                 [node("Clip", ["a", "b"], ["p"], name="clip"), call],
                                 [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)], ["slope"])
    return model([node("Outer", ["x"], ["y"], domain="local", name="call", slope=0.25),
                  node("Outer", ["y", "m"], ["z"], domain="local", name="again")],
                 [value("x", (4,)), value("m", ())], [value("z", (4,))], functions=[outer, inner])


@define
def recursive_function():
    loop = helper.make_function("local", "Loop", ["a"], ["b"], [node("Loop", ["a"], ["b"], domain="local")],
                                [helper.make_opsetid("", 17)])
    return model([node("Loop", ["x"], ["y"], domain="local", name="call")], [value("x", (4,))], [value("y", (4,))],
                 functions=[loop])


@define
def branches():
    then = helper.make_graph([node("Add", ["x", "one"], ["t"])], "then", [], [value("t", (4,))],
                             [tensor("one", np.float32(1))])
    other = helper.make_graph([node("Identity", ["x"], ["e"])], "else", [], [value("e", (4,))])
    return model([node("If", ["c"], ["y"], name="if", then_branch=then, else_branch=other)],
                 [value("c", (), TensorProto.BOOL), value("x", (4,))], [value("y", (4,))])


@define
def loop():
    body = helper.make_graph(
        [node("Add", ["sum", "x"], ["next"]), node("Identity", ["go"], ["on"]), node("Relu", ["next"], ["part"])], "body",
        [value("i", (), I), value("go", (), TensorProto.BOOL), value("sum", (4,))],
        [value("on", (), TensorProto.BOOL), value("next", (4,)), value("part", (4,))])
    return model([node("Loop", ["n", "", "x"], ["last", "parts"], name="loop", body=body)],
                 [value("n", (), I), value("x", (4,))], [value("last", (4,)), value("parts", (None, 4))])


@define
def deep():
    graph = helper.make_graph([node("Identity", ["x"], ["y0"])], "g", [], [value("y0", (4,))])
    for i in range(1, 29):
        other = helper.make_graph([node("Identity", ["x"], ["z"])], "e", [], [value("z", (4,))])
        graph = helper.make_graph([node("If", ["c"], [f"y{i}"], name=f"if{i}", then_branch=graph, else_branch=other)],
                                  "g", [], [value(f"y{i}", (4,))])
    return model(graph.node, [value("c", (), TensorProto.BOOL), value("x", (4,))], [value("y28", (4,))])


@define
def many_errors():
    conv = node("Conv", ["x", "w"], ["a"], name="conv1", strides=2, colour=3)
    return model([conv, node("Relu", ["a"], ["b"], name="relu1"), node("Relu", ["nothing"], ["c"], name="relu2"),
                  node("Unknown", ["c"], ["d"], name="unknown1"), node("Add", ["x"], ["e"], name="add1"),
                  node("Concat", ["x", "x"], ["f"], name="concat1"), node("Thing", ["x"], ["g"], name="thing1", domain="com.x"),
                  node("Cast", ["x"], ["h"], name="cast1", to=TensorProto.STRING),
                  node("Relu", ["x"], ["x"], name="relu3"), node("Gather", ["x", "x"], ["i"], name="gather1")],
                 [value("x", (1, 3, 4, 4))], [value("d", (1,)), value("missing", (1,))],
                 [tensor("w", np.ones((1, 3, 1, 1), np.float32))])


@define
def malformed():
    conv = node("Conv", ["x", "w"], ["a"], name="conv1", strides=[2, 2, 2])
    return model([conv, node("MatMul", ["x", "w"], ["b"], name="matmul1"),
                  node("Transpose", ["x"], ["c"], name="transpose1", perm=[0, 1, 1, 2]),
                  node("Concat", ["x", "v"], ["d"], name="concat1", axis=1)],
                 [value("x", ("n", 3, 4, 4)), value("v", (1, 3))], [value(name, (1,)) for name in "abcd"],
                 [tensor("w", np.ones((1, 3, 1, 1), np.float32))])


@define
def later():
    return model([node("Relu", ["b"], ["a"], name="first"), node("Relu", ["a"], ["b"], name="second")],
                 [value("x", (4,))], [value("b", (4,))])


@define
def bad_tensors():
    short = TensorProto(name="short", data_type=F, dims=[4], raw_data=bytes(12))
    few = helper.make_tensor("few", I, [3], [1, 2, 3])
    few.int64_data.pop()
    negative = helper.make_tensor("negative", F, [1], [1.0])
    negative.dims[0] = -1
    huge = helper.make_tensor("huge", F, [1], [1.0])
    huge.dims[:] = [1 << 40, 1 << 40]
    int4 = TensorProto(name="int4", data_type=22, dims=[5], raw_data=bytes(5))
    complex64 = TensorProto(name="complex64", data_type=TensorProto.COMPLEX64, dims=[1], raw_data=bytes(8))
    names = ["short", "few", "negative", "huge", "int4", "complex64"]
    return model([node("Relu", [n], [n + "1"]) for n in names], [], [value("short1", (4,))],
                 [short, few, negative, huge, int4, complex64])


@define
def no_graph():
    return helper.ModelProto(ir_version=8, opset_import=[helper.make_opsetid("", 17)])


@define
def no_opset():
    made = MODELS["clip-6"]()
    del made.opset_import[:]
    return made


@define
def bad_inputs():
    unranked = helper.ValueInfoProto(name="no_type")
    return model([node("Relu", ["a"], ["y"])],
                 [value("a", (-2,)), value("no_shape", None), unranked,
                  helper.make_tensor_sequence_value_info("list", F, None)], [value("y", (4,))])


def external(location, length="16", offset="8"):
    weight = TensorProto(name="w", data_type=F, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, text in {"location": location, "offset": offset, "length": length}.items():
        weight.external_data.add(key=key, value=text)
    return model([node("Add", ["x", "w"], ["y"])], [value("x", (4,))], [value("y", (4,))], [weight])


def main():
    """models.py FOLDER NAME... or models.py --external FILE LOCATION [LENGTH [OFFSET]]"""
    if sys.argv[1] == "--external":
        models = {sys.argv[2]: external(*sys.argv[3:])}
        with open(os.path.join(os.path.dirname(sys.argv[2]), "weights.bin"), "wb") as file:
            file.write(bytes(8) + np.float32([1, 2, 3, 4]).tobytes())
    else:
        models = {os.path.join(sys.argv[1], name + ".onnx"): MODELS[name]() for name in sys.argv[2:]}
    for path, made in models.items():
        with open(path, "wb") as file:
            file.write(made.SerializeToString())


if __name__ == "__main__":
    main()
