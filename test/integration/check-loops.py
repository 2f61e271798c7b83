#!/usr/bin/python3
"""Loops that run as loops in the object, against numpy.

    check-loops.py LATHE FOLDER TARGET

Trip counts and conditions that are known at run time only, none and many iterations, values that are carried and collected, and loops
in loops.
"""
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

lathe, folder, target = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(7)
TYPES = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64, np.dtype(bool): TensorProto.BOOL,
         np.dtype(np.int32): TensorProto.INT32, np.dtype(np.uint8): TensorProto.UINT8}
REFUSED = "refused"
passed = []


OPS = {"Add": np.add, "Mul": np.multiply, "Div": np.divide, "MatMul": np.matmul, "Less": np.less, "And": np.logical_and,
       "Identity": lambda a: a, "Shape": lambda a: np.array(a.shape), "Gather": lambda a, i: np.take(a, i, axis=0),
       "ReduceSum": lambda a: a.sum(keepdims=True), "ReduceMax": lambda a: a.max(keepdims=True), "Neg": np.negative}


def evaluate(graph, values):
    """The outputs of a graph whose inputs are among `values`."""
    values = {**values, **{t.name: numpy_helper.to_array(t) for t in graph.initializer}}
    for op in graph.node:
        attributes = {a.name: helper.get_attribute_value(a) for a in op.attribute}
        operands = [values[x] if x else None for x in op.input]
        if op.op_type == "Loop":
            results = loop(attributes["body"], values, *operands)
        elif op.op_type == "Cast":
            results = [operands[0].astype(np.float32)]
        else:
            results = [OPS[op.op_type](*operands)]
        values.update(zip(op.output, results))
    return [np.asarray(values[y.name]) for y in graph.output]


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


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split(" "), outputs.split(), **attributes)


def constants(**values):
    return [numpy_helper.from_array(np.array(value), name) for name, value in values.items()]


def body(inputs, nodes, outputs, initialisers=()):
    """`inputs`: names and types of what is carried, after number and condition."""
    head = [info("i", TensorProto.INT64, ()), info("go", TensorProto.BOOL, ())]
    return helper.make_graph(nodes, "body", head + [info(name, kind) for name, kind in inputs.items()],
                             [helper.make_empty_tensor_value_info(name) for name in outputs.split()], initialisers)


