"""What a test is made of: a model and its inputs. Families of them are in cases_*.py."""
import functools
import zlib

import numpy as np
import onnx
from onnx import helper, numpy_helper

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def cases(**rows):
    """A case of each name: the function with the arguments in that row."""
    def register(function):
        for name, arguments in rows.items():
            CASES[name] = functools.partial(function, **arguments)
        return function
    return register


class Case:
    """A model of some nodes; arrays are inputs unless they are said to be constants."""

    def __init__(self, name):
        self.random = np.random.default_rng(zlib.crc32(name.encode()))
        self.opset = 17
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
            helper.make_opsetid("", self.opset), helper.make_opsetid("com.microsoft", 1)]), outputs
