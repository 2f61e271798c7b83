"""Models with loops and branches: small graphs, run by `lathe run` and evaluated by numpy."""
import os
import subprocess

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(7)
F, I, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
TYPES = {np.dtype(np.float32): F, np.dtype(np.int64): I, np.dtype(bool): B, np.dtype(np.int32): TensorProto.INT32,
         np.dtype(np.uint8): TensorProto.UINT8}
REFUSED = "refused"


def softmax(a):
    e = np.exp(a - a.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


OPS = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "MatMul": np.matmul, "Less": np.less,
       "And": np.logical_and, "Identity": lambda a: a, "Shape": lambda a: np.array(a.shape),
       "Gather": lambda a, i: np.take(a, i, axis=0), "ReduceSum": lambda a: a.sum(keepdims=True),
       "ReduceMax": lambda a: a.max(keepdims=True), "Neg": np.negative, "Relu": lambda a: np.maximum(a, 0), "Softmax": softmax,
       "Exp": np.exp, "Range": np.arange, "Slice": lambda a, begin, end: a[begin.item():end.item()], "Transpose": np.transpose,
       "ConstantOfShape": lambda n: np.zeros(n, np.float32), "Squeeze": lambda a, i: np.squeeze(a, tuple(i)),
       "Compress": lambda a, keep: np.compress(keep, a, axis=0), "SequenceConstruct": lambda *a: a,
       "SequenceAt": lambda a, i: a[int(i)]}


def evaluate(graph, values):
    """The outputs of a graph whose inputs are among `values`."""
    values = {**values, **{t.name: numpy_helper.to_array(t) for t in graph.initializer}}
    for op in graph.node:
        attributes = {a.name: helper.get_attribute_value(a) for a in op.attribute}
        operands = [values[x] if x else None for x in op.input]
        if op.op_type == "Loop":
            results = loop(attributes["body"], values, *operands)
        elif op.op_type == "If":
            results = evaluate(attributes["then_branch" if operands[0].item() else "else_branch"], values)
        elif op.op_type == "Cast":
            results = [operands[0].astype(np.float32)]
        else:
            results = [OPS[op.op_type](*operands)]
        values.update(zip(op.output, results))
    return [values[y.name] if isinstance(values[y.name], tuple) else np.asarray(values[y.name]) for y in graph.output]


def loop(graph, values, trips, go, *state):
    state, collected = list(state), []
    i, go = 0, go is None or bool(go)
    while go and (trips is None or i < trips):
        inputs = dict(zip([x.name for x in graph.input], [np.int64(i), np.bool_(go), *state]))
        go, *results = evaluate(graph, {**values, **inputs})
        state, i = results[:len(state)], i + 1
        collected.append(results[len(state):])
    if not collected:  # one iteration tells the shapes
        inputs = dict(zip([x.name for x in graph.input], [np.int64(0), np.bool_(True), *state]))
        parts = evaluate(graph, {**values, **inputs})[1 + len(state):]
        return state + [np.zeros((0, *part.shape), part.dtype) for part in parts]
    return state + [np.stack(parts) for parts in zip(*collected)]


def info(name, kind=TensorProto.FLOAT, shape=None):
    return helper.make_tensor_value_info(name, kind, shape)


def x(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split(" "), outputs.split(), **attributes)


def constants(**values):
    return [numpy_helper.from_array(np.array(value), name) for name, value in values.items()]


def body(inputs, nodes, outputs, initialisers=()):
    """`inputs`: names and types of what is carried, after number and condition."""
    head = [info("i", I, ()), info("go", B, ())]
    return helper.make_graph(nodes, "body", head + [info(name, kind) for name, kind in inputs.items()],
                             [helper.make_empty_tensor_value_info(name) for name in outputs.split()], initialisers)


def branch(nodes, outputs, initialisers=()):
    return helper.make_graph(nodes, "branch", [], [helper.make_empty_tensor_value_info(name) for name in outputs.split()],
                             initialisers)


class Checks:
    def __init__(self, lathe, folder, target):
        self.lathe, self.folder, self.target, self.passed = lathe, folder, target, []
        os.makedirs(folder, exist_ok=True)

    def run(self, name, nodes, shapes, outputs, cases, initialisers=(), options=()):
        """`shapes` of inputs; a case has inputs by name, or those and REFUSED."""
        first = cases[0][0] if isinstance(cases[0], tuple) else cases[0]
        outputs = outputs.split()
        graph = helper.make_graph(nodes, "g", [info(x, TYPES[np.asarray(first[x]).dtype], shape) for x, shape in shapes.items()],
                                  [helper.make_empty_tensor_value_info(y) for y in outputs], initialisers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
        path = f"{self.folder}/{name}"
        onnx.save(model, f"{path}.onnx")
        for number, case in enumerate(cases):
            refused = isinstance(case, tuple)
            inputs = {x: np.asarray(value) for x, value in (case[0] if refused else case).items()}
            command = [self.lathe, "run", f"{path}.onnx", f"--target={self.target}", *options]
            for x, value in inputs.items():
                np.save(f"{path}-{x}.npy", value)
                command += ["--input", f"{x}={path}-{x}.npy"]
            if refused:
                command += [f"--output-dir={self.folder}"]
            else:
                for y, value in zip(outputs, evaluate(graph, inputs)):
                    np.save(f"{path}-{y}.npy", value)
                    command += ["--check", f"{y}={path}-{y}.npy"]
            result = subprocess.run(command, capture_output=True, text=True)
            good = "does not fit" in result.stderr if refused else result.returncode == 0
            if not good:
                print(f"{name}, case {number}: {result.stdout[-500:]}{result.stderr[:500]}")
            self.passed.append(good)

    def report(self):
        """The exit status."""
        print(f"{sum(self.passed)} of {len(self.passed)} as expected")
        return 0 if self.passed and all(self.passed) else 1