def run(name, nodes, shapes, outputs, cases, initialisers=(), options=()):
    """`shapes` of inputs; a case has inputs by name, or those and REFUSED."""
    first = cases[0][0] if isinstance(cases[0], tuple) else cases[0]
    outputs = outputs.split()
    graph = helper.make_graph(nodes, "g", [info(x, TYPES[np.asarray(first[x]).dtype], shape) for x, shape in shapes.items()],
                              [helper.make_empty_tensor_value_info(y) for y in outputs], initialisers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    path = f"{folder}/{name}"
    onnx.save(model, f"{path}.onnx")
    for number, case in enumerate(cases):
        refused = isinstance(case, tuple)
        inputs = {x: np.asarray(value) for x, value in (case[0] if refused else case).items()}
        command = [lathe, "run", f"{path}.onnx", f"--target={target}", *options]
        for x, value in inputs.items():
            np.save(f"{path}-{x}.npy", value)
            command += ["--input", f"{x}={path}-{x}.npy"]
        if refused:
            command += [f"--output-dir={folder}"]
        else:
            for y, value in zip(outputs, evaluate(graph, inputs)):
                np.save(f"{path}-{y}.npy", value)
                command += ["--check", f"{y}={path}-{y}.npy"]
        result = subprocess.run(command, capture_output=True, text=True)
        good = "does not fit" in result.stderr if refused else result.returncode == 0
        if not good:
            print(f"{name}, case {number}: {result.stdout[-500:]}{result.stderr[:500]}")
        passed.append(good)


def x(*shape):
    return rng.standard_normal(shape).astype(np.float32)


F, I = TensorProto.FLOAT, TensorProto.INT64

# A trip count of an input, with and without a condition that passes through; s = s @ w + 1 / (i + 1).
step = body({"s": F}, [node("MatMul", "s w", "p"), node("Cast", "i", "f", to=F), node("Add", "f one", "d"), node("Div", "one d", "q"),
                       node("Add", "p q", "t"), node("Identity", "go", "on")], "on t", constants(one=np.float32(1)))
run("carried", [node("Loop", "n  s0", "y", body=step)], {"n": (), "s0": (3, 4)}, "y",
    [{"n": n, "s0": x(3, 4)} for n in (5, 1, 0, -2, 9)], constants(w=x(4, 4) / 4))
run("condition_in", [node("Loop", "n go0 s0", "y", body=step)], {"n": (), "go0": (), "s0": (3, 4)}, "y",
    [{"n": n, "go0": go, "s0": x(3, 4)} for n, go in ((5, True), (3, False))], constants(w=x(4, 4) / 4))
run("symbolic", [node("Loop", "n  s0", "y", body=step)], {"n": (), "s0": ("batch", 4)}, "y",
    [{"n": 3, "s0": x(b, 4)} for b in (2, 7)], constants(w=x(4, 4) / 4))

# What is collected has as many parts as there were iterations.
both = body({"s": F}, [node("Add", "s w", "t"), node("Mul", "t t", "u"), node("Cast", "i", "f", to=F), node("Identity", "go", "on")],
            "on t u f")
run("collected", [node("Loop", "n  s0", "y u f", body=both), node("ReduceSum", "u", "z", keepdims=1)], {"n": (), "s0": (2, 3)}, "y u f z",
    [{"n": n, "s0": x(2, 3)} for n in (4, 1, 0)] + [({"n": 513, "s0": x(2, 3)}, REFUSED)], constants(w=x(3)))
run("collected_bound", [node("Loop", "n  s0", "y u f", name="steps", body=both)], {"n": (), "s0": (2, 3)}, "y u f",
    [{"n": n, "s0": x(2, 3)} for n in (600, 8)] + [({"n": 1025, "s0": x(2, 3)}, REFUSED)], constants(w=x(3)),
    ["--dim", "steps=0..1024"])
# As many as a dimension has, known at compile time, and more than are unrolled.
run("dimension", [node("Shape", "a", "shape"), node("Gather", "shape zero", "n"), node("Loop", "n  s0", "y u f", body=both)],
    {"a": ("k", 2), "s0": (2, 3)}, "y u f", [{"a": x(k, 2), "s0": x(2, 3)} for k in (6, 1)], constants(w=x(3), zero=np.int64(0)))
run("many", [node("Loop", "n  s0", "y u f", body=both)], {"s0": (2, 3)}, "y u f", [{"s0": x(2, 3)}],
    constants(w=x(3) / 99, n=np.int64(700)))
run("rows", [node("Shape", "a", "shape"), node("Gather", "shape zero", "n"), node("Loop", "n  s0", "y u", body=body(
    {"s": F}, [node("Gather", "a i", "row"), node("Add", "s row", "t"), node("Identity", "t", "u"), node("Identity", "go", "on")],
    "on t u"))], {"a": ("k", 3), "s0": (3,)}, "y u", [{"a": x(k, 3), "s0": x(3)} for k in (5, 1)], constants(zero=np.int64(0)))
run("integers", [node("Loop", "n  b0 k0", "b k all", body=body(
    {"b": TensorProto.UINT8, "k": I}, [node("Add", "b b", "c"), node("Mul", "k i", "m"), node("Identity", "go", "on"),
                                       node("Identity", "c", "d")], "on c m d"))], {"n": (), "b0": (4,), "k0": (1,)}, "b k all",
    [{"n": n, "b0": np.array([1, 2, 77, 255], np.uint8), "k0": np.array([3])} for n in (3, 0)])
run("nested", [node("Loop", "n  s0", "y all", body=body({"s": F}, [
    node("Loop", "i  s", "t", body=body({"r": F}, [node("Mul", "r half", "q"), node("Add", "q s0", "v"),
                                                   node("Identity", "go", "more")], "more v")),
    node("Identity", "t", "u"), node("Identity", "go", "on")], "on t u"))], {"n": (), "s0": (2, 3)}, "y all",
    [{"n": n, "s0": x(2, 3)} for n in (4, 0)], constants(half=np.float32(0.5)))

# A condition that the body computes: sums until one is 10, with a trip count, without one, and with none in all.
until = [node("Add", "s s", "t"), node("ReduceMax", "t", "most", keepdims=0), node("Less", "most ten", "on"), node("Mul", "t two", "u")]
growing = body({"s": F}, until, "on t u")
tens = constants(ten=np.float32(10), two=np.float32(2))
sums = [{"n": n, "s0": np.array([1, a], np.float32)} for n, a in ((20, 3), (2, 3), (20, 50), (0, 1))]
run("until", [node("Loop", "n  s0", "y u", body=growing)], {"n": (), "s0": (2,)}, "y u", sums, tens)
run("until_carried", [node("Loop", "n  s0", "y", body=body({"s": F}, until[:3], "on t"))], {"n": (), "s0": (2,)}, "y", sums, tens)
run("until_only", [node("Loop", " go0 s0", "y u", name="steps", body=growing)], {"go0": (), "s0": ("k",)}, "y u",
    [{"go0": go, "s0": np.array([a, 1], np.float32)} for go, a in ((True, 1), (False, 1), (True, 1e-3))]
    + [({"go0": True, "s0": np.array([1e-9, 0], np.float32)}, REFUSED)], tens, ["--dim", "steps=0..16"])
run("until_forever", [node("Loop", "n go0 s0", "y u", body=growing)], {"go0": (), "s0": (1, 2)}, "y u",
    [{"go0": True, "s0": np.array([[0.01, 1]], np.float32)}], tens + constants(n=np.int64(2**63 - 1)))
run("swap", [node("Loop", "n  a0 b0", "a b", body=body({"a": F, "b": F}, [
    node("Identity", "b", "c"), node("Identity", "a", "d"), node("ReduceMax", "a", "most", keepdims=0), node("Less", "most ten", "on")],
    "on c d"))], {"n": (), "a0": (2, 2), "b0": (2, 2)}, "a b",
    [{"n": n, "a0": x(2, 2), "b0": x(2, 2) + 100 * big} for n, big in ((3, 0), (4, 0), (9, 1), (1, 1))], tens)

print(f"{sum(passed)} of {len(passed)} as expected")
sys.exit(0 if passed and all(passed) else 1)
