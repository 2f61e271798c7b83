"""Small models that ask for trouble: odd_models.py FOLDER writes them and arrays for them."""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper


def value(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def save(name, nodes, inputs, outputs, initialisers=()):
    graph = helper.make_graph(nodes, "graph", inputs, outputs, list(initialisers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, f"{folder}/{name}.onnx")


folder = sys.argv[1]
save("relu", [helper.make_node("Relu", ["x"], ["y"])], [value("x", ["n", 4])], [value("y", ["n", 4])])
save("2 odd names!", [helper.make_node("Relu", ["a.b"], ["for"]), helper.make_node("Neg", ["a_b"], ["y */ 1"])],
     [value("a.b", ["b*/ size", 4]), value("a_b", ["b__ size", 4])],
     [value("for", ["b*/ size", 4]), value("y */ 1", ["b__ size", 4])])
save("no-inputs", [helper.make_node("Abs", ["w"], ["y"])], [], [value("y", [2])],
     [helper.make_tensor("w", TensorProto.FLOAT, [2], [-1, 2])])
save("unsupported", [helper.make_node("Squeeze", ["x", "a"], ["s"], name="squeeze"),
                     helper.make_node("ReduceSum", ["x", "a"], ["r"], name="sum")],
     [value("x", ["n", 4]), value("a", [1], TensorProto.INT64)], [value("s", ["k"]), value("r", ["m"])])
save("found", [helper.make_node("NonZero", ["x"], ["i"], name="nonzero"), helper.make_node("Reshape", ["i", "all"], ["j"]),
               helper.make_node("Gather", ["x", "j"], ["y"])],
     [value("x", ["n"])], [value("i", [1, "count"], TensorProto.INT64), value("y", ["m"])],
     [helper.make_tensor("all", TensorProto.INT64, [1], [-1])])
save("large", [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Transpose", ["y"], ["t"]), helper.make_node("Softmax", ["t"], ["z"])],
     [value("x", ["a", "b", "c", "d"])], [value("z", ["d", "c", "b", "a"])])
save("mismatch", [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")], [value("x", ["n", 4])],
     [value("y", ["n", 5])], [helper.make_tensor("w", TensorProto.FLOAT, [3, 5], [0] * 15)])
save("huge", [helper.make_node("Relu", ["x"], ["y"])], [value("x", [2**40, 2**40])], [value("y", [2**40, 2**40])])
save("window", [helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[3], strides=[2])],
     [value("x", [1, 1, "n"])], [value("y", [1, 1, "m"])])
save("divide", [helper.make_node("Div", ["x", "d"], ["q"]), helper.make_node("Mod", ["x", "d"], ["r"])],
     [value("x", [4], TensorProto.INT64), value("d", [4], TensorProto.INT64)],
     [value("q", [4], TensorProto.INT64), value("r", [4], TensorProto.INT64)])
save("scatter", [helper.make_node("ScatterElements", ["x", "i", "u"], ["y"], axis=2, name="scatter")],
     [value("x", ["n", 4]), value("i", [1, 2], TensorProto.INT64), value("u", [1, 2])], [value("y", ["n", 4])])
save("scatter-far", [helper.make_node("ScatterElements", ["x", "i", "u"], ["y"], axis=1, name="scatter")],
     [value("x", [2, 4]), value("i", [3, 2], TensorProto.INT64), value("u", [3, 2])], [value("y", [2, 4])])
save("cumsum", [helper.make_node("CumSum", ["x", "a"], ["y"], name="sum")], [value("x", ["n", 4])],
     [value("y", ["n", 4])], [helper.make_tensor("a", TensorProto.INT64, [], [2])])
save("fits", [helper.make_node("Add", ["x", "c"], ["y"], name="sum"), helper.make_node("Add", ["z", "w"], ["v"])],
     [value("x", ["n", 4]), value("z", ["a"]), value("w", ["b"])], [value("y", [3, 4]), value("v", ["a"])],
     [helper.make_tensor("c", TensorProto.FLOAT, [3, 4], [1] * 12)])
save("fours", [helper.make_node("Reshape", ["x", "s"], ["y"])], [value("x", ["n", 6])], [value("y", ["m", 4])],
     [helper.make_tensor("s", TensorProto.INT64, [2], [-1, 4])])
save("long", [helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)], [value("x", [2**40, 4])], [value("y", [])])
save("wide-lrn", [helper.make_node("LRN", ["x"], ["y"], size=2**31 - 1, alpha=1e9)], [value("x", [2, 5, 3])],
     [value("y", [2, 5, 3])])
save("wide-exp", [helper.make_node("Exp", ["x"], ["e"]), helper.make_node("Pow", ["e", "e"], ["y"])],
     [value("x", [3], TensorProto.DOUBLE)], [value("y", [3], TensorProto.DOUBLE)])

smallest = np.iinfo(np.int64).min
np.save(f"{folder}/found.npy", np.array([0, 3, 0, 5], np.float32))
np.save(f"{folder}/i.npy", np.array([[1, 3]]))
np.save(f"{folder}/y.npy", np.array([3, 5], np.float32))
np.save(f"{folder}/x.npy", np.array([7, smallest, 7, -7], np.int64))
np.save(f"{folder}/d.npy", np.array([0, -1, 2, 2], np.int64))
np.save(f"{folder}/q.npy", np.array([0, smallest, 3, -3], np.int64))
np.save(f"{folder}/r.npy", np.array([0, 0, 1, 1], np.int64))
np.save(f"{folder}/special.npy", np.array([[np.nan, np.inf, -np.inf, 1]], np.float32))
np.save(f"{folder}/relu.npy", np.array([[np.nan, np.inf, 0, 1]], np.float32))
image = np.arange(30, dtype=np.float32).reshape(2, 5, 3)
np.save(f"{folder}/image.npy", image)
np.save(f"{folder}/lrn.npy", image / (1 + 1e9 / (2**31 - 1) * (image**2).sum(1, keepdims=True)) ** np.float32(0.75))
wide = np.array([0.5, -1, 1.25])
np.save(f"{folder}/wide.npy", wide)
np.save(f"{folder}/wide-expected.npy", np.exp(wide) ** np.exp(wide))
